package server

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"livelab/pipeline/features/featurestest"
	"livelab/runtime/predlog"
)

const inferPath = "/v2/models/network-shortage/infer"

// means are the classic inputs at the test model's means, in the order of
// GET /model, twice: as a matrix's data.
const (
	means   = `100, 400, 600, 1000, 0.4, 10, 0, 10`
	another = `90, 100, 900, 1000, 0.1, 5, 2, 20`
)

// column is a tensor of one column.
func column(name, datatype, data string) string {
	return fmt.Sprintf(`{"name": %q, "shape": [%d], "datatype": %q, "data": [%s]}`, name, strings.Count(data, ",")+1, datatype, data)
}

// classicColumns are tensors for all that is required.
var classicColumns = []string{
	column("stations_count", "INT64", "100, 90"), column("free_bikes", "UINT16", "400, 100"), column("empty_slots", "INT32", "600, 900"),
	column("total_slots", "UINT64", "1000, 1000"), column("free_ratio", "FP64", "0.4, 0.1"), column("temp_2m", "INT8", "10, 5"),
	column("precipitation", "UINT8", "0, 2"), column("wind_speed_10m", "FP32", "10, 20"),
}

func inputs(tensors ...string) string { return `{"inputs": [` + strings.Join(tensors, ", ") + `]}` }

// inferred is an answer.
type inferred struct {
	ModelName    string         `json:"model_name"`
	ModelVersion string         `json:"model_version"`
	ID           string         `json:"id"`
	Parameters   map[string]any `json:"parameters"`
	Outputs      []struct {
		Name     string    `json:"name"`
		Shape    []int     `json:"shape"`
		Datatype string    `json:"datatype"`
		Data     []float64 `json:"data"`
	} `json:"outputs"`
}

