package hostile

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"livelab/runtime/wasm"
	"livelab/runtime/wasm/meter"
	"livelab/runtime/wasm/module"
	. "livelab/runtime/wasm/wasmtest"
)

// victim has most of what a module can have.
func victim() []byte {
	return Transform{
		Message: "a row that cannot be", First: func(b *Builder) {
			wasi("random_get", "fd_write")(b)
			b.Table(FuncRef, 2, 2)
			f := b.Func(F64, F64, F64, LocalGet(0)+F64Sqrt)
			b.Elem(I32Const(0), f, f)
		},
		Row:  on(I32Const(1)+Return) + In(0) + I32Const(1) + CallIndirect(2, 0) + Drop,
		Last: func(b *Builder) { b.Custom("producers", "a test") },
	}.Bytes()
}

// TestTruncated holds that a file which is cut off is refused wherever that is.
func TestTruncated(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	code := victim()
	if r := h.Check(context.Background(), code); !r.Accepted {
		t.Fatalf("the whole of it is refused: %v", r.Err())
	}
	const parts = 64
	for i := range parts {
		r := h.Check(context.Background(), code[:i*len(code)/parts])
		var refusal *wasm.Refusal
		if err := r.Err(); !errors.As(err, &refusal) {
			t.Errorf("%d of %d bytes: %v", i*len(code)/parts, len(code), err)
		}
	}
}

// TestFlippedBits holds that a file with a bit that is wrong is refused, or is
// another module that is as pure as any.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	code := victim()
	rng := rand.New(rand.NewPCG(1, 2))
	h := newHost(t, nil)
	accepted, refused, parsed := 0, map[wasm.Step]int{}, 0
	for range 4000 {
		flipped := append([]byte(nil), code...)
		for range 1 + rng.IntN(3) {
			bit := rng.IntN(8 * len(code))
			flipped[bit/8] ^= 1 << (bit % 8)
		}
		m, err := module.Parse(flipped, module.DefaultLimits())
		if err != nil {
			continue
		}
		if _, err := meter.Rewrite(m, meter.Options{}); err != nil {
			continue
		}
		if parsed++; parsed > 150 { // a process each
			continue
		}
		r := h.Check(context.Background(), flipped)
		var refusal *wasm.Refusal
		switch err := r.Err(); {
		case r.Accepted:
			accepted++
		case errors.As(err, &refusal):
			refused[refusal.Step]++
		default:
			t.Errorf("the host could not tell: %v", err)
		}
	}
	t.Logf("%d of 4000 are well formed; of 150 of those, %d are admitted, refused %v", parsed, accepted, refused)
	if parsed < 150 {
		t.Errorf("%d are well formed only", parsed)
	}
}
