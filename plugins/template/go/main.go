// Command template_name is a transform for LiveLab: build it with
// `livelab plugin build .`.
package main

import (
	"math"

	"livelab/plugins/pdk"
)

var transform = pdk.Transform{
	Name:    "template_name",
	Version: "0.1.0",
	Doc:     "how full the stations are, and how far from half full",
	Inputs:  []string{"free_bikes", "empty_slots"},
	Outputs: []pdk.Output{
		{Name: "share", Doc: "free bikes of all places", Min: 0, Max: 1},
		{Name: "imbalance", Doc: "0 where half of the places are taken, 1 where all or none are", Min: 0, Max: 1},
	},
	Row: row,
}

// row computes the outputs of one row. An input that is missing, which is NaN,
// or below zero leaves the outputs missing, and so do no places at all.
func row(in, out []float64) error {
	free, empty := in[0], in[1]
	if !(free >= 0 && empty >= 0) {
		return nil
	}
	share := free / (free + empty)
	out[0] = share
	out[1] = math.Abs(float64(2*share) - 1)
	return nil
}

func init() { pdk.Register(transform) }

func main() {}
