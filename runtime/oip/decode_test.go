package oip

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

var limits = Limits{Tensors: 8, Elements: 64}

func decode(t *testing.T, text string) Request {
	t.Helper()
	var r Request
	if errs := Decode([]byte(text), limits, &r); len(errs) > 0 {
		t.Fatalf("%s is refused: %v", text, errs)
	}
	return r
}

// The request that the protocol's description shows, with as many elements as
// its second shape says.
func TestDecodeTheProtocolsExample(t *testing.T) {
	t.Parallel()
	got := decode(t, `{
		"id" : "42",
		"inputs" : [
			{ "name" : "input0", "shape" : [ 2, 2 ], "datatype" : "UINT32", "data" : [ 1, 2, 3, 4 ] },
			{ "name" : "input1", "shape" : [ 3 ], "datatype" : "BOOL", "data" : [ true, false, true ] }
		],
		"outputs" : [ { "name" : "output0" } ]
	}`)
	want := Request{ID: "42", HasID: true, Outputs: []string{"output0"}, Inputs: []Tensor{
		{"input0", Uint32, []int{2, 2}, []float64{1, 2, 3, 4}},
		{"input1", Bool, []int{3}, []float64{1, 0, 1}},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// tensor is a request with one input that has these members.
func tensor(members string) string { return `{"inputs":[{"name":"a",` + members + `}]}` }

func TestDecodeTensors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		members string
		want    Tensor
	}{
		{`"datatype":"FP64","shape":[2,2],"data":[1,2,3,4]`, Tensor{"a", FP64, []int{2, 2}, []float64{1, 2, 3, 4}}},
		{`"datatype":"FP64","shape":[2,2],"data":[[1,2],[3,4]]`, Tensor{"a", FP64, []int{2, 2}, []float64{1, 2, 3, 4}}},
		{`"data":[[1,2],[3,4]],"shape":[2,2],"datatype":"FP64"`, Tensor{"a", FP64, []int{2, 2}, []float64{1, 2, 3, 4}}},
		{`"shape":[2],"data":[0.1,2],"datatype":"FP32"`, Tensor{"a", FP32, []int{2}, []float64{float64(float32(0.1)), 2}}},
		{`"datatype":"FP64","data":[ [ [1], [2] ] ],"shape":[1,2,1]`, Tensor{"a", FP64, []int{1, 2, 1}, []float64{1, 2}}},
		{`"datatype":"FP64","data":[],"shape":[0]`, Tensor{"a", FP64, []int{0}, []float64{}}},
		{`"datatype":"FP64","data":[[],[]],"shape":[2,0]`, Tensor{"a", FP64, []int{2, 0}, []float64{}}},
		{`"datatype":"FP64","data":[7],"shape":[]`, Tensor{"a", FP64, nil, []float64{7}}},
		{`"datatype":"BOOL","shape":[4],"data":[true,false,1,0]`, Tensor{"a", Bool, []int{4}, []float64{1, 0, 1, 0}}},
		{`"datatype":"INT8","shape":[3],"data":[-128,127,-0]`, Tensor{"a", Int8, []int{3}, []float64{-128, 127, 0}}},
		{`"datatype":"UINT8","shape":[2],"data":[2.0,2.5e2]`, Tensor{"a", Uint8, []int{2}, []float64{2, 250}}},
		{`"datatype":"INT64","shape":[1],"data":[9007199254740991]`, Tensor{"a", Int64, []int{1}, []float64{1<<53 - 1}}},
		{`"parameters":{"content_type":"np","x":1},"more":{"a":[]},"datatype":"FP64","shape":[1],"data":[1]`, Tensor{"a", FP64, []int{1}, []float64{1}}},
		{`"parameters":null,"datatype":"FP64","shape":[1],"data":[-1e-300]`, Tensor{"a", FP64, []int{1}, []float64{-1e-300}}},
	} {
		got := decode(t, tensor(tt.members)).Inputs[0]
		if got.Data == nil {
			got.Data = []float64{}
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %+v, want %+v", tt.members, got, tt.want)
		}
		if len(got.Data) > 0 && math.Signbit(got.Data[len(got.Data)-1]) != math.Signbit(tt.want.Data[len(got.Data)-1]) {
			t.Errorf("%s: a zero has a sign", tt.members)
		}
	}
}

func TestDecodeMissing(t *testing.T) {
	t.Parallel()
	for _, datatype := range []string{"FP32", "FP64"} {
		got := decode(t, tensor(`"datatype":"`+datatype+`","shape":[3],"data":[1,null,3]`)).Inputs[0].Data
		if got[0] != 1 || !math.IsNaN(got[1]) || got[2] != 3 {
			t.Errorf("%s: got %v", datatype, got)
		}
	}
}

// Clients that have an object for a request write what is absent as null.
func TestDecodeAbsentMembers(t *testing.T) {
	t.Parallel()
	const inputs = `"inputs":[{"name":"a","datatype":"FP64","shape":[1],"data":[1],"parameters":null}]`
	for _, tt := range []struct {
		text    string
		id      string
		has     bool
		outputs int
	}{
		{`{` + inputs + `}`, "", false, 0},
		{`{"id":null,"parameters":null,"outputs":null,` + inputs + `}`, "", false, 0},
		{`{"id":"","outputs":[],"parameters":{},` + inputs + `}`, "", true, 0},
		{`{"id":"\u00e9\n","parameters":{"binary_data_output":true},"outputs":[{"name":"p","parameters":{"binary_data":true}},{"parameters":null,"name":"q"}],` + inputs + `}`, "é\n", true, 2},
	} {
		got := decode(t, tt.text)
		if got.ID != tt.id || got.HasID != tt.has || len(got.Outputs) != tt.outputs || len(got.Inputs) != 1 {
			t.Errorf("%s: got %+v", tt.text, got)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	const rest = `"datatype":"FP64","shape":[2,2],"data":[1,2,3,4]`
	for _, tt := range []struct {
		text string
		want []string // path and the beginning or a part of the detail, by |
	}{
		{``, []string{"|not valid JSON"}},
		{`[]`, []string{"|must be an object, not an array"}},
		{`{}`, []string{"inputs|is required"}},
		{`{"inputs":[]}`, []string{"inputs|at least one"}},
		{`{"inputs":null}`, []string{"inputs|must be an array, not null"}},
		{`{"inputs":{}}`, []string{"inputs|must be an array, not an object"}},
		{`{"inputs":[1,null]}`, []string{"inputs[0]|must be an object, not a number", "inputs[1]|not null"}},
		{`{"inputs":[{}]}`, []string{"inputs[0].name|is required", "inputs[0].datatype|is required", "inputs[0].shape|is required", "inputs[0].data|is required"}},
		{`{"id":1,"parameters":[],"outputs":{},"inputs":[{"name":1,` + rest + `}]}`,
			[]string{"id|must be a string, not a number", "parameters|must be an object", "outputs|must be an array", "inputs[0].name|must be a string"}},
		{`{"inputs":[{"name":"a",` + rest + `}],"outputs":[{},1,{"name":null},{"name":"x","parameters":1}]}`,
			[]string{"outputs[0].name|is required", "outputs[1]|must be an object", "outputs[2].name|not null", "outputs[3].parameters|must be an object"}},
		{`{"id":"1","id":"2","inputs":[{"name":"a",` + rest + `}]}`, []string{"id|is there twice"}},
		{tensor(`"name":"b",` + rest), []string{"inputs[0].name|is there twice"}},
		{tensor(`"data":[1],` + rest), []string{"inputs[0].data|is there twice", "inputs[0].data|has 1 elements"}},
		{tensor(`"datatype":"FP64","shape":[2,2],"data":[1,2,3]`), []string{"inputs[0].data|has 3 elements, the shape [2, 2] has 4"}},
		{tensor(`"datatype":"FP64","shape":[2,2],"data":[1,2,3,4,5]`), []string{"inputs[0].data|has 5 elements"}},
		// The protocol's own example has a shape of three with one element.
		{tensor(`"datatype":"BOOL","shape":[3],"data":[true]`), []string{"inputs[0].data|has 1 elements, the shape [3] has 3"}},
		{tensor(`"datatype":"FP64","shape":[2,2],"data":[[1,2],[3]]`), []string{"inputs[0].data|has an array of 1 at depth 1, where the shape [2, 2] has 2"}},
		{tensor(`"datatype":"FP64","shape":[2,2],"data":[[1,2]]`), []string{"inputs[0].data|has an array of 1 at depth 0"}},
		{tensor(`"datatype":"FP64","shape":[2,2],"data":[[1,2],3,4]`), []string{"inputs[0].data|has a value at depth 0"}},
		{tensor(`"datatype":"FP64","shape":[2,2],"data":[1,2,[3,4]]`), []string{"inputs[0].data|has an array where"}},
		{tensor(`"datatype":"FP64","shape":[2,2],"data":[[1,[2]],[3,4]]`), []string{"inputs[0].data|has an array where"}},
		{tensor(`"datatype":"FP64","shape":[4],"data":[[1,2,3,4]]`), []string{"inputs[0].data|has an array where"}},
		{tensor(`"datatype":"FP64","shape":[2,2],"data":[[[1,2],[3,4]]]`), []string{"inputs[0].data|has an array where"}},
		{tensor(`"datatype":"FP64","shape":[1],"data":1`), []string{"inputs[0].data|must be an array, not a number"}},
		{tensor(`"datatype":"FP64","shape":[2],"data":["1",true]`), []string{"inputs[0].data[0]|is a string, must be a number or null (FP64)", "inputs[0].data[1]|is true"}},
		{tensor(`"datatype":"FP64","shape":[1],"data":[1e999]`), []string{"inputs[0].data[0]|is +Inf"}},
		{tensor(`"datatype":"FP32","shape":[1],"data":[1e39]`), []string{"inputs[0].data[0]|is 1e+39"}},
		{tensor(`"datatype":"INT8","shape":[2,2],"data":[[-129,128],[1.5,null]]`), []string{
			"inputs[0].data[0]|is -129, must be a whole number from -128 to 127 (INT8)", "inputs[0].data[1]|is 128", "inputs[0].data[2]|is 1.5", "inputs[0].data[3]|is null"}},
		{tensor(`"datatype":"UINT16","shape":[2],"data":[-1,65536]`), []string{"inputs[0].data[0]|is -1", "inputs[0].data[1]|to 65535"}},
		{tensor(`"datatype":"INT64","shape":[2],"data":[9007199254740992,-9007199254740993]`), []string{"inputs[0].data[0]|", "inputs[0].data[1]|from -9007199254740991"}},
		{tensor(`"datatype":"BOOL","shape":[2],"data":[2,"true"]`), []string{"inputs[0].data[0]|is 2, must be true or false", "inputs[0].data[1]|is a string"}},
		{tensor(`"datatype":"FP16","shape":[1],"data":[1]`), []string{"inputs[0].datatype|FP16 has no exact form in JSON"}},
		{tensor(`"datatype":"BYTES","shape":[1],"data":["a"]`), []string{"inputs[0].datatype|BYTES is not a number"}},
		{tensor(`"datatype":"fp64","shape":[1],"data":["a"]`), []string{`inputs[0].datatype|"fp64" is not one of FP64, FP32, INT8`}},
		{tensor(`"datatype":1,"shape":[1],"data":["a"]`), []string{"inputs[0].datatype|must be a string"}},
		{tensor(`"datatype":"FP64","shape":[-1,1.5,"1",1e300],"data":["a"]`), []string{"inputs[0].shape[0]|whole number", "inputs[0].shape[1]|", "inputs[0].shape[2]|not a string", "inputs[0].shape[3]|"}},
		{tensor(`"datatype":"FP64","shape":1,"data":["a"]`), []string{"inputs[0].shape|must be an array of sizes, not a number"}},
		{tensor(`"datatype":"FP64","shape":[5,13],"data":[1]`), []string{"inputs[0].shape|[5, 13] has more than 64 elements"}},
		{tensor(`"datatype":"FP64","shape":[4294967296,4294967296],"data":[]`), []string{"inputs[0].shape|has more than 64"}}, // 2^64
		{tensor(`"datatype":"FP64","shape":[1,1,1,1,1,1,1,1,1],"data":[1]`), []string{"inputs[0].shape|has more than 8 elements"}},
		{tensor(`"datatype":"FP64","shape":[2],"parameters":{"binary_data_size":16}`), []string{"inputs[0].parameters.binary_data_size|is not supported; send the elements as JSON"}},
		{tensor(`"datatype":"FP64","shape":[2],"parameters":{"shared_memory_region":"r"}`), []string{"inputs[0].parameters.shared_memory_region|is not supported"}},
		{tensor(`"datatype":"FP64","shape":[2],"data":[1,NaN]`), []string{"inputs[0].data[1]|NaN and infinities are not JSON"}},
		{tensor(`"data":[1,nul],"datatype":"FP64","shape":[2]`), []string{"inputs[0].data|not valid JSON"}},
		{`{"inputs":[{"name":"a",` + rest + `}]} x`, []string{"|more text after"}},
		{`{"inputs":[` + strings.Repeat(`{},`, 9) + `{}]}`, nil}, // checked below
	} {
		var r Request
		errs := Decode([]byte(tt.text), limits, &r)
		if tt.want == nil {
			if last := errs[len(errs)-1]; last != (Error{"inputs", "has more than 8 elements"}) {
				t.Errorf("%s: ends with %v", tt.text, last)
			}
			continue
		}
		if len(errs) != len(tt.want) {
			t.Errorf("%s: got %q, want %q", tt.text, errs, tt.want)
			continue
		}
		for i, e := range errs {
			if path, detail, _ := strings.Cut(tt.want[i], "|"); e.Path != path || !strings.Contains(e.Detail, detail) {
				t.Errorf("%s: got %q, want %q", tt.text, e, tt.want[i])
			}
		}
	}
}

func TestDecodeNamesAHundred(t *testing.T) {
	t.Parallel()
	var r Request
	text := tensor(`"datatype":"FP64","shape":[200],"data":[` + strings.Repeat(`"",`, 199) + `""]`)
	errs := Decode([]byte(text), Limits{Tensors: 1, Elements: 1000}, &r)
	if len(errs) != maxErrors+1 || errs[maxErrors] != (Error{"", "and 100 more errors"}) {
		t.Errorf("got %d errors, the last %v", len(errs), errs[len(errs)-1])
	}
}

// A request must not see what was in the memory that it reuses.
func TestDecodeReusesMemory(t *testing.T) {
	t.Parallel()
	first := []byte(`{"id":"1","outputs":[{"name":"x"}],"inputs":[{"name":"a","datatype":"FP64","shape":[2,2],"data":[1,2,3,4]},{"name":"b","datatype":"INT8","shape":[1],"data":[1]}]}`)
	second := []byte(tensor(`"datatype":"BOOL","data":[true],"shape":[1]`))
	var r Request
	if errs := Decode(first, limits, &r); errs != nil {
		t.Fatal(errs)
	}
	data := &r.Inputs[0].Data[0]
	if errs := Decode(second, limits, &r); errs != nil {
		t.Fatal(errs)
	}
	want := Request{Outputs: []string{}, Inputs: []Tensor{{"a", Bool, []int{1}, []float64{1}}}}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("got %+v, want %+v", r, want)
	}
	if &r.Inputs[0].Data[0] != data {
		t.Error("it took new memory")
	}
}

func TestDecodeIndex(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                            "false []",
		` {} `:                        "false []",
		`{"ready":true,"name":"x"}`:   "true []",
		`{"ready":null}`:              "false []",
		`{"ready":1}`:                 "false [{ready must be true or false, not a number}]",
		`{"ready":true,"ready":true}`: "true [{ready is there twice}]",
		`[]`:                          "false [{ must be an object, not an array}]",
	} {
		ready, errs := DecodeIndex([]byte(text))
		if got := fmt.Sprint(ready, " ", errs); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestDecodeChoice(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		``:                                " []",
		`{}`:                              " []",
		`{"parameters":null}`:             " []",
		`{"parameters":{"version":"v1"}}`: "v1 []",
		`{"parameters":{"version":null}}`: " []",
		`{"parameters":{"version":1}}`:    " [{parameters.version must be a string, not a number}]",
		`{"parameters":{"unload_dependents":true}}`:            " []",
		`{"parameters":{"config":"{}","file:1/model":"aGk="}}`: ` [{parameters knows version and no "config"} {parameters knows version and no "file:1/model"}]`,
		`{"parameters":[]}`: " [{parameters must be an object, not an array}]",
	} {
		version, errs := DecodeChoice([]byte(text))
		if got := fmt.Sprint(version, " ", errs); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}
