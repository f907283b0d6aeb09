package wasm

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"

	"livelab/pipeline/features"
	"livelab/plugins/abi"
)

// goldenRows is how many rows a transform's answers are pinned by.
const goldenRows = 256

// goldenColumns are the golden rows. They hang on the number of inputs alone,
// and are made from integers by steps that are exact, so that they are the
// same on every machine and whatever becomes of the catalogue.
func goldenColumns(inputs int) [][]float64 {
	columns := make([][]float64, inputs)
	for c := range columns {
		columns[c] = make([]float64, goldenRows)
		for r := range columns[c] {
			columns[c][r] = goldenValue(splitmix(uint64(c)<<32|uint64(r)), r)
		}
	}
	return columns
}

// goldenValue turns random bits into a value of one of the sizes that columns
// have. Every sixteenth row is of one kind in all columns.
func goldenValue(bits uint64, row int) float64 {
	kind := bits >> 60
	if row%16 == 0 {
		kind = uint64(row/16) % 16
	}
	fraction := float64(bits&(1<<20-1)) / (1 << 20)
	switch kind {
	case 0:
		return missing
	case 1:
		return math.Copysign(0, fraction-0.5) // which a module may tell apart
	case 2:
		return 1
	case 3, 4:
		return fraction - 0.5
	case 5, 6:
		return float64(bits % 100)
	case 7:
		return float64(bits%20_000) - 10_000
	case 8, 9:
		return float64(1_500_000_000 + bits%400_000_000) // seconds, 2017 to 2030
	}
	return fraction
}

// Rows of the probe that are zero in all columns, by their numbers.
const (
	zeroRow         = goldenRows + 3
	negativeZeroRow = goldenRows + 4
)

// probeColumns are the golden rows, then rows within what each column can
// truly have: its bounds, what lies between, and each column missing for once.
func probeColumns(d abi.Description) [][]float64 {
	columns := goldenColumns(len(d.Inputs))
	negative := math.Copysign(0, -1)
	for c, in := range d.Inputs {
		low, high := features.Bounds(in.Name)
		if math.IsInf(low, 0) || math.IsInf(high, 0) {
			low, high = -1e6, 1e6
		}
		columns[c] = append(columns[c], low, high, missing, 0, negative)
		for r := range 64 {
			bits := splitmix(uint64(c)<<32 | uint64(goldenRows+r))
			v := low + float64((high-low)*(float64(bits&(1<<20-1))/(1<<20)))
			switch {
			case r == c:
				v = missing
			case bits>>58 == 0:
				v = low
			case bits>>58 == 1:
				v = high
			}
			columns[c] = append(columns[c], v)
		}
	}
	return columns
}

// hash answers: for each row whether it failed, then its outputs, bit by bit.
func (a answers) hash(rows int) string {
	h := sha256.New()
	var word [8]byte
	for r := range rows {
		failed := byte(0)
		if a.bad[r] != 0 {
			failed = 1
		}
		h.Write([]byte{failed})
		for _, column := range a.out {
			binary.LittleEndian.PutUint64(word[:], math.Float64bits(column[r]))
			h.Write(word[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
