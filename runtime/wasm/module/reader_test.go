package module_test

import (
	"errors"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"livelab/runtime/wasm/module"
)

func TestReaderReadsImmediates(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, bytes string
		want        module.Instr
	}{
		{"nothing", "\x01", module.Instr{Op: module.OpNop}},
		{"empty block", "\x02\x40", module.Instr{Op: module.OpBlock, Value: module.BlockEmpty}},
		{"block of a value", "\x03\x7c", module.Instr{Op: module.OpLoop, Value: int64(module.F64) - 0x80}},
		{"block of a type", "\x04\x80\x01", module.Instr{Op: module.OpIf, Value: 128}},
		{"index", "\x10\x85\x80\x00", module.Instr{Op: module.OpCall, X: 5}},
		{"indices", "\x11\x02\x03", module.Instr{Op: module.OpCallIndirect, X: 2, Y: 3}},
		{"load", "\x29\x03\x80\x08", module.Instr{Op: 0x29, Align: 3, MemOffset: 1024}},
		{"i32", "\x41\x7f", module.Instr{Op: module.OpI32Const, Value: -1}},
		{"i64", "\x42\x80\x7f", module.Instr{Op: module.OpI64Const, Value: -128}},
		{"f32", "\x43\x00\x00\x80\xbf", module.Instr{Op: module.OpF32Const, Value: 0xbf800000}},
		{"f64", "\x44\x00\x00\x00\x00\x00\x00\xf0\x3f", module.Instr{Op: module.OpF64Const, Value: 0x3ff0000000000000}},
		{"type", "\xd0\x6f", module.Instr{Op: module.OpRefNull, Type: module.ExternRef}},
		{"types", "\x1c\x01\x7b", module.Instr{Op: module.OpSelectTyped, Type: module.V128}},
		{"data", "\xfc\x08\x04\x00", module.Instr{Op: module.OpMemoryInit, X: 4}},
		{"two memories", "\xfc\x0a\x00\x00", module.Instr{Op: module.OpMemoryCopy}},
		{"lane", "\xfd\x15\x0f", module.Instr{Op: 0xfd15, Lane: 15}},
		{"load of a lane", "\xfd\x55\x01\x09\x07", module.Instr{Op: 0xfd55, Align: 1, MemOffset: 9, Lane: 7}},
		{"behind a prefix", "\xfd\xff\x01", module.Instr{Op: 0xfdff}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := []byte("--" + tt.bytes + "\x0b")
			r := module.NewReader(file, 2, len(file))
			got, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Offset, tt.want.End = 2, 2+len(tt.bytes)
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(module.Instr{}, "Targets")); diff != "" {
				t.Error(diff)
			}
			if end, err := r.Next(); err != nil || end.Op != module.OpEnd {
				t.Errorf("then %v, %v", end.Op, err)
			}
			if _, err := r.Next(); err != io.EOF {
				t.Errorf("at the end: %v", err)
			}
			if len(tt.bytes) > 1 {
				_, err := module.NewReader(file, 2, len(file)-2).Next()
				if reason := new(module.Error); !errors.As(err, &reason) {
					t.Errorf("cut off: %v", err)
				}
			}
		})
	}
}

func TestReaderReadsTargets(t *testing.T) {
	t.Parallel()
	r := module.NewReader([]byte("\x0e\x02\x05\x86\x00\x07\x0b"), 0, 7)
	in, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	var labels []uint32
	for targets := in.Targets; targets.Len() > 0; {
		labels = append(labels, targets.Next())
	}
	if diff := cmp.Diff([]uint32{5, 6, 7}, labels); diff != "" {
		t.Error(diff)
	}
	if in.Targets.Len() != 3 || in.End != 6 {
		t.Errorf("%d labels up to byte %d", in.Targets.Len(), in.End)
	}
}

func TestReaderDoesNotAllocate(t *testing.T) { // alone, to count its own allocations only
	file := []byte("\x0e\x02\x05\x86\x00\x07\x41\x03\x02\x40\xfc\x0a\x00\x00\x0b")
	n := testing.AllocsPerRun(10, func() {
		r := module.NewReader(file, 0, len(file))
		for {
			if _, err := r.Next(); err != nil {
				return
			}
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}
