package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/detmath"
	"livelab/pipeline/train"
	"livelab/pipeline/train/boost"
)

// fitVariable has a run of this test's binary fit the matrix in a folder, as a
// process of its own: family, folder, rows, columns and trees, as JSON.
const fitVariable = "LIVELAB_BENCH_FIT"

// TestFitAsProgram is that process. Otherwise it has nothing to do.
func TestFitAsProgram(t *testing.T) {
	if os.Getenv(fitVariable) == "" {
		return
	}
	var args []string
	if err := json.Unmarshal([]byte(os.Getenv(fitVariable)), &args); err != nil {
		t.Fatal(err)
	}
	var size [3]int
	for i, arg := range args[2:] {
		var err error
		if size[i], err = strconv.Atoi(arg); err != nil {
			t.Fatal(err)
		}
	}
	m := stored{dir: args[1], rows: size[0], cols: size[1]}
	outcomes, err := os.ReadFile(filepath.Join(m.dir, "y"))
	if err != nil {
		t.Fatal(err)
	}
	y := make([]bool, m.rows)
	for i, v := range outcomes {
		y[i] = v == 1
	}
	var f fitted
	if args[0] == "trees" {
		f = fitTrees(t, m, y, size[2])
	} else {
		f = fitLogistic(t, m, y)
	}
	if err := json.NewEncoder(os.Stdout).Encode(f); err != nil {
		t.Fatal(err)
	}
}

func fitLogistic(t *testing.T, m stored, y []bool) fitted {
	x := make([][]float64, m.cols)
	for j := range x {
		x[j] = make([]float64, m.rows)
	}
	m.each(t, func(i int, row []float64) {
		for j, v := range row {
			x[j][i] = v
		}
	})
	began := time.Now()
	f, err := train.Fit(t.Context(), x, y, train.FitOptions{Balanced: true})
	if err != nil {
		t.Fatal(err)
	}
	return fitted{Seconds: time.Since(began).Seconds(), PeakMiB: ownPeakMiB(t), Coefficients: append(f.Weights, f.Intercept)}
}

// fitTrees reads the rows twice, first a sample for the edges, and never holds
// them as they are. Both are part of the time.
func fitTrees(t *testing.T, m stored, y []bool, trees int) fitted {
	began := time.Now()
	matrix := m.code(t)
	all := make([]int32, m.rows)
	for i := range all {
		all[i] = int32(i)
	}
	training, held := all[:m.rows*4/5], all[m.rows*4/5:]
	f, err := boost.Fit(t.Context(), matrix, y, training, nil, boost.Options{
		Trees: trees, LearningRate: 0.1, Leaves: 31, MinRows: 20, L2: 1e-9,
	})
	if err != nil {
		t.Fatal(err)
	}
	out := fitted{Seconds: time.Since(began).Seconds(), PeakMiB: ownPeakMiB(t)}
	z := make([]float64, len(held))
	f.LogOdds(z, matrix, held)
	for i, r := range held {
		if y[r] {
			z[i] = -z[i]
		}
		out.Loss += detmath.Softplus(z[i]) / float64(len(held))
	}
	return out
}

// stored is a matrix that writeRows wrote.
type stored struct {
	dir        string
	rows, cols int
}

func (m stored) each(t *testing.T, fn func(i int, row []float64)) {
	f, err := os.Open(filepath.Join(m.dir, "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, row, bytes := bufio.NewReaderSize(f, 1<<20), make([]float64, m.cols), make([]byte, 8*m.cols)
	for i := range m.rows {
		if _, err := io.ReadFull(r, bytes); err != nil {
			t.Fatal(err)
		}
		for j := range row {
			row[j] = math.Float64frombits(binary.NativeEndian.Uint64(bytes[8*j:]))
		}
		fn(i, row)
	}
}

// code gives the rows' codes. The edges come from as many rows as
// scikit-learn's do, 200,000.
func (m stored) code(t *testing.T) boost.Matrix {
	sample, every := make([][]float64, m.cols), max(1, m.rows*4/5/200_000)
	m.each(t, func(i int, row []float64) {
		if i < m.rows*4/5 && i%every == 0 {
			for j, v := range row {
				sample[j] = append(sample[j], v)
			}
		}
	})
	coded := boost.Matrix{Codes: make([][]uint8, m.cols), Edges: make([][]float64, m.cols)}
	for j := range sample {
		coded.Edges[j] = boost.NewEdges(sample[j], boost.MostEdges)
		coded.Codes[j] = make([]uint8, m.rows)
		sample[j] = nil
	}
	m.each(t, func(i int, row []float64) {
		for j, v := range row {
			coded.Codes[j][i] = boost.Code(coded.Edges[j], v)
		}
	})
	return coded
}

// ownPeakMiB is the most memory that this process has held, see proc(5).
func ownPeakMiB(t *testing.T) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatalf("this system does not tell how much memory a process held: %v", err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib float64
	if _, err := fmt.Sscanf(rest, "%f kB", &kib); err != nil {
		t.Fatalf("no VmHWM in the status of the process: %v", err)
	}
	return kib / 1024
}
