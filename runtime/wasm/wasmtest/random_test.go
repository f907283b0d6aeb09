package wasmtest_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/tetratelabs/wazero"

	. "livelab/runtime/wasm/wasmtest"
)

// Random modules are valid for another validator, and a seed always gives the
// same one.
func TestRandomIsValid(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { _ = r.Close(ctx) })
	for seed := range uint64(500) {
		code, funcs := Random(seed)
		if again, _ := Random(seed); !bytes.Equal(code, again) {
			t.Fatalf("seed %d gives two modules", seed)
		}
		m, err := r.CompileModule(ctx, code)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got := len(m.ExportedFunctions()); got != len(funcs) {
			t.Fatalf("seed %d exports %d functions, want %d", seed, got, len(funcs))
		}
		_ = m.Close(ctx)
	}
}
