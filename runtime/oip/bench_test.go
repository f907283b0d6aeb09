package oip

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

const (
	benchRows    = 4096
	benchColumns = 8
)

// bodies are requests of benchRows × benchColumns values with eight digits
// behind the point, in the three ways that clients send them.
func bodies() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	var rows [benchRows][benchColumns]string
	for i := range rows {
		for j := range rows[i] {
			rows[i][j] = strconv.FormatFloat(r.Float64()*1000, 'f', 8, 64)
		}
	}
	var flat, nested []string
	columns := make([][]string, benchColumns)
	for _, row := range rows {
		flat = append(flat, row[:]...)
		nested = append(nested, "["+strings.Join(row[:], ",")+"]")
		for j, v := range row {
			columns[j] = append(columns[j], v)
		}
	}
	matrix := func(data []string) []byte {
		return fmt.Appendf(nil, `{"id":"1","inputs":[{"name":"x","datatype":"FP64","shape":[%d,%d],"data":[%s]}]}`, benchRows, benchColumns, strings.Join(data, ","))
	}
	var tensors []string
	for j, c := range columns {
		tensors = append(tensors, fmt.Sprintf(`{"name":"c%d","datatype":"FP64","shape":[%d],"data":[%s]}`, j, benchRows, strings.Join(c, ",")))
	}
	return map[string][]byte{
		"flat": matrix(flat), "nested": matrix(nested),
		"columns": []byte(`{"id":"1","inputs":[` + strings.Join(tensors, ",") + `]}`),
	}
}

// standard is what a handler has that decodes with encoding/json.
type standard struct {
	ID     string `json:"id"`
	Inputs []struct {
		Name     string          `json:"name"`
		Datatype string          `json:"datatype"`
		Shape    []int           `json:"shape"`
		Data     json.RawMessage `json:"data"`
	} `json:"inputs"`
}

func decodeStandard(text []byte, nested bool) (n int, err error) {
	var r standard
	if err := json.Unmarshal(text, &r); err != nil {
		return 0, err
	}
	for _, in := range r.Inputs {
		if nested {
			var data [][]float64
			err = json.Unmarshal(in.Data, &data)
			n += len(data) * benchColumns
		} else {
			var data []float64
			err = json.Unmarshal(in.Data, &data)
			n += len(data)
		}
		if err != nil {
			return 0, err
		}
	}
	return n, nil
}

func BenchmarkDecode4096x8(b *testing.B) {
	for _, form := range []string{"flat", "nested", "columns"} {
		text := bodies()[form]
		b.Run(form+"/oip", func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var r Request
			for b.Loop() {
				if errs := Decode(text, Limits{Tensors: 64, Elements: benchRows * 64}, &r); errs != nil {
					b.Fatal(errs)
				}
			}
		})
		b.Run(form+"/encoding-json", func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := decodeStandard(text, form == "nested"); err != nil || n != benchRows*benchColumns {
					b.Fatal(n, err)
				}
			}
		})
	}
}

func BenchmarkEncode4096(b *testing.B) {
	r := Response{ModelName: "m", ModelVersion: "v", ID: "1", Outputs: []Output{
		{Name: "predict", Ints: make([]int64, benchRows)}, {Name: "predict_proba", Floats: make([]float64, benchRows)},
	}}
	for i := range benchRows {
		r.Outputs[1].Floats[i] = rand.Float64()
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = r.Append(buf[:0])
	}
	b.SetBytes(int64(len(buf)))
}
