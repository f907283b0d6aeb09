package wasm

import (
	"encoding/binary"
	"math"

	"livelab/plugins/abi"
)

// canonicalNaN is the only one that goes in or comes out.
const canonicalNaN = 0x7FF8000000000000

var missing = math.Float64frombits(canonicalNaN)

// unwritten is a column of missing values as it lies in memory: what a buffer
// of outputs holds before a call.
var unwritten = func() (p [8 * abi.MaxRows]byte) {
	for i := 0; i < len(p); i += 8 {
		put(p[i:], missing)
	}
	return p
}()

func put(p []byte, v float64) {
	bits := math.Float64bits(v)
	if v != v {
		bits = canonicalNaN
	}
	binary.LittleEndian.PutUint64(p, bits)
}

func get(p []byte) float64 {
	v := math.Float64frombits(binary.LittleEndian.Uint64(p))
	if v != v {
		return missing
	}
	return v
}

// putColumn goes four values at a time: in a plain loop, checks of bounds cost
// half as much again as the values.
func putColumn(to []byte, from []float64) {
	for len(from) >= 4 && len(to) >= 32 {
		put(to[0:8], from[0])
		put(to[8:16], from[1])
		put(to[16:24], from[2])
		put(to[24:32], from[3])
		to, from = to[32:], from[4:]
	}
	for i, v := range from {
		put(to[8*i:8*i+8], v)
	}
}

// getColumn reads a column and reports whether each of its values is missing
// or from least to most.
func getColumn(to []float64, from []byte, least, most float64) bool {
	fits := true
	for i := range to {
		v := math.Float64frombits(binary.LittleEndian.Uint64(from[8*i : 8*i+8]))
		if !(v >= least && v <= most) {
			if v == v {
				fits = false
			} else {
				v = missing
			}
		}
		to[i] = v
	}
	return fits
}

// blank has a buffer of outputs hold missing values.
func blank(p []byte) {
	for len(p) > 0 {
		p = p[copy(p, unwritten[:]):]
	}
}
