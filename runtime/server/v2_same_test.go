package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestBothProtocolsJudgeARowAlike sends one row by /predict and by /v2. What a
// column may hold is read by two decoders, which must not drift apart.
func TestBothProtocolsJudgeARowAlike(t *testing.T) {
	t.Parallel()
	h := setup(t).Handler()
	columns := testSchema(t).columns
	answered, refused := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		var fields, tensors []string
		for _, column := range columns {
			var number string
			switch kind := rapid.IntRange(0, 39).Draw(t, "kind of "+column); kind {
			case 0:
				continue // missing
			case 1, 2:
				number = rapid.SampledFrom([]string{"-0", "-1", "1.0000000000000002", "1e9", "1e999", "-1e999", "5e-324", "1E2"}).Draw(t, column)
			case 3:
				number = fmt.Sprint(rapid.Float64().Draw(t, column))
			default:
				number = fmt.Sprint(rapid.Float64Range(0, 1).Draw(t, column))
			}
			fields = append(fields, fmt.Sprintf("%q:%s", column, number))
			tensors = append(tensors, fmt.Sprintf(`{"name":%q,"shape":[1],"datatype":"FP64","data":[%s]}`, column, number))
		}
		classic := do(h, "POST", "/predict", `{"features":{`+strings.Join(fields, ",")+`}}`, "Content-Type", "application/json")
		open := do(h, "POST", "/v2/models/network-shortage/infer", `{"inputs":[`+strings.Join(tensors, ",")+`]}`, "Content-Type", "application/json")
		if len(tensors) > 0 && classic.Code != open.Code {
			t.Fatalf("%v: /predict answers %d, %s; /v2 %d, %s", fields, classic.Code, classic.Body, open.Code, open.Body)
		}
		if classic.Code != http.StatusOK {
			refused++
			return
		}
		answered++
		var c struct {
			Y     int
			Proba float64
		}
		var o struct {
			Outputs []struct {
				Name string
				Data []float64
			}
		}
		if err := json.Unmarshal(classic.Body.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(open.Body.Bytes(), &o); err != nil {
			t.Fatal(err)
		}
		want := map[string][]float64{"predict": {float64(c.Y)}, "predict_proba": {c.Proba}}
		if len(o.Outputs) != len(want) {
			t.Fatalf("outputs %s", open.Body)
		}
		for _, out := range o.Outputs {
			if !slices.Equal(out.Data, want[out.Name]) {
				t.Fatalf("%v: %s is %v by /v2, %v by /predict", fields, out.Name, out.Data, want[out.Name])
			}
		}
	})
	if answered == 0 || refused == 0 {
		t.Errorf("%d rows were answered and %d refused: that compares too little", answered, refused)
	}
}
