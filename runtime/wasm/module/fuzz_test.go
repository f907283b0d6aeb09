package module_test

import (
	"runtime"
	"testing"

	"livelab/runtime/wasm/module"
	"livelab/runtime/wasm/wasmtest"
)

// What Parse accepts, the engine must accept too, or a file could pass as one
// thing and run as another. Parse must never need more memory than a small
// multiple of the file and of what the limits allow once.
func FuzzParse(f *testing.F) {
	for seed := range uint64(20) {
		file, _ := wasmtest.Random(seed)
		f.Add(file)
	}
	f.Add(function(i32, i32, i64, wasmtest.LocalGet(0)))
	f.Add(raw(oneType, oneFunc, section(9, "\x01\x07\x70\x02\xd2\x00\x0b\xd0\x70\x0b"), oneBody))
	l := module.DefaultLimits()
	f.Fuzz(func(t *testing.T, file []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m, err := module.Parse(file, l)
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > uint64(64*len(file)+4<<20) {
			t.Fatalf("%d bytes were allocated for a file of %d", used, len(file))
		}
		if err != nil {
			return
		}
		for i := range m.Funcs {
			readAll(t, m, i)
		}
		if err := engine(plain(m)); err != nil {
			t.Fatalf("accepted, but the engine says: %v", err)
		}
	})
}
