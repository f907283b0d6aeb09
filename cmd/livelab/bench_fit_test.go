package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"livelab/pipeline/train/traintest"
)

// fitRows are the sizes that fits are compared at.
// LIVELAB_BENCH_ROWS=1000000 leaves larger ones out.
var fitRows = []int{100_000, 1_000_000, 10_000_000}

// families are what is fitted: the logistic regression, both classes weighing
// the same, and 150 trees with scikit-learn's default settings.
var families = []struct {
	name  string
	cols  int
	trees int
	rows  func(cols int) *traintest.Rows
}{
	{"logistic", 8, 0, traintest.Straight},
	{"trees", 30, 150, traintest.Curved},
}

// fitted is what a program that fits says of it.
type fitted struct {
	Seconds      float64   // of the fit; ours of trees has the coding in it, scikit-learn's the binning
	PeakMiB      float64   `json:"peak_mib"` // of the process, to the end of the fit
	Coefficients []float64 `json:"coefficients,omitempty"`
	Loss         float64   `json:"loss,omitempty"` // of trees, on the last fifth of the rows
}

// BenchmarkFitBesideScikitLearn fits the same matrix, read from the same file,
// in a process of ours and in one of scikit-learn's. time-ratio and
// memory-ratio are ours to theirs. The budgets are 0.25 of the time for a
// million rows of the logistic regression, coefficients within 1e-6 of the
// optimum, and a log loss of the trees that is as good.
func BenchmarkFitBesideScikitLearn(b *testing.B) {
	const python = "/usr/bin/python3" // Debian's, which has python3-sklearn
	if out, err := exec.Command(python, "-c", "import sklearn").CombinedOutput(); err != nil {
		b.Skipf("%s cannot import sklearn (install python3-sklearn): %s", python, out)
	}
	for _, f := range families {
		var ours, theirs scaling
		for _, rows := range sizesUpTo(b, fitRows) {
			b.Run(fmt.Sprintf("%s/rows=%d,cols=%d", f.name, rows, f.cols), func(b *testing.B) {
				dir := b.TempDir()
				writeRows(b, dir, f.rows(f.cols), rows, f.cols)
				args := []string{f.name, dir, strconv.Itoa(rows), strconv.Itoa(f.cols), strconv.Itoa(f.trees)}
				var us, them fitted
				for range b.N {
					us = us.fastest(runFit(b, fitProgram(args)))
					them = them.fastest(runFit(b, exec.Command(python, append([]string{"-B", "testdata/bench_fit.py"}, args...)...)))
				}
				ours.addSeconds(rows, us.Seconds)
				theirs.addSeconds(rows, them.Seconds)
				reportFit(b, rows, us, them)
			})
		}
		ours.report(b, f.name+"/livelab")
		theirs.report(b, f.name+"/sklearn")
	}
}

// sizesUpTo leaves out the sizes over LIVELAB_BENCH_ROWS.
func sizesUpTo(b *testing.B, sizes []int) []int {
	b.Helper()
	most := os.Getenv("LIVELAB_BENCH_ROWS")
	if most == "" {
		return sizes
	}
	n, err := strconv.Atoi(most)
	if err != nil {
		b.Fatalf("LIVELAB_BENCH_ROWS is %q, must be a number of rows", most)
	}
	var kept []int
	for _, size := range sizes {
		if size <= n {
			kept = append(kept, size)
		}
	}
	return kept
}

func (s *scaling) addSeconds(size int, seconds float64) {
	s.x = append(s.x, math.Log(float64(size)))
	s.y = append(s.y, math.Log(seconds))
}

// fastest keeps the faster of two runs, as other load only ever adds.
func (f fitted) fastest(o fitted) fitted {
	if f.Seconds == 0 || o.Seconds < f.Seconds {
		return o
	}
	return f
}

func reportFit(b *testing.B, rows int, ours, theirs fitted) {
	b.ReportMetric(float64(rows)/ours.Seconds, "rows/s")
	b.ReportMetric(float64(rows)/theirs.Seconds, "sklearn-rows/s")
	b.ReportMetric(ours.Seconds, "s")
	b.ReportMetric(theirs.Seconds, "sklearn-s")
	b.ReportMetric(ours.Seconds/theirs.Seconds, "time-ratio")
	b.ReportMetric(ours.PeakMiB, "peak-MiB")
	b.ReportMetric(theirs.PeakMiB, "sklearn-peak-MiB")
	b.ReportMetric(ours.PeakMiB/theirs.PeakMiB, "memory-ratio")
	b.ReportMetric(0, "ns/op")
	if len(ours.Coefficients) != len(theirs.Coefficients) {
		b.Fatalf("%d coefficients, scikit-learn has %d", len(ours.Coefficients), len(theirs.Coefficients))
	}
	if len(ours.Coefficients) == 0 {
		b.ReportMetric(ours.Loss, "loss")
		b.ReportMetric(theirs.Loss, "sklearn-loss")
		return
	}
	apart := 0.0
	for i, c := range ours.Coefficients {
		apart = max(apart, math.Abs(c-theirs.Coefficients[i]))
	}
	b.ReportMetric(apart, "apart")
	if !(apart <= 1e-6) {
		b.Errorf("coefficients are up to %g apart from the optimum", apart)
	}
}

// fitProgram is a run of this test's binary that fits, see TestFitAsProgram.
func fitProgram(args []string) *exec.Cmd {
	j, _ := json.Marshal(args)
	cmd := exec.Command(os.Args[0], "-test.run=^TestFitAsProgram$")
	cmd.Env = append(os.Environ(), fitVariable+"="+string(j))
	return cmd
}

func runFit(b *testing.B, cmd *exec.Cmd) fitted {
	b.Helper()
	u := measure(b, cmd)
	line, _, _ := bytes.Cut(u.stdout, []byte("\n"))
	var f fitted
	if err := json.Unmarshal(line, &f); err != nil || f.Seconds == 0 {
		b.Fatalf("%v said %q: %v", cmd.Args, u.stdout, err)
	}
	return f
}

// writeRows writes x, float64 row by row, and y, a byte a row.
func writeRows(b *testing.B, dir string, r *traintest.Rows, rows, cols int) {
	b.Helper()
	began := time.Now()
	x, y := createBuffered(b, filepath.Join(dir, "x")), createBuffered(b, filepath.Join(dir, "y"))
	row, encoded := make([]float64, cols), make([]byte, 0, 8*cols)
	for range rows {
		outcome := byte(0)
		if r.Next(row) {
			outcome = 1
		}
		encoded = encoded[:0]
		for _, v := range row {
			encoded = binary.NativeEndian.AppendUint64(encoded, math.Float64bits(v))
		}
		x.Write(encoded) // an error stays until Flush
		y.WriteByte(outcome)
	}
	for _, w := range []*bufio.Writer{x, y} {
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("the matrix of %d rows was written in %s", rows, time.Since(began).Round(time.Millisecond))
}

func createBuffered(b *testing.B, path string) *bufio.Writer {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return bufio.NewWriterSize(f, 1<<20)
}