func (s *testServer) infers(t *testing.T, body string) inferred {
	t.Helper()
	w := do(s.Handler(), "POST", inferPath, body, "Content-Type", "application/json")
	if w.Code != 200 {
		t.Fatalf("%s: %d %s", body, w.Code, w.Body)
	}
	var a inferred
	d := json.NewDecoder(w.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// probabilities checks the form of an answer with both outputs.
func (a inferred) probabilities(t *testing.T, rows int) []float64 {
	t.Helper()
	if len(a.Outputs) != 2 {
		t.Fatalf("the outputs are %+v", a.Outputs)
	}
	y, p := a.Outputs[0], a.Outputs[1]
	if y.Name != "predict" || y.Datatype != "INT64" || p.Name != "predict_proba" || p.Datatype != "FP64" ||
		len(y.Shape) != 1 || y.Shape[0] != rows || len(p.Shape) != 1 || p.Shape[0] != rows || len(y.Data) != rows || len(p.Data) != rows {
		t.Fatalf("the outputs are %+v, want %d rows", a.Outputs, rows)
	}
	for i := range p.Data {
		if (p.Data[i] >= 0.4) != (y.Data[i] == 1) || y.Data[i] != 0 && y.Data[i] != 1 {
			t.Errorf("row %d is %v with probability %v and a threshold of 0.4", i, y.Data[i], p.Data[i])
		}
	}
	return p.Data
}

// Every way to send two rows has the same answer.
func TestInferForms(t *testing.T) {
	t.Parallel()
	s := setup(t)
	reversed := make([]string, 0, 8)
	for _, c := range classicColumns {
		reversed = append([]string{c}, reversed...)
	}
	matrix := func(name, shape, data string) string {
		return inputs(fmt.Sprintf(`{"data": [%s], "datatype": "FP64", "name": %q, "shape": [%s]}`, data, name, shape))
	}
	want := []float64{0.2689414213699951, 0.9999663680359614} // of -1 and of 10.3
	for name, body := range map[string]string{
		"columns":                      inputs(classicColumns...),
		"columns in another order":     inputs(reversed...),
		"columns with an optional":     inputs(append([]string{column("climatology", "FP32", "null, null")}, classicColumns...)...),
		"columns of shape [n, 1]":      strings.ReplaceAll(strings.ReplaceAll(inputs(classicColumns...), `[2]`, `[2, 1]`), `[400, 100]`, `[[400], [100]]`),
		"a flat matrix":                matrix("input-0", "2, 8", means+","+another),
		"a nested matrix":              matrix("features", "2, 8", "["+means+"],["+another+"]"),
		"a matrix of all columns":      matrix("predict", "2, 9", means+",null,"+another+",null"),
		"a matrix with its mean":       matrix("x", "2, 9", "["+means+",0.2],["+another+",0.2]"),
		"a matrix, and much beside":    strings.Replace(matrix("input0", "2, 8", means+","+another), "{", `{"parameters": {"binary_data_output": true}, "outputs": [], "more": [{}], `, 1),
		"absent members that are null": strings.Replace(matrix("input0", "2, 8", means+","+another), "{", `{"id": null, "parameters": null, "outputs": null, `, 1),
	} {
		got := s.infers(t, body).probabilities(t, 2)
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-12 {
				t.Errorf("%s: row %d is %v, want %v", name, i, got[i], want[i])
			}
		}
	}
	for _, width := range []string{"8", "9"} {
		data := means
		if width == "9" {
			data += ", 0.2"
		}
		if got := s.infers(t, matrix("x", width, data)).probabilities(t, 1); math.Abs(got[0]-want[0]) > 1e-12 {
			t.Errorf("one row of shape [%s] is %v, want %v", width, got, want[0])
		}
	}
}

// The protocol and the classic surface answer alike, to the bit.
func TestInferLikePredict(t *testing.T) {
	t.Parallel()
	s := setup(t)
	const rows = 50
	r := rand.New(rand.NewPCG(1, 2))
	var instances, data []string
	for range rows {
		v := []float64{float64(r.IntN(200)), float64(r.IntN(900)), float64(r.IntN(900)), 1000, r.Float64(), r.Float64()*50 - 20, r.Float64(), r.Float64() * 60, r.Float64()}
		b, _ := json.Marshal(v)
		data = append(data, string(b))
		instances = append(instances, fmt.Sprintf(`{"stations_count":%v,"free_bikes":%v,"empty_slots":%v,"total_slots":%v,"free_ratio":%v,"temp_2m":%v,"precipitation":%v,"wind_speed_10m":%v,"climatology":%v}`,
			v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8]))
	}
	var classic struct {
		Predictions []struct {
			Y     float64
			Proba float64
		}
	}
	w := do(s.Handler(), "POST", "/predict", `{"instances": [`+strings.Join(instances, ",")+`]}`)
	if err := json.Unmarshal(w.Body.Bytes(), &classic); err != nil || len(classic.Predictions) != rows {
		t.Fatalf("%s: %v", w.Body, err)
	}
	a := s.infers(t, inputs(fmt.Sprintf(`{"name":"x","datatype":"FP64","shape":[%d,9],"data":[%s]}`, rows, strings.Join(data, ","))))
	shortages := 0.0
	for i, p := range a.probabilities(t, rows) {
		if c := classic.Predictions[i]; p != c.Proba || a.Outputs[0].Data[i] != c.Y {
			t.Errorf("row %d is %v here and %v at /predict", i, p, c.Proba)
		}
		shortages += a.Outputs[0].Data[i]
	}
	if shortages == 0 || shortages == rows {
		t.Errorf("%v shortages: the rows show nothing", shortages)
	}
	logged := s.log.logged()
	for i := range rows {
		x, y := logged[i], logged[rows+i]
		if x.Probability != y.Probability || fmt.Sprint(x.Features) != fmt.Sprint(y.Features) {
			t.Errorf("row %d is logged as %+v and %+v", i, x, y)
		}
	}
}

