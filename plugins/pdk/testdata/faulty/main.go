// Command faulty is a transform that goes wrong in the ways that a test asks
// for.
package main

import (
	"errors"
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
		},
		Row: row,
	})
}

// row fails as the second input says.
func row(in, out []float64) error {
	switch in[1] {
	case 1:
		return errors.New("the author's own words")
	case 2:
		panic("thrown")
	case 3:
		out = out[:int(in[0])]
	case 4:
		runtime.GC()
	case 5:
		return errors.New("")
	case 6:
		return nil
	}
	out[0] = 2 * in[0]
	out[1] = in[0]
	return nil
}

func main() {}
