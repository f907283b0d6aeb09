// Command faulty is a transform that goes wrong in the ways that a test asks
// for.
package main

import (
	"errors"
	"math"
	"runtime"

	"livelab/plugins/pdk"
)

func init() {
	pdk.Register(pdk.Transform{
		Name:    "faulty",
		Version: "1.2.3-beta.1",
		Doc:     `a "quoted" \ doc with ÆØÅ`,
		Inputs:  []string{"free_bikes", "calendar.hour"},
		Outputs: []pdk.Output{
			{Name: "twice", Doc: "the first input, doubled"},
			{Name: "bounded", Min: -0.5, Max: 1e21},
			{Name: "open", Min: math.Inf(-1), Max: 1e300},
		},
		Row: row,
	})
}

// row fails as the second input says.
func row(in, out []float64) error {
	switch in[1] {
	case 1:
		return errors.New("the author's own words: æøå")
	case 2:
		panic("thrown")
	case 3:
		out = out[:int(in[0])]
	case 4:
		fillFreed()
	case 7:
		return checkFilled()
	case 5:
		return errors.New("")
	case 6:
		return nil
	}
	out[0] = 2 * in[0]
	out[1] = in[0]
	return nil
}

var filled [20_000][]float64

// fillFreed collects garbage and writes to what was freed.
func fillFreed() {
	runtime.GC()
	for i := range filled {
		filled[i] = []float64{-1, -1, -1, -1}
	}
}

// checkFilled says whether somebody else holds what was taken to be free.
func checkFilled() error {
	for _, f := range filled {
		if f[0] != -1 || f[1] != -1 || f[2] != -1 {
			return errors.New("a buffer of the host was given away")
		}
	}
	return nil
}

func main() {}
