package wasm

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"livelab/runtime/wasm/wasmtest"
)

func TestMain(m *testing.M) {
	CompileIfChild()
	os.Exit(m.Run())
}

func newHost(t testing.TB, change func(*Config)) *Host {
	t.Helper()
	cfg := Config{CacheFolder: t.TempDir(), Columns: func(string) bool { return true }}
	if change != nil {
		change(&cfg)
	}
	h, err := New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func admit(t testing.TB, h *Host, code []byte) *Transform {
	t.Helper()
	tr, err := h.Admit(context.Background(), code, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestAdmit(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	tr := admit(t, h, wasmtest.Transform{}.Bytes())
	if s := tr.Spec(); s.Name != "sample" || s.Outputs[0] != "ratio" || len(s.Golden) != 64 {
		t.Errorf("spec is %+v", s)
	}
	out := []float64{0}
	if err := tr.ApplyRow([]float64{1, 3}, out); err != nil || out[0] != 0.25 {
		t.Errorf("got %v, %v, want 0.25", out, err)
	}
	in := columns(2, 20_000)
	for i := range in[0] {
		in[0][i], in[1][i] = float64(i), 1
	}
	res := columns(1, 20_000)
	if err := tr.Apply(in, res); err != nil {
		t.Fatal(err)
	}
	for i, v := range res[0] {
		if v != float64(i)/float64(i+1) {
			t.Fatalf("row %d is %v", i, v)
		}
	}
}

var goPlugin = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "livelab-plugin-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string]string{"go.mod": "module example.com/sum\n\ngo 1.26\n", "main.go": pluginSource} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command("go", "build", "-buildmode=c-shared", "-o", "plugin.wasm", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOWORK=off", "GOFLAGS=")
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, said)
	}
	return os.ReadFile(filepath.Join(dir, "plugin.wasm"))
})

const pluginSource = `package main

import "unsafe"

func main() {}

var description = []byte(` + "`" + `{"name":"sum","version":"1.0.0","inputs":[{"name":"a"},{"name":"b"}],"outputs":[{"name":"sum"}]}` + "`" + `)

//go:wasmexport ll_describe_v1
func describe() int64 {
	return int64(uintptr(unsafe.Pointer(&description[0])))<<32 | int64(len(description))
}

var kept [][]uint64

//go:wasmexport ll_alloc_v1
func alloc(bytes int32) int32 {
	b := make([]uint64, (bytes+7)/8)
	kept = append(kept, b)
	return int32(uintptr(unsafe.Pointer(&b[0])))
}

//go:wasmexport ll_transform_v1
func transform(in, out, rows int32) int32 {
	src := unsafe.Slice((*float64)(unsafe.Pointer(uintptr(in))), 2*rows)
	dst := unsafe.Slice((*float64)(unsafe.Pointer(uintptr(out))), rows)
	for i := range dst {
		if src[i] == -77 {
			panic("minus seventy-seven")
		}
		dst[i] = src[i] + src[int(rows)+i]
	}
	return 0
}
`

func TestGoPlugin(t *testing.T) {
	t.Parallel()
	code, err := goPlugin()
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, nil)
	tr := admit(t, h, code)
	in := columns(2, 5000)
	in[0][4321] = -77
	out := columns(1, 5000)
	if err := tr.Apply(in, out); err != nil {
		t.Fatal(err)
	}
	for i, v := range out[0] {
		if math.IsNaN(v) != (i == 4321) {
			t.Fatalf("row %d is %v", i, v)
		}
	}
	if s := tr.Stats(); s.Failed[Trapped] != 1 || s.Rows != 5000 {
		t.Errorf("stats are %+v", s)
	}
}