func TestInferAnswer(t *testing.T) {
	t.Parallel()
	s := setup(t)
	one := inputs(`{"name": "x", "shape": [1, 8], "datatype": "FP64", "data": [` + means + `]}`)
	a := s.infers(t, one)
	if a.ModelName != "network-shortage" || a.ModelVersion != "v1" || a.ID == "" || a.ID != a.Parameters["request_id"] {
		t.Errorf("got %+v", a)
	}
	for name, want := range map[string]any{"threshold": 0.4, "horizon_minutes": 60.0, "model_digest": s.models.current.Digest, "imputed": "climatology", "prediction_id": "id0"} {
		if a.Parameters[name] != want {
			t.Errorf("the parameter %s is %v, want %v", name, a.Parameters[name], want)
		}
	}
	for id, want := range map[string]string{`"42"`: "42", `""`: "", `"a\"\u00e9\n"`: "a\"é\n"} {
		if got := s.infers(t, strings.Replace(one, "{", `{"id": `+id+`, `, 1)).ID; got != want {
			t.Errorf("the ID %s comes back as %q", id, got)
		}
	}
	for outputs, want := range map[string]string{
		`[{"name": "predict"}]`: "predict",
		`[{"name": "predict_proba", "parameters": {"binary_data": true}}]`: "predict_proba",
		`[{"name": "predict_proba"}, {"name": "predict"}]`:                 "predict_proba predict",
		`[]`: "predict predict_proba",
	} {
		var names []string
		for _, o := range s.infers(t, strings.Replace(one, "{", `{"outputs": `+outputs+`, `, 1)).Outputs {
			names = append(names, o.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("of %s there are %s, want %s", outputs, got, want)
		}
	}
	batch := s.infers(t, inputs(`{"name": "x", "shape": [3, 9], "datatype": "FP64", "data": [`+means+`, 0.5, `+means+`, null, `+means+`, 0.5]}`))
	if batch.Parameters["imputed"] != "climatology" || batch.Parameters["prediction_id"] != nil {
		t.Errorf("the batch's parameters are %v", batch.Parameters)
	}
	if all := s.infers(t, inputs(`{"name": "x", "shape": [1, 9], "datatype": "FP64", "data": [`+means+`, 0.5]}`)); all.Parameters["imputed"] != "" {
		t.Errorf("nothing is missing, and imputed is %v", all.Parameters["imputed"])
	}
}

// offers counts what the shadow is offered.
type offers struct{ ids []string }

func (o *offers) Offer(p *predlog.Prediction, row map[string]float64) {
	if row != nil {
		panic("a row of the store, where a client gave tensors")
	}
	o.ids = append(o.ids, p.ID)
}

func TestInferIsLoggedAndCounted(t *testing.T) {
	t.Parallel()
	shadow := new(offers)
	s := setup(t, func(_ *Config, d *Deps) { d.Shadow = shadow })
	w := do(s.Handler(), "POST", inferPath, inputs(classicColumns...), requestIDHeader, "mine")
	want(t, w, 200)
	logged := s.log.logged()
	if len(logged) != 2 || len(shadow.ids) != 2 {
		t.Fatalf("%d rows are logged, %d offered to the shadow, want 2", len(logged), len(shadow.ids))
	}
	for i, p := range logged {
		if p.RequestID != "mine" || p.Version != "v1" || p.Role != predlog.Served || p.ID == "" || p.ID != shadow.ids[i] || !p.At.Equal(noon) {
			t.Errorf("row %d is logged as %+v", i, p)
		}
	}
	if f := logged[1].Features.Map(); f["free_bikes"] != 100 || f["wind_speed_10m"] != 20 || len(f) != 8 {
		t.Errorf("the second row has the features %v", f)
	}
	metrics := do(s.Handler(), "GET", "/metrics", "").Body.String()
	for _, line := range []string{
		`predictions_total{model_version="v1",predicted_class="0"} 1`,
		`predictions_total{model_version="v1",predicted_class="1"} 1`,
		`http_requests_total{endpoint="/v2/models/:model/infer",status="200"} 1`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
}

func TestInferRefuses(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *Config, _ *Deps) { c.MaxInstances = 5 })
	with := func(i int, tensor string) string {
		all := append([]string{}, classicColumns...)
		all[i] = tensor
		return inputs(all...)
	}
	matrix := func(shape, data string) string {
		return inputs(`{"name": "x", "shape": [` + shape + `], "datatype": "FP64", "data": [` + data + `]}`)
	}
	repeat := func(n int) string { return strings.TrimSuffix(strings.Repeat(means+",", n), ",") }
	for _, tt := range []struct {
		body string
		errs []string // each as field and detail
	}{
		{``, []string{"the body is not valid JSON"}},
		{`{"features": {}}`, []string{"inputs is required"}},
		{with(1, column("bikes", "FP64", "1, 2")), []string{`inputs[1].name "bikes" is not a column of the model`, "inputs need a tensor for free_bikes"}},
		{with(1, column("temp_2m", "FP64", "1, 2")), []string{"inputs[5].name temp_2m is there twice", "inputs need a tensor for free_bikes, which is required"}},
		{inputs(column("free_bikes", "FP64", "1, 2")), []string{
			"inputs need a tensor for stations_count", "inputs need a tensor for empty_slots", "inputs need a tensor for total_slots", "inputs need a tensor for free_ratio",
			"inputs need a tensor for temp_2m", "inputs need a tensor for precipitation", "inputs need a tensor for wind_speed_10m"}},
		{with(2, column("empty_slots", "FP64", "1, 2, 3")), []string{"inputs[2].shape has 3 rows for empty_slots, an input before has 2"}},
		{with(2, `{"name": "empty_slots", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}`), []string{"inputs[2].shape is [1, 2], must be [n] or [n, 1] for empty_slots"}},
		{with(2, `{"name": "empty_slots", "shape": [], "datatype": "FP64", "data": [1]}`), []string{"inputs[2].shape is [], must be [n]"}},
		{with(1, column("free_bikes", "FP64", "1, -7")), []string{"inputs[1].data[1] is -7 for free_bikes, must be from 0 to 1e+09"}},
		{with(4, column("free_ratio", "FP64", "null, 1.5")), []string{"inputs[4].data[0] is null for free_ratio, which is required", "inputs[4].data[1] is 1.5 for free_ratio, must be from 0 to 1"}},
		{with(1, column("free_bikes", "INT8", "1, 400")), []string{"inputs[1].data[1] is 400, must be a whole number from -128 to 127 (INT8)"}},
		{with(1, column("free_bikes", "BYTES", `"1", "2"`)), []string{"inputs[1].datatype BYTES is not a number"}},
		{matrix("2, 8", repeat(1)+", "+strings.Replace(means, "0.4", "-1", 1)), []string{"inputs[0].data[12] is -1 for free_ratio"}},
		{matrix("1, 9", means+", 2"), []string{"inputs[0].data[8] is 2 for climatology, must be from 0 to 1"}},
		{matrix("8, 1", means), []string{`inputs[0].shape is [8, 1]: "x" is not a column, so it must have them all, as [n, 8] (stations_count, free_bikes,`}},
		{matrix("3", "1, 2, 3"), []string{"inputs[0].shape is [3]"}},
		{matrix("1, 1, 8", means), []string{"inputs[0].shape is [1, 1, 8]"}},
		{matrix("", "1"), []string{"inputs[0].shape is []"}},
		{matrix("0, 8", ""), []string{"inputs[0].shape has no rows"}},
		{matrix("6, 8", repeat(6)), []string{"inputs[0].shape [6, 8] has more than 45 elements; send them in several requests"}},
		{inputs(column("free_bikes", "FP64", "1, 2, 3, 4, 5, 6"), column("free_ratio", "FP64", "1, 1, 1, 1, 1, 1")), []string{
			"inputs[0].shape has 6 rows, at most 5 are answered at once",
			"inputs need a tensor for stations_count", "inputs need a tensor for empty_slots", "inputs need a tensor for total_slots",
			"inputs need a tensor for temp_2m", "inputs need a tensor for precipitation", "inputs need a tensor for wind_speed_10m"}},
		{strings.Replace(matrix("1, 8", means), "{", `{"outputs": [{"name": "predict"}, {"name": "score"}, {"name": "predict"}], `, 1),
			[]string{`outputs[1].name "score" is not an output of the model; there are predict and predict_proba`, "outputs[2].name predict is there twice"}},
		{inputs(append([]string{column("climatology", "FP64", "1, 0"), column("x", "FP64", "1, 0")}, classicColumns...)...), []string{`inputs[1].name "x" is not a column`}},
		{inputs(append([]string{column("climatology", "FP64", "1, 0"), column("x", "FP64", "1"), column("y", "FP64", "1")}, classicColumns...)...), []string{"inputs has more than 10 elements"}},
	} {
		w := do(s.Handler(), "POST", inferPath, tt.body)
		wantV2Problem(t, w, 400, tt.errs...)
	}
	if n := len(s.log.logged()); n != 0 {
		t.Errorf("%d refused rows are logged", n)
	}
}

