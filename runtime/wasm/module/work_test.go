package module_test

import (
	"testing"

	"livelab/runtime/wasm/module"
	"livelab/runtime/wasm/wasmtest"
)

// Small files that keep wazero's compiler busy for 5 to 40 seconds, or fill
// memory, must be refused before it sees them.
func TestParseRefusesWhatIsHardToCompile(t *testing.T) {
	t.Parallel()
	set := func(i int) code { return "\x41\x01" + wasmtest.LocalSet(uint32(i)) }
	get := wasmtest.LocalGet(0)
	each := func(n int, f func(i int) code) code {
		out := make([]byte, 0, 8*n)
		for i := range n {
			out = append(out, f(i)...)
		}
		return code(out)
	}
	tests := []struct {
		name   string
		locals int
		code   code
		want   string
	}{
		{"branches out of one block", 1000, "\x02\x40" + each(2000, func(i int) code { return set(i%1000) + get + "\x0d\x00" }) + "\x0b", "function 0 is too hard"},
		{"nested blocks", 1000, repeat("\x02\x40", 1000) + each(1000, func(i int) code { return set(i) + get + wasmtest.BrIf(uint32(i)) }) + repeat("\x0b", 1000), "function 0 is too hard"},
		{"nested else", 500, each(1000, func(i int) code { return get + "\x04\x40" + set(i%500) + "\x05" }) + repeat("\x0b", 1000), "function 0 is too hard"},
		{"values alive over branches", 4000, each(500, func(i int) code { return get + "\x04\x40" + set(0) + "\x0b" }), "function 0 is too hard"},
		{"loops in a row", 1, each(10000, func(int) code { return "\x03\x40" + get + "\x0d\x00\x0b" }), "function 0 is too hard"},
		{"returns", 1, each(10000, func(int) code { return get + "\x04\x40\x0f\x0b" }), "function 0 is too hard"},
		{"loops of many values", 1, repeat(get, 16) + each(10000, func(int) code { return "\x03\x01" + get + "\x0d\x00\x0b" }) + repeat(wasmtest.Drop, 16), "function 0 is too hard"},
		{"tables of labels", 1, each(1000, func(int) code { return "\x02\x40" + get + "\x0e" + vector("\x00", 100) + "\x00\x0b" }), "function 0 is too hard"},
		{"calls through the table", 1, repeat(get+wasmtest.CallIndirect(0, 0), 30000), "function 0 has"},
		{"conversions", 1, get + repeat("\xb7\xaa", 100000) + wasmtest.Drop, "function 0 has"},
		{"a balanced function many times", 1, "", "the module is too hard"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := wasmtest.New()
			b.Table(wasmtest.FuncRef, 1, 1)
			sixteen := types(repeat("\x7f", 16))
			b.Type(none, none)
			b.Type(sixteen, sixteen)
			locals := types(repeat("\x7f", tt.locals))
			if tt.code != "" {
				b.Func(none, none, locals, tt.code)
			} else {
				for range 100 {
					b.Func(none, none, types(repeat("\x7f", 100)), "\x02\x40"+each(1500, func(i int) code { return set(i%100) + get + "\x0d\x00" })+"\x0b")
				}
			}
			refused(t, b.Bytes(), module.DefaultLimits(), tt.want)
		})
	}
}
