package module_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"livelab/runtime/wasm/module"
)

// fast does the least that a plugin in Go does; rich pulls in what a generous
// author uses.
const (
	fast = `package main

import "unsafe"

var columns []float64

//go:wasmexport ll_alloc_v1
func alloc(n int32) int32 {
	columns = make([]float64, n/8+1)
	return int32(uintptr(unsafe.Pointer(&columns[0])))
}

func main() {}
`
	rich = `package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
)

//go:wasmexport ll_transform_v1
func transform(in, out, rows int32) int32 {
	var v map[string]any
	err := json.Unmarshal([]byte(strings.ToUpper("{}")), &v)
	fmt.Println(err, v, time.Now(), big.NewInt(3), regexp.MustCompile("a+"))
	return 0
}

func main() {}
`
)

// build compiles a plugin with the go command that runs the test.
func build(tb testing.TB, source string) []byte {
	tb.Helper()
	dir := tb.TempDir()
	for name, text := range map[string]string{"main.go": source, "go.mod": "module transform\n\ngo 1.24\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", "plugin.wasm", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build a plugin: %v\n%s", err, out)
	}
	file, err := os.ReadFile(filepath.Join(dir, "plugin.wasm"))
	if err != nil {
		tb.Fatal(err)
	}
	return file
}

func TestParseAcceptsGo(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{"fast": fast, "rich": rich} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := mustParse(t, build(t, source))
			l := module.DefaultLimits()
			work, hardest, largest := 0, 0, 0
			for i, f := range m.Funcs {
				work, hardest, largest = work+f.Work, max(hardest, f.Work), max(largest, f.Size)
				readAll(t, m, i)
			}
			t.Logf("%d bytes, %d functions, work %d, of one function %d, size of one %d bytes", len(m.Code), len(m.Funcs), work, hardest, largest)
			if work > l.Work/2 || hardest > l.FunctionWork/2 || largest > l.BodySize/2 || len(m.Funcs) > l.Functions/2 {
				t.Error("a plugin in Go is within a factor of two of the limits: raise them")
			}
		})
	}
}

// readAll checks that the reader sees the body of a function as Parse did.
func readAll(t *testing.T, m *module.Module, i int) {
	f := m.Funcs[i]
	r := module.NewReader(m.Code, f.Instrs, f.Offset+f.Size)
	last := module.OpNop
	for at := f.Instrs; at < f.Offset+f.Size; {
		in, err := r.Next()
		if err != nil || in.Offset != at {
			t.Fatalf("function %d at byte %d: %v", i, at, err)
		}
		last, at = in.Op, in.End
	}
	if last != module.OpEnd {
		t.Errorf("function %d ends with %s", i, last)
	}
}

// A real module with bytes changed must be refused or hold what Parse tells of
// it. Compiling each would take minutes: FuzzParse does so with small ones.
func TestParseOfChangedGo(t *testing.T) {
	t.Parallel()
	original := build(t, fast)
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 60 {
		file := slices.Clone(original)
		for range 1 + random.IntN(3) {
			file[random.IntN(len(file))] = byte(random.Uint32())
		}
		if random.IntN(4) == 0 {
			file = file[:random.IntN(len(file))]
		}
		m, err := module.Parse(file, module.DefaultLimits())
		if err != nil {
			continue
		}
		accepted++
		for i := range m.Funcs {
			readAll(t, m, i)
		}
	}
	if accepted == 0 || accepted == 60 {
		t.Errorf("%d of 60 changed files are accepted", accepted)
	}
}

func BenchmarkParse(b *testing.B) {
	file := build(b, fast)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := module.Parse(file, module.DefaultLimits()); err != nil {
			b.Fatal(err)
		}
	}
}