func TestInferNamesAHundredErrors(t *testing.T) {
	t.Parallel()
	s := setup(t)
	bad := strings.TrimSuffix(strings.Repeat("-1,", 150), ",")
	all := []string{}
	for _, name := range []string{"stations_count", "free_bikes", "empty_slots", "total_slots", "free_ratio", "temp_2m", "precipitation", "wind_speed_10m"} {
		all = append(all, column(name, "FP64", bad))
	}
	body := want(t, do(s.Handler(), "POST", inferPath, inputs(all...)), 400)
	errs := body["errors"].([]any)
	if len(errs) != maxErrors+1 || errs[maxErrors].(map[string]any)["detail"] != "and 950 more errors" { // -1 °C is possible
		t.Errorf("%d errors, the last %v", len(errs), errs[len(errs)-1])
	}
}

func TestInferRefusesOtherBodies(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *Config, _ *Deps) { c.MaxBody = 1000 })
	for _, tt := range []struct {
		status  int
		body    string
		headers []string
	}{
		{415, "{}", []string{"Content-Type", "application/octet-stream"}},
		{415, "{}\x00\x01", []string{"Content-Type", "application/octet-stream", binaryHeader, "2"}},
		{415, "{}\x00\x01", []string{"Content-Type", "application/json", binaryHeader, "2"}},
		{415, "{}", []string{"Content-Encoding", "gzip"}},
		{413, strings.Repeat(" ", 1001), nil},
		{400, strings.Repeat("[", 1000), nil},
		{400, `{"inputs": [` + strings.Repeat(`{},`, 300) + `{}]}`, nil},
	} {
		w := do(s.Handler(), "POST", inferPath, tt.body, tt.headers...)
		wantV2Problem(t, w, tt.status)
		if len(tt.headers) > 2 && !strings.Contains(w.Body.String(), "send the elements as JSON") {
			t.Errorf("binary tensors are refused with %s", w.Body)
		}
	}
}

