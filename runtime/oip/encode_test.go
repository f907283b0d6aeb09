package oip

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	r := Response{
		ModelName: "m", ModelVersion: "v\"1\"", ID: "é\n",
		Parameters: []Parameter{{"threshold", 0.25}, {"rows", 2}, {"imputed", "a,b"}, {"ok", true}},
		Outputs: []Output{
			{Name: "predict", Ints: []int64{1, 0, math.MinInt64}},
			{Name: "predict_proba", Floats: []float64{1e-300, 0.1, math.NaN(), math.Inf(1), 1e21}},
			{Name: "none", Ints: []int64{}},
			{Name: "nothing"},
		},
	}
	const want = `{"model_name":"m","model_version":"v\"1\"","id":"é\n","parameters":{"threshold":0.25,"rows":2,"imputed":"a,b","ok":true},` +
		`"outputs":[{"name":"predict","shape":[3],"datatype":"INT64","data":[1,0,-9223372036854775808]},` +
		`{"name":"predict_proba","shape":[5],"datatype":"FP64","data":[1e-300,0.1,null,null,1e+21]},` +
		`{"name":"none","shape":[0],"datatype":"INT64","data":[]},{"name":"nothing","shape":[0],"datatype":"FP64","data":[]}]}`
	got := r.Append([]byte("x"))
	if string(got) != "x"+want {
		t.Errorf("got  %s\nwant x%s", got, want)
	}
	if !json.Valid(got[1:]) {
		t.Error("it is not JSON")
	}
	empty := (&Response{}).Append(nil)
	if string(empty) != `{"model_name":"","model_version":"","id":"","parameters":{},"outputs":[]}` {
		t.Errorf("nothing is %s", empty)
	}
}

// What one side writes, the other reads to the bit.
func TestAppendReadsBack(t *testing.T) {
	t.Parallel()
	floats := []float64{0, 1, 0.1, 1.0 / 3, math.SmallestNonzeroFloat64, math.MaxFloat64, 123456789.123}
	text := (&Response{Outputs: []Output{{Name: "a", Floats: floats}}}).Append(nil)
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	got := decode(t, `{"inputs":`+string(answer["outputs"])+`}`)
	if !reflect.DeepEqual(got.Inputs[0].Data, floats) {
		t.Errorf("got %v, want %v", got.Inputs[0].Data, floats)
	}
}

func TestAppendRefusesOtherParameters(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a list was written as a parameter")
		}
	}()
	(&Response{Parameters: []Parameter{{"list", []string{}}}}).Append(nil)
}
