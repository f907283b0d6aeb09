package main

import (
	"math"
	"testing"

	"livelab/plugins/pdk"
)

func TestRow(t *testing.T) {
	none := math.NaN()
	for name, tt := range map[string]struct{ in, want []float64 }{
		"half full":       {[]float64{10, 10}, []float64{0.5, 0}},
		"full":            {[]float64{20, 0}, []float64{1, 1}},
		"empty":           {[]float64{0, 20}, []float64{0, 1}},
		"no places":       {[]float64{0, 0}, []float64{none, none}},
		"below zero":      {[]float64{-1, 20}, []float64{none, none}},
		"unknown bikes":   {[]float64{none, 20}, []float64{none, none}},
		"unknown returns": {[]float64{20, none}, []float64{none, none}},
	} {
		got, err := transform.Try(tt.in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i, want := range tt.want {
			if x := got[0][i]; x != want && !(pdk.Missing(x) && pdk.Missing(want)) {
				t.Errorf("%s: %s is %v, want %v", name, transform.Outputs[i].Name, x, want)
			}
		}
	}
}
