package server

import (
	"encoding/json"
	"math"
	"testing"
)

// FuzzInfer has any body at all answered without a mistake of the server's, in
// JSON, and with one probability for each row.
func FuzzInfer(f *testing.F) {
	for _, seed := range []string{
		inputs(classicColumns...),
		inputs(`{"name": "x", "shape": [2, 8], "datatype": "FP64", "data": [[` + means + `], [` + another + `]]}`),
		inputs(`{"data": [` + means + `, null], "name": "x", "shape": [9], "datatype": "FP32"}`),
		`{"id": "1", "outputs": [{"name": "predict"}], "inputs": []}`,
		inputs(`{"name": "x", "shape": [0, 8], "datatype": "BOOL", "data": [[], []]}`),
		inputs(`{"name": "free_bikes", "shape": [3], "datatype": "INT64", "data": [1e3, 1.5, -1]}`),
	} {
		f.Add([]byte(seed))
	}
	s := setup(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		w := do(s.Handler(), "POST", inferPath, string(body))
		if !json.Valid(w.Body.Bytes()) || w.Code != 200 && w.Code != 400 {
			t.Fatalf("%q: %d %s", body, w.Code, w.Body)
		}
		if w.Code != 200 {
			return
		}
		var a inferred
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		for _, o := range a.Outputs {
			if len(o.Shape) != 1 || o.Shape[0] != len(o.Data) || len(o.Data) == 0 {
				t.Fatalf("%q: %s", body, w.Body)
			}
			for _, v := range o.Data {
				if !(v >= 0 && v <= 1) || o.Name == outputClass && v != math.Trunc(v) {
					t.Fatalf("%q: %s", body, w.Body)
				}
			}
		}
	})
}
