package module_test

import (
	"math"
	"testing"

	"livelab/runtime/wasm/module"
)

func TestNumbersComeBack(t *testing.T) {
	t.Parallel()
	for _, v := range []int64{0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, -8193, math.MaxInt32, math.MinInt32,
		math.MaxUint32, math.MaxInt64, math.MinInt64} {
		b := module.AppendS64(nil, v)
		if got, n := module.S64(b); got != v || n != len(b) {
			t.Errorf("S64 of %d: %d in %d of %d bytes", v, got, n, len(b))
		}
		if got, n := module.S32(b); v == int64(int32(v)) && (int64(got) != v || n != len(b)) {
			t.Errorf("S32 of %d: %d in %d of %d bytes", v, got, n, len(b))
		}
		if got, n := module.S33(b); v >= -1<<32 && v < 1<<32 && (got != v || n != len(b)) {
			t.Errorf("S33 of %d: %d in %d of %d bytes", v, got, n, len(b))
		}
		u := module.AppendU32(nil, uint32(v))
		if got, n := module.U32(append(u, 0xff)); got != uint32(v) || n != len(u) {
			t.Errorf("U32 of %d: %d in %d of %d bytes", uint32(v), got, n, len(u))
		}
	}
}

func TestNumbersThatAreNone(t *testing.T) {
	t.Parallel()
	u32 := func(b []byte) int { _, n := module.U32(b); return n }
	s32 := func(b []byte) int { _, n := module.S32(b); return n }
	s33 := func(b []byte) int { _, n := module.S33(b); return n }
	s64 := func(b []byte) int { _, n := module.S64(b); return n }
	tests := []struct {
		name  string
		read  func([]byte) int
		bytes string
		want  int
	}{
		{"nothing", u32, "", 0},
		{"ends early", u32, "\x80", 0},
		{"padded", u32, "\x80\x80\x80\x80\x00", 5},
		{"too long", u32, "\x80\x80\x80\x80\x80\x00", -1},
		{"too large", u32, "\xff\xff\xff\xff\x1f", -1},
		{"largest", u32, "\xff\xff\xff\xff\x0f", 5},
		{"s32 nothing", s32, "", 0},
		{"s32 ends early", s32, "\xff\xff", 0},
		{"s32 padded", s32, "\xff\xff\xff\xff\x7f", 5},
		{"s32 too long", s32, "\x80\x80\x80\x80\x80\x00", -1},
		{"s32 too large", s32, "\x80\x80\x80\x80\x08", -1},
		{"s32 too small", s32, "\xff\xff\xff\xff\x77", -1},
		{"s33 largest", s33, "\xff\xff\xff\xff\x0f", 5},
		{"s33 too large", s33, "\xff\xff\xff\xff\x1f", -1},
		{"s64 padded", s64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 10},
		{"s64 smallest", s64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 10},
		{"s64 too large", s64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", -1},
		{"s64 too long", s64, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", -1},
	}
	for _, tt := range tests {
		if got := tt.read([]byte(tt.bytes)); got != tt.want {
			t.Errorf("%s: %d bytes, want %d", tt.name, got, tt.want)
		}
	}
}
