package matrix

import (
	"archive/zip"
	"encoding/binary"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/train"
)

// layout is of two stations at 200 times, of which each fifth row is
// unlabelled; some values are missing.
func layout(t *testing.T) *train.Layout {
	t.Helper()
	var f features.Frame
	columns := make([][]float64, 2)
	for i := range 200 {
		for s := range 2 {
			row := 2*i + s
			f.At = append(f.At, time.Unix(1_700_000_000+int64(i)*1200, 0))
			f.Entity = append(f.Entity, int32(s))
			f.ShortNow = append(f.ShortNow, features.NotShort+features.Label(row%7/4))
			label := features.NotShort + features.Label(row%3/2)
			if row%5 == 4 {
				label = features.Unlabelled
			}
			f.Short = append(f.Short, label)
			bikes := float64(row % 11)
			if row%13 == 0 {
				bikes = math.NaN()
			}
			columns[0], columns[1] = append(columns[0], bikes), append(columns[1], 0.5+float64(row))
		}
	}
	frame := features.NewFrame(features.StationShortage(0), f.At, f.Short, f.ShortNow, []string{"free_bikes", "temp_2m"}, columns)
	frame.Entity = f.Entity
	rows := train.Whole{Frame: frame, Stations: []string{"Å", "quay"}, BlockRows: 30}
	l, err := train.Lay(t.Context(), rows, train.Config{Inputs: []string{"free_bikes", "temp_2m"}})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var plain = &model.Model{Intercept: -1, Inputs: []model.Input{
	{Name: "free_bikes", Mean: 5, Scale: 3, Weight: -1}, {Name: "temp_2m", Mean: 200, Scale: 100, Weight: 0.5},
}}

func TestNPZ(t *testing.T) {
	t.Parallel()
	l := layout(t)
	path := filepath.Join(t.TempDir(), "rows.npz")
	if err := Write(t.Context(), path, l, plain); err != nil {
		t.Fatal(err)
	}
	x, inputs := floats(t, path, "x", 2*320), text(t, path, "inputs")
	if inputs != "free_bikestemp_2m" || text(t, path, "stations") != "Åquay" {
		t.Errorf("inputs %q, stations %q", inputs, text(t, path, "stations"))
	}
	// Row 5 of those that are labelled is the frame's row 6.
	if x[2*5] != 6 || x[2*5+1] != 6.5 || !math.IsNaN(x[0]) {
		t.Errorf("x begins with %v", x[:12])
	}
	if p, want := floats(t, path, "probability", 320)[5], plain.Probability([]float64{6, 6.5}); p != want {
		t.Errorf("the probability is %v, want %v", p, want)
	}
	parts := raw(t, path, "part")
	if got := strings.Count(string(parts), "\x01"); got < 170 || got > 192 || parts[len(parts)-1] != 3 {
		t.Errorf("%d rows are for training, the last is in part %d", got, parts[len(parts)-1])
	}
	if err := Write(t.Context(), path, l, nil); err == nil {
		t.Error("a file that is there was written over")
	}
}

// raw is the data of an array.
func raw(t *testing.T, path, name string) []byte {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open(name + ".npy")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	length := 10 + int(binary.LittleEndian.Uint16(b[8:]))
	if string(b[:8]) != "\x93NUMPY\x01\x00" || length%64 != 0 || b[length-1] != '\n' {
		t.Fatalf("%s begins with %q", name, b[:length])
	}
	return b[length:]
}

func floats(t *testing.T, path, name string, n int) []float64 {
	t.Helper()
	b := raw(t, path, name)
	if len(b) != 8*n {
		t.Fatalf("%s has %d bytes, want %d values", name, len(b), n)
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return values
}

func text(t *testing.T, path, name string) string {
	t.Helper()
	b := raw(t, path, name)
	var s strings.Builder
	for ; len(b) >= 4; b = b[4:] {
		if r := binary.LittleEndian.Uint32(b); r != 0 {
			s.WriteRune(rune(r))
		}
	}
	return s.String()
}

// TestNumPyReadsIt has NumPy itself read the file.
func TestNumPyReadsIt(t *testing.T) {
	t.Parallel()
	const python = "/usr/bin/python3" // Debian's, which has the package
	if out, err := exec.Command(python, "-c", "import numpy").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("install python3-numpy: %s", out)
		}
		t.Skipf("%s has no NumPy (install python3-numpy): %s", python, out)
	}
	path := filepath.Join(t.TempDir(), "rows.npz")
	if err := Write(t.Context(), path, layout(t), plain); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "-c", `
import numpy, sys
d = numpy.load(sys.argv[1])
print(d["x"].shape, d["x"][5].tolist(), d["at"][0], d["inputs"].tolist(), d["stations"].tolist(),
      d["label"].sum(), d["short_now"].sum(), d["entity"][:3].tolist(), len(d["probability"]), numpy.isnan(d["climatology"]).all())
`, path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const want = "(320, 2) [6.0, 6.5] 1700000000 ['free_bikes', 'temp_2m'] ['Å', 'quay'] 107 137 [0, 1, 0] 320 True\n"
	if string(out) != want {
		t.Errorf("NumPy reads\n%swant\n%s", out, want)
	}
}

func TestParquet(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "rows.parquet")
	l := layout(t)
	if err := Write(t.Context(), path, l, plain); err != nil {
		t.Fatal(err)
	}
	type row struct {
		At          int64    `parquet:"at"`
		Entity      string   `parquet:"entity"`
		Label       bool     `parquet:"label"`
		ShortNow    bool     `parquet:"short_now"`
		Part        string   `parquet:"part"`
		FreeBikes   *float64 `parquet:"free_bikes,optional"`
		Temp        *float64 `parquet:"temp_2m,optional"`
		Probability float64  `parquet:"probability"`
	}
	rows, err := parquet.ReadFile[row](path)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 320 || rows[0].FreeBikes != nil || rows[0].Entity != "Å" || rows[319].Part != "test" || rows[0].Part != "train" {
		t.Fatalf("%d rows, the first is %+v", len(rows), rows[0])
	}
	r := rows[5]
	if *r.FreeBikes != 6 || *r.Temp != 6.5 || r.At != l.At[5] || r.Label != l.Short[5] || r.ShortNow != l.ShortNow[5] || r.Probability != plain.Probability([]float64{6, 6.5}) {
		t.Errorf("row 5 is %+v", r)
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := layout(t)
	if err := Write(t.Context(), filepath.Join(dir, "rows.csv"), l, nil); err == nil || !strings.Contains(err.Error(), "neither") {
		t.Errorf("a CSV file: %v", err)
	}
	l.Inputs = []string{"free_bikes", "nothing"}
	if err := Write(t.Context(), filepath.Join(dir, "rows.npz"), l, nil); err == nil || !strings.Contains(err.Error(), `no column "nothing"`) {
		t.Errorf("an input that is not there: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("half a file is left: %v, %v", left, err)
	}
}