// picky refuses rows with fewer than ten bikes.
var picky = featurestest.New("picky", []string{"free_bikes"}, []string{"bikes"}, func(in, out []float64) error {
	if in[0] < 10 {
		return featurestest.Refuse("picky", "too few bikes")
	}
	out[0] = in[0]
	return nil
})

func TestInferRowsThatHaveNoAnswer(t *testing.T) {
	t.Parallel()
	s := setup(t)
	m := testModel()
	m.Transforms = append(m.Transforms, picky.Pin)
	m.Inputs[1].Weight, m.Inputs[1].Scale = 1e300, 1e-300
	s.models.current = load(t, m, "v1", picky)
	row := func(bikes string) string { return strings.Replace(means, "400", bikes, 1) }
	matrix := func(data ...string) string {
		return inputs(fmt.Sprintf(`{"name": "x", "shape": [%d, 8], "datatype": "FP64", "data": [%s]}`, len(data), strings.Join(data, ",")))
	}
	w := do(s.Handler(), "POST", inferPath, matrix(row("400"), row("9"), row("8")))
	wantV2Problem(t, w, 422, "rows[1].transforms.picky", "rows[2].transforms.picky")
	w = do(s.Handler(), "POST", inferPath, matrix(row("400"), row("401")))
	wantV2Problem(t, w, 400, "rows[1].free_bikes 401 is too far")
}
