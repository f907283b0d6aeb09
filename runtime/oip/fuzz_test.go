package oip

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
)

// FuzzDecode holds every request that is accepted to what the standard library
// reads in it, and every text that is said to be no JSON to json.Valid.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		tensor(`"datatype":"FP64","shape":[2,2],"data":[[1,null],[3e2,-0.5]]`),
		tensor(`"data":[1,2,3,4],"shape":[2,2],"datatype":"FP32"`),
		tensor(`"datatype":"BOOL","shape":[2,1],"data":[[true],[0]]`),
		tensor(`"datatype":"INT8","shape":[3],"data":[-128,1.0,1e1],"parameters":{"a":1}`),
		tensor(`"datatype":"UINT64","shape":[1,1,2],"data":[[[9007199254740991,0]]]`),
		`{"id":"\u00e9","outputs":[{"name":"p"}],"inputs":[{"data":[[1],[2]],"name":"a","shape":[2,1],"datatype":"INT64"},{"name":"b","shape":[0],"datatype":"FP64","data":[]}]}`,
		`{"id":null,"outputs":null,"parameters":null,"inputs":[]}`,
		tensor(`"datatype":"FP64","shape":[2],"data":[1,NaN]`),
		tensor(`"datatype":"FP64","shape":[1e3],"data":[[[[[]]]]]`),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var r Request
		errs := Decode(text, Limits{Tensors: 100, Elements: 10_000}, &r)
		valid := json.Valid(text)
		for _, e := range errs {
			if strings.Contains(e.Detail, "is not valid JSON") && !strings.Contains(e.Detail, "deep") && !strings.Contains(e.Detail, "not UTF-8") && valid {
				t.Fatalf("%q is JSON, but: %v", text, e)
			}
		}
		if len(errs) > 0 {
			return
		}
		if !valid {
			t.Fatalf("%q is no JSON, and was read as %+v", text, r)
		}
		checkRequest(t, text, &r)
	})
}

func checkRequest(t *testing.T, text []byte, r *Request) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var want map[string]any
	if err := d.Decode(&want); err != nil {
		t.Fatal(err)
	}
	if id, ok := want["id"].(string); ok != r.HasID || id != r.ID {
		t.Fatalf("%q: the ID is %q (%v), want %v", text, r.ID, r.HasID, want["id"])
	}
	outputs, _ := want["outputs"].([]any)
	if len(outputs) != len(r.Outputs) {
		t.Fatalf("%q: outputs are %q", text, r.Outputs)
	}
	for i, o := range outputs {
		if last := lastName(t, o); last != r.Outputs[i] {
			t.Fatalf("%q: output %d is %q, want %q", text, i, r.Outputs[i], last)
		}
	}
	inputs := want["inputs"].([]any)
	if len(inputs) != len(r.Inputs) {
		t.Fatalf("%q: %d inputs, want %d", text, len(r.Inputs), len(inputs))
	}
	for i, in := range inputs {
		checkTensor(t, text, in.(map[string]any), &r.Inputs[i])
	}
}

func lastName(t *testing.T, output any) string {
	name, ok := output.(map[string]any)["name"].(string)
	if !ok {
		t.Fatalf("an output without a name was read: %v", output)
	}
	return name
}

func checkTensor(t *testing.T, text []byte, want map[string]any, got *Tensor) {
	if want["name"] != got.Name || want["datatype"] != string(got.Datatype) {
		t.Fatalf("%q: tensor %q of %s, want %v of %v", text, got.Name, got.Datatype, want["name"], want["datatype"])
	}
	elements := 1.0
	for i, size := range want["shape"].([]any) {
		v, _ := size.(json.Number).Float64()
		if float64(got.Shape[i]) != v {
			t.Fatalf("%q: the shape is %v", text, got.Shape)
		}
		elements *= v
	}
	flat := flatten(nil, want["data"])
	if len(flat) != len(got.Data) || float64(len(flat)) != elements {
		t.Fatalf("%q: %d elements, want %d of shape %v", text, len(got.Data), len(flat), got.Shape)
	}
	for i, v := range flat {
		held, ok := held(got.Datatype, v)
		if !ok || held != got.Data[i] && !(math.IsNaN(held) && math.IsNaN(got.Data[i])) {
			t.Fatalf("%q: element %d of %v is %v", text, i, v, got.Data[i])
		}
	}
}

func flatten(to []any, v any) []any {
	list, ok := v.([]any)
	if !ok {
		return append(to, v)
	}
	for _, e := range list {
		to = flatten(to, e)
	}
	return to
}

// held is a value as its datatype has it, by another way than the decoder's.
func held(d Datatype, v any) (float64, bool) {
	switch v := v.(type) {
	case nil:
		return math.NaN(), d == FP32 || d == FP64
	case bool:
		if v {
			return 1, d == Bool
		}
		return 0, d == Bool
	case json.Number:
		switch bits := map[Datatype]int{FP64: 64, FP32: 32}[d]; bits {
		case 64:
			f, err := v.Float64()
			return f, err == nil
		case 32:
			f, err := v.Float64()
			return float64(float32(f)), err == nil && math.Abs(f) < 3.4028236e38
		}
		f, err := v.Float64()
		if err != nil {
			return 0, false
		}
		whole := strconv.FormatFloat(f, 'f', -1, 64)
		if d == Bool {
			return f, whole == "0" || whole == "-0" || whole == "1"
		}
		if bits, unsigned := map[Datatype]int{Uint8: 8, Uint16: 16, Uint32: 32, Uint64: 64}[d]; unsigned {
			u, err := strconv.ParseUint(strings.TrimPrefix(whole, "-0"), 10, bits)
			return float64(u), err == nil || whole == "-0"
		}
		i, err := strconv.ParseInt(whole, 10, map[Datatype]int{Int8: 8, Int16: 16, Int32: 32, Int64: 64}[d])
		return float64(i), err == nil
	}
	return 0, false
}
