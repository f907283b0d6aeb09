package pdk_test

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"livelab/plugins/abi"
	"livelab/plugins/plugintest"
	"livelab/plugins/toolchain"
)

// build builds a folder of testdata and opens the module.
func build(t *testing.T, language toolchain.Language, name string) *plugintest.Module {
	t.Helper()
	toolchain.Need(t, language)
	// The compilers read these, which go test does not see: that a file of them
	// has changed must run the tests again.
	for _, dir := range []string{".", "c"} {
		if _, err := os.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	built, err := toolchain.Build(context.Background(), filepath.Join("testdata", name), filepath.Join(t.TempDir(), "m.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	if built.Output != "" {
		t.Errorf("the compiler has something to say:\n%s", built.Output)
	}
	code, err := os.ReadFile(built.Path)
	if err != nil {
		t.Fatal(err)
	}
	return plugintest.Open(t, code)
}

// TestModules holds the kits that describe a transform by values to the same
// contract.
func TestModules(t *testing.T) {
	t.Parallel()
	for language, folder := range map[toolchain.Language]string{
		toolchain.Go: "faulty", toolchain.Rust: "rust", toolchain.AssemblyScript: "as",
	} {
		t.Run(string(language), func(t *testing.T) {
			t.Parallel()
			m := build(t, language, folder)
			d := m.Description()
			if d.Name != "faulty" || d.Version != "1.2.3-beta.1" || d.Doc != `a "quoted" \ doc with ÆØÅ` || d.Inputs[1].Name != "calendar.hour" {
				t.Errorf("description is %+v", d)
			}
			free, bounded, open := d.Outputs[0], d.Outputs[1], d.Outputs[2]
			if free.Min != nil || free.Max != nil || *bounded.Min != -0.5 || *bounded.Max != 1e21 || open.Min != nil || *open.Max != 1e300 {
				t.Errorf("outputs are %+v", d.Outputs)
			}
			if _, err := m.Apply(3, []float64{1, 0}, []float64{7, 1}); err == nil || err.Error() != "the author's own words: æøå" {
				t.Errorf("the message is %v", err)
			}
			got, err := m.Apply(3, []float64{1, 0}, []float64{7, 6}, []float64{9, 0})
			if err != nil || got[0][0] != 2 || got[2][0] != 18 || got[2][1] != 9 {
				t.Errorf("after a failure: %v, %v", got, err)
			}
			for _, x := range append(got[1], got[0][2], got[2][2]) {
				if !math.IsNaN(x) {
					t.Errorf("what a row leaves alone is not missing: %v", got)
				}
			}
			m.Alloc(8 * abi.MaxColumns * abi.MaxRows)
			if p := m.Call(abi.Alloc, uint64(uint32(math.MaxUint32))); p != 0 {
				t.Errorf("a buffer of -1 bytes is at %d", p)
			}
		})
	}
}

// TestGoModule holds what a module of the Go kit does beyond that and beyond
// what the kit's native tests show.
func TestGoModule(t *testing.T) {
	t.Parallel()
	m := build(t, toolchain.Go, "faulty")
	for way, want := range map[float64]string{
		2: "panic: thrown", 3: "panic: runtime error: slice bounds out of range", 5: "an error without a text",
	} {
		if _, err := m.Apply(3, []float64{1, 0}, []float64{7, way}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("way %v: error is %v, want %q", way, err, want)
		}
	}
	keepsBuffers(t, m)
	if p := m.Call(abi.Alloc, 1<<30); p != 0 {
		t.Errorf("a buffer of 1 GiB is at %d", p)
	}
}

// keepsBuffers has the guest collect garbage and use what was freed while the
// host alone knows some buffers, and then calls it so often that any allocation
// would show.
func keepsBuffers(t *testing.T, m *plugintest.Module) {
	t.Helper()
	var buffers [500]uint32
	for i := range buffers {
		buffers[i] = m.Alloc(24)
	}
	in, out := m.Alloc(16), m.Alloc(24)
	if _, err := m.Apply(3, []float64{1, 4}); err != nil {
		t.Fatal(err)
	}
	for _, b := range buffers {
		m.WriteAll(b, 7, 7, 7)
	}
	if _, err := m.Apply(3, []float64{1, 7}); err != nil {
		t.Error(err)
	}
	before := m.MemorySize()
	for i := range 100_000 {
		x := float64(i)
		got, err := m.ApplyIn(in, out, 3, []float64{x, 0})
		if err != nil || got[0][0] != 2*x || got[0][1] != x {
			t.Fatalf("call %d: %v, %v", i, got, err)
		}
	}
	if after := m.MemorySize(); after != before {
		t.Errorf("calls took %d bytes of memory", after-before)
	}
}

// TestCArithmetic holds the errors that the C kit promises for its functions
// against exact values.
func TestCArithmetic(t *testing.T) {
	t.Parallel()
	m := build(t, toolchain.C, "arithmetic")
	d := m.Description()
	if d.Inputs[1].Name != "other.b" || d.Doc != `a "quoted" \ doc` || *d.Outputs[2].Min != -1 || d.Outputs[2].Max != nil || *d.Outputs[3].Max != 1e300 {
		t.Errorf("description is %+v", d)
	}
	rows := arithmeticRows()
	got, err := m.Apply(len(d.Outputs), rows...)
	if err != nil {
		t.Fatal(err)
	}
	var worst struct{ exp, log, pow float64 }
	for r, row := range rows {
		a, b := row[0], row[1]
		worst.exp = max(worst.exp, unitsOff(got[r][0], exactExp(exact(a))))
		if a > 0 {
			log := exactLog(a)
			worst.log = max(worst.log, unitsOff(got[r][1], log))
			power := new(big.Float).Mul(exact(b), log)
			if size, _ := power.Float64(); math.Abs(size) < 700 {
				relative, _ := new(big.Float).Quo(new(big.Float).Sub(exact(got[r][2]), exactExp(power)), exactExp(power)).Float64()
				worst.pow = max(worst.pow, math.Abs(relative)/(0x1p-52*(2+2*math.Abs(size))))
			}
		}
	}
	t.Logf("worst errors: exp %.3f and log %.3f units in the last place, pow %.3f of its bound", worst.exp, worst.log, worst.pow)
	if worst.exp > 1 || worst.log > 1 || worst.pow > 1 {
		t.Error("an error is larger than the kit promises")
	}
	for r, row := range rows {
		a, b := row[0], row[1]
		for i, want := range []float64{math.Sqrt(a), math.Floor(a), math.Min(a, b), math.Max(a, b), math.Max(-1, math.Min(a, 1))} {
			if x := got[r][3+i]; !same(x, want) {
				t.Errorf("%s of %v, %v is %v, want %v", d.Outputs[3+i].Name, a, b, x, want)
			}
		}
	}
}

// TestCEdges holds what the C kit's functions give for arguments that have no
// ordinary answer, and the rest of what the kit does.
func TestCEdges(t *testing.T) {
	t.Parallel()
	m := build(t, toolchain.C, "arithmetic")
	inf, none := math.Inf(1), math.NaN()
	const outputs = 8
	for _, tt := range []struct{ a, b, exp, log, pow, min, max float64 }{
		{0, 0, 1, -inf, 1, 0, 0},
		{0, 2, 1, -inf, 0, 0, 2},
		{0, -1, 1, -inf, inf, -1, 0},
		{none, 0, none, none, 1, none, none},
		{none, 1, none, none, none, none, none},
		{inf, 1, inf, inf, inf, 1, inf},
		{-inf, 1, 0, none, none, -inf, 1},
		{-745.3, 2, 0, none, none, -745.3, 2},
		{inf, none, inf, inf, none, none, none},
	} {
		got, err := m.Apply(outputs, []float64{tt.a, tt.b})
		if err != nil {
			t.Fatal(err)
		}
		y := got[0]
		for i, want := range map[int]float64{0: tt.exp, 1: tt.log, 2: tt.pow, 5: tt.min, 6: tt.max} {
			if !same(y[i], want) {
				t.Errorf("output %d of %v, %v is %v, want %v", i, tt.a, tt.b, y[i], want)
			}
		}
	}
	if _, err := m.Apply(outputs, []float64{1, 12345}); err == nil || err.Error() != "the author's own words" {
		t.Errorf("the message is %v", err)
	}
	if got, err := m.Apply(outputs, []float64{1, 54321}); err != nil || !math.IsNaN(got[0][0]) {
		t.Errorf("a row that is left alone gives %v, %v", got, err)
	}
	if p := m.Call(abi.Alloc, uint64(uint32(math.MaxInt32))); p == 0 || m.MemorySize() < math.MaxInt32 {
		t.Errorf("a buffer of 2 GiB is at %d of %d", p, m.MemorySize())
	}
	if p := m.Call(abi.Alloc, uint64(uint32(math.MaxInt32))); p != 0 {
		t.Errorf("more memory than there can be is at %d", p)
	}
}

// arithmeticRows are numbers of all sizes for which exp is a normal number.
func arithmeticRows() [][]float64 {
	random := rand.New(rand.NewPCG(1, 2))
	var rows [][]float64
	for _, a := range []float64{0, 1, -1, 0.5, 2, math.E, 709.7, -708, 5e-324, 1e-310, 2.3e-308} {
		for _, b := range []float64{0, 1, -1, 0.5, 3} {
			rows = append(rows, []float64{a, b})
		}
	}
	for range 1000 {
		rows = append(rows,
			[]float64{700 * (2*random.Float64() - 1), 10 * random.NormFloat64()},
			[]float64{random.Float64() + 0.5, 100 * random.NormFloat64()},
			[]float64{math.Ldexp(random.Float64(), -random.IntN(1000)), random.Float64()})
	}
	return rows
}

// same reports whether two values are equal or both missing.
func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
