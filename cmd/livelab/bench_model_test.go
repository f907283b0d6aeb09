package main

import (
	"archive/zip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"livelab/pipeline/metrics"
)

// BenchmarkStationModel trains station-shortage on the recorded autumn and
// compares it with scikit-learn's HistGradientBoostingClassifier on exactly the
// same rows and inputs; see testdata/compare_hgb.py. Intervals are those of
// 95 % over resampled days, differences are paired.
func BenchmarkStationModel(b *testing.B) {
	const python = "/usr/bin/python3" // Debian's, which has the packages
	if out, err := exec.Command(python, "-c", "import numpy, sklearn").CombinedOutput(); err != nil {
		b.Skipf("%s lacks a package (install python3-sklearn): %s", python, out)
	}
	file, binary, dir := oslo(b), buildBinary(b), b.TempDir()
	stations := filepath.Join(filepath.Dir(file), "stations_oslo.csv")
	matrix := filepath.Join(dir, "rows.npz")
	measure(b, livelab(binary, dir, nil, "import", file))
	measure(b, livelab(binary, dir, nil, "import", stations))
	measure(b, livelab(binary, dir, nil, "dataset", "--out", "frozen"))
	var train usage
	for range b.N {
		train.add(measure(b, livelab(binary, dir, nil, "train", "--task", "station-shortage", "--dataset", "frozen", "--json")))
	}
	measure(b, livelab(binary, dir, nil, "matrix", "--task", "station-shortage", "--dataset", "frozen", "--version", "latest", "--out", matrix))
	theirs := measure(b, exec.Command(python, "-B", "testdata/compare_hgb.py", matrix))
	var trained struct {
		Metrics struct{ Threshold float64 }
	}
	decode(b, train.stdout, &trained)
	var rivals struct {
		Names      []string
		Thresholds []float64
		Seconds    map[string]float64
	}
	decode(b, theirs.stdout, &rivals)
	c := comparison{sample: testSample(b, matrix)}
	c.add("livelab", c.sample.Model, trained.Metrics.Threshold)
	forecasts := readFloats(b, matrix+".forecasts")
	for i, name := range rivals.Names {
		n := c.sample.Len()
		c.add(name, forecasts[i*n:(i+1)*n], rivals.Thresholds[i])
	}
	// Printed, since the log of a benchmark is cut off after ten lines.
	fmt.Printf("on %d rows; scikit-learn says %s\n%s", c.sample.Len(), theirs.stdout, c.table())
	b.ReportMetric(train.seconds/float64(b.N), "livelab-s")
	b.ReportMetric(train.mib, "livelab-MiB")
	b.ReportMetric(rivals.Seconds["hgb"], "hgb-s")
	b.ReportMetric(theirs.mib, "hgb-MiB")
	b.ReportMetric(c.prAUC[0]-c.prAUC[1], "PR-AUC-ahead")
	b.ReportMetric(c.brier[1]-c.brier[0], "Brier-ahead")
	b.ReportMetric(0, "ns/op")
	for _, rival := range []int{1, 2} { // its two fits
		if c.prAUC[0] < c.prAUC[rival] || c.brier[0] > c.brier[rival] {
			b.Errorf("PR-AUC %.4f and Brier %.4f, those of %s are %.4f and %.4f: ours must be as good",
				c.prAUC[0], c.brier[0], rivals.Names[rival-1], c.prAUC[rival], c.brier[rival])
		}
	}
}

func decode(b *testing.B, text []byte, into any) {
	b.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		b.Fatalf("%v\n%s", err, text)
	}
}

// comparison is of forecasters on the same rows, ours first.
type comparison struct {
	sample       metrics.Sample
	lines        string
	prAUC, brier []float64

	all, onset      *metrics.Resampler
	ours, oursOnset metrics.Resampled
	onsetRows       []int
	onsetOutcome    []bool
}

func (c *comparison) add(name string, p []float64, threshold float64) {
	first := c.all == nil
	if first {
		c.start()
	}
	onset := make([]float64, len(c.onsetRows))
	for i, row := range c.onsetRows {
		onset[i] = p[row]
	}
	s, o := metrics.Evaluate(p, c.sample.Outcome, threshold), metrics.Evaluate(onset, c.onsetOutcome, threshold)
	r, ro := c.all.Scores(p, c.sample.Outcome, threshold), c.onset.Scores(onset, c.onsetOutcome, threshold)
	if first {
		c.ours, c.oursOnset = r, ro
	}
	c.prAUC, c.brier = append(c.prAUC, float64(s.PRAUC)), append(c.brier, float64(s.Brier))
	i, io, over, overOnset := r.Intervals(), ro.Intervals(), c.ours.Over(r), c.oursOnset.Over(ro)
	c.lines += fmt.Sprintf("| %s | %s | %s | %s | %s |\n", name, span95(s.F1, i.F1), span95(s.PRAUC, i.PRAUC), span95(s.Brier, i.Brier), span95(o.PRAUC, io.PRAUC))
	if !first {
		c.lines += fmt.Sprintf("| ours less that | %.4f to %.4f | %.4f to %.4f | %.5f to %.5f | %.4f to %.4f |\n",
			over.F1.Low, over.F1.High, over.PRAUC.Low, over.PRAUC.High, over.Brier.Low, over.Brier.High, overOnset.PRAUC.Low, overOnset.PRAUC.High)
	}
}

func (c *comparison) start() {
	c.all = metrics.NewResampler(c.sample.At, metrics.DefaultResamples, metrics.DefaultSeed)
	var at []int64
	for i, now := range c.sample.ShortNow {
		if !now {
			c.onsetRows = append(c.onsetRows, i)
			c.onsetOutcome = append(c.onsetOutcome, c.sample.Outcome[i])
			at = append(at, c.sample.At[i])
		}
	}
	c.onset = metrics.NewResampler(at, metrics.DefaultResamples, metrics.DefaultSeed)
}

func (c *comparison) table() string {
	return "| | F1 | PR-AUC | Brier | onset PR-AUC |\n| --- | --- | --- | --- | --- |\n" + c.lines
}

func span95(s metrics.Score, i metrics.Interval) string {
	return fmt.Sprintf("%.4f (%.4f to %.4f)", s, i.Low, i.High)
}

// testSample reads the test rows of a matrix with a model's probabilities.
func testSample(b *testing.B, path string) metrics.Sample {
	b.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		b.Fatal(err)
	}
	defer z.Close()
	array := func(name string) []byte {
		f, err := z.Open(name + ".npy")
		if err != nil {
			b.Fatal(err)
		}
		all, err := io.ReadAll(f)
		if err != nil {
			b.Fatal(err)
		}
		return all[10+int(binary.LittleEndian.Uint16(all[8:])):]
	}
	part, label, now, at, p := array("part"), array("label"), array("short_now"), array("at"), array("probability")
	var s metrics.Sample
	for i, in := range part {
		if in != 3 {
			continue
		}
		s.At = append(s.At, int64(binary.LittleEndian.Uint64(at[8*i:])))
		s.Outcome, s.ShortNow = append(s.Outcome, label[i] == 1), append(s.ShortNow, now[i] == 1)
		s.Model = append(s.Model, math.Float64frombits(binary.LittleEndian.Uint64(p[8*i:])))
	}
	return s
}

func readFloats(b *testing.B, path string) []float64 {
	b.Helper()
	bytes, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	values := make([]float64, len(bytes)/8)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(bytes[8*i:]))
	}
	return values
}
