package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// v2Tensor is a tensor of the Open Inference Protocol, in metadata, requests
// and answers.
type v2Tensor struct {
	Name     string    `json:"name"`
	Datatype string    `json:"datatype"`
	Shape    []int     `json:"shape"`
	Data     []float64 `json:"data,omitempty"`
}

type v2Metadata struct {
	Name            string
	Versions        []string
	Inputs, Outputs []v2Tensor
	Properties      map[string]string
}

// v2Client knows the protocol, and of the server its address alone.
type v2Client struct {
	p      *process
	random *rand.Rand
}

// ask sends a request that is to succeed, and reads its answer.
func (c v2Client) ask(t *testing.T, method, path string, body, into any) {
	t.Helper()
	text := ""
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		text = string(b)
	}
	a := c.p.do(t, method, path, text)
	a.want(t, http.StatusOK)
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, a.body)
	}
}

// ready finds what is in service: names with versions.
func (c v2Client) ready(t *testing.T) (list []struct{ Name, Version, State string }) {
	t.Helper()
	c.ask(t, http.MethodPost, "/v2/repository/index", map[string]bool{"ready": true}, &list)
	return list
}

// rows makes tensors for a model's inputs from its metadata, with values that
// the metadata allow.
func (c v2Client) rows(t *testing.T, m v2Metadata, n int) (tensors []v2Tensor) {
	t.Helper()
	for _, in := range m.Inputs {
		if in.Datatype != "FP64" || len(in.Shape) != 1 || in.Shape[0] != -1 {
			t.Fatalf("the input %+v is not a column", in)
		}
		least, greatest := 0.0, 1.0
		if p := m.Properties["input."+in.Name+".min"]; p != "" {
			least, _ = strconv.ParseFloat(p, 64)
			greatest, _ = strconv.ParseFloat(m.Properties["input."+in.Name+".max"], 64)
		}
		in.Shape, in.Data = []int{n}, make([]float64, n)
		for i := range in.Data {
			in.Data[i] = least + c.random.Float64()*(math.Min(greatest, 2000)-least)
		}
		tensors = append(tensors, in)
	}
	return tensors
}

// infer asks a model about rows, and gives the outputs by name.
func (c v2Client) infer(t *testing.T, path string, inputs []v2Tensor) (version string, outputs map[string]v2Tensor) {
	t.Helper()
	var a struct {
		ID      string
		Version string `json:"model_version"`
		Outputs []v2Tensor
	}
	id := strconv.Itoa(c.random.Int())
	c.ask(t, http.MethodPost, path+"/infer", map[string]any{"id": id, "inputs": inputs}, &a)
	if a.ID != id {
		t.Errorf("the ID %s came back as %s", id, a.ID)
	}
	outputs = make(map[string]v2Tensor)
	for _, o := range a.Outputs {
		outputs[o.Name] = o
	}
	return a.Version, outputs
}

// classic asks the classic surface about the same rows.
func (c v2Client) classic(t *testing.T, inputs []v2Tensor) (probabilities, classes []float64) {
	t.Helper()
	instances := make([]map[string]float64, len(inputs[0].Data))
	for i := range instances {
		instances[i] = make(map[string]float64)
		for _, in := range inputs {
			instances[i][in.Name] = in.Data[i]
		}
	}
	var a struct{ Predictions []struct{ Proba, Y float64 } }
	c.ask(t, http.MethodPost, "/predict", map[string]any{"instances": instances}, &a)
	for _, p := range a.Predictions {
		probabilities, classes = append(probabilities, p.Proba), append(classes, p.Y)
	}
	return probabilities, classes
}

// TestGenericClient trains on simulated data, serves, and infers by a client
// that learns all from the server's own metadata: of the champion and of a
// version that it has put beside it.
func TestGenericClient(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.must(t, "dataset", "--source", "sim", "--days", "60", "--out", "frozen")
	s.must(t, "train", "--dataset", "frozen")
	s.must(t, "publish", "--force")
	var beside struct{ Version string }
	if err := json.Unmarshal([]byte(s.must(t, "train", "--dataset", "frozen", "--horizon", "30m", "--json")), &beside); err != nil {
		t.Fatal(err)
	}
	p := s.start(t, "serve")
	c := v2Client{p, rand.New(rand.NewPCG(1, 2))}
	eventually(t, "the server to be ready", func() bool { return p.get(t, "/v2/health/ready").status == 200 })

	list := c.ready(t)
	if len(list) != 1 || list[0].State != "READY" {
		t.Fatalf("in service is %v", list)
	}
	path := "/v2/models/" + list[0].Name
	const n = 200
	var m v2Metadata
	c.ask(t, http.MethodGet, path, nil, &m)
	inputs := c.rows(t, m, n)
	version, outputs := c.infer(t, path, inputs)
	probabilities, classes := c.classic(t, inputs)
	if got := outputs["predict_proba"].Data; version != list[0].Version || fmt.Sprint(got) != fmt.Sprint(probabilities) {
		t.Errorf("version %s says %v, /predict %v", version, got, probabilities)
	}
	if got := outputs["predict"].Data; fmt.Sprint(got) != fmt.Sprint(classes) {
		t.Errorf("version %s says %v, /predict %v", version, got, classes)
	}
	if all := fmt.Sprint(classes); !strings.Contains(all, "0") || !strings.Contains(all, "1") {
		t.Errorf("all rows are alike: %s", all)
	}

	matrix := v2Tensor{Name: "rows", Datatype: "FP64", Shape: []int{n, len(inputs)}}
	for i := range n {
		for _, in := range inputs {
			matrix.Data = append(matrix.Data, in.Data[i])
		}
	}
	if _, again := c.infer(t, path, []v2Tensor{matrix}); fmt.Sprint(again) != fmt.Sprint(outputs) {
		t.Errorf("as a matrix the answer is %v, by columns %v", again, outputs)
	}

	c.load(t, list[0].Name, beside.Version)
	other, otherwise := c.infer(t, path+"/versions/"+beside.Version, inputs)
	if other != beside.Version || fmt.Sprint(otherwise["predict_proba"].Data) == fmt.Sprint(probabilities) {
		t.Errorf("version %s beside it says %v", other, otherwise)
	}
	if again, _ := c.infer(t, path, inputs); again != version {
		t.Errorf("the champion is %s, was %s", again, version)
	}
	p.stop(t)
}

// load puts a version in service beside what is there.
func (c v2Client) load(t *testing.T, model, version string) {
	t.Helper()
	before := len(c.ready(t))
	var entry struct{ State string }
	c.ask(t, http.MethodPost, "/v2/repository/models/"+model+"/load", map[string]any{"parameters": map[string]string{"version": version}}, &entry)
	if list := c.ready(t); entry.State != "READY" || len(list) != before+1 {
		t.Errorf("after loading %s (%s), in service is %v", version, entry.State, list)
	}
}
