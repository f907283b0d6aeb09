package module_test

import (
	"fmt"
	"strings"
	"testing"

	"livelab/runtime/wasm/module"
	"livelab/runtime/wasm/wasmtest"
)

// encoded is an opcode as it lies in a file.
func encoded(op module.Op) code {
	if op < 0x100 {
		return code([]byte{byte(op)})
	}
	return code([]byte{byte(op >> 8)}) + wasmtest.U(uint64(op&0xff))
}

// immediates that are valid for each kind.
var immediates = map[module.Imm]code{
	module.ImmIndex: "\x00", module.ImmIndices: "\x00\x00", module.ImmData: "\x00\x00",
	module.ImmMemory: "\x00", module.ImmMemories: "\x00\x00",
	module.ImmMem: "\x00\x03", module.ImmMemLane: "\x00\x03\x01", module.ImmLane: "\x01",
	module.ImmS32: "\x03", module.ImmS64: "\x03", module.ImmF32: "1234", module.ImmF64: "12345678",
	module.ImmBytes16: "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x00\x01\x02\x03\x04\x05",
}

// Every opcode of one page is tried with the signature of our table: a wrong
// entry is one that wazero refuses. What is not in the table it must refuse.
func TestOpcodesAreThoseOfTheEngine(t *testing.T) {
	t.Parallel()
	known := 0
	for _, page := range []module.Op{0, 0xfc00, 0xfd00} {
		for op := page; op < page+0x100; op++ {
			imm, exists := op.Imm()
			params, result, simple := op.Signature()
			if exists && !simple || op == 0xfc || op == 0xfd {
				continue
			}
			var in, out types
			var instr code
			for i, p := range params {
				in += types([]byte{byte(p)})
				instr += wasmtest.LocalGet(uint32(i))
			}
			if result != 0 {
				out = types([]byte{byte(result)})
			}
			instr += encoded(op) + immediates[imm]
			if !exists {
				instr += "\x00\x00\x00"
			}
			file := function(in, out, none, instr)
			_, err := module.Parse(file, module.DefaultLimits())
			if engineErr := engine(file); (err == nil) != exists || (engineErr == nil) != exists {
				t.Errorf("%s, exists: %v. Parse says %v, the engine says %v", op, exists, err, engineErr)
			}
			if exists {
				known++
			}
		}
	}
	if known != 410 {
		t.Errorf("%d instructions were tried", known)
	}
}

// A signature that takes other types than the engine's must be seen too.
func TestOpcodesRefuseOtherTypes(t *testing.T) {
	t.Parallel()
	for _, page := range []module.Op{0, 0xfc00, 0xfd00} {
		for op := page; op < page+0x100; op++ {
			imm, _ := op.Imm()
			params, result, _ := op.Signature()
			for wrong := range params {
				var in types
				var instr code
				for i, p := range params {
					if i == wrong {
						p = module.ExternRef
					}
					in += types([]byte{byte(p)})
					instr += wasmtest.LocalGet(uint32(i))
				}
				instr += encoded(op) + immediates[imm]
				if result != 0 {
					instr += wasmtest.Drop
				}
				want := fmt.Sprintf("%s needs a value of type %s", op, params[wrong])
				refused(t, function(in, none, none, instr), module.DefaultLimits(), want)
			}
		}
	}
}

// The largest alignment and lane of each opcode are the engine's.
func TestOpcodesReachAsFarAsThoseOfTheEngine(t *testing.T) {
	t.Parallel()
	agree := func(op module.Op, params []module.ValType, tail code) {
		var in types
		for _, p := range params {
			in += types([]byte{byte(p)})
		}
		instr := wasmtest.LocalGet(0) + wasmtest.LocalGet(1)[:2*min(1, len(params)-1)] + encoded(op) + tail + wasmtest.Unreachable
		file := function(in, none, none, instr)
		_, err := module.Parse(file, module.DefaultLimits())
		if engineErr := engine(file); (err == nil) != (engineErr == nil) {
			t.Errorf("%s with % x: Parse says %v, the engine says %v", op, string(tail), err, engineErr)
		}
	}
	lanes := []code{"\x00", "\x01", "\x02", "\x03", "\x04", "\x07", "\x08", "\x0f", "\x10"}
	for _, page := range []module.Op{0, 0xfd00} {
		for op := page; op < page+0x100; op++ {
			imm, _ := op.Imm()
			params, _, _ := op.Signature()
			for _, n := range lanes {
				switch imm {
				case module.ImmMem:
					agree(op, params, n+"\x00")
				case module.ImmMemLane:
					agree(op, params, n+"\x00\x00")
					agree(op, params, "\x00\x00"+n)
				case module.ImmLane:
					agree(op, params, n)
				}
			}
		}
	}
}

func TestOpcodeNames(t *testing.T) {
	t.Parallel()
	for op, want := range map[module.Op]string{
		module.OpUnreachable: "unreachable", module.OpCallIndirect: "call_indirect", module.OpMemoryGrow: "memory.grow",
		module.OpI64LtS: "i64.lt_s", module.OpI64Add: "i64.add", module.OpI64Sub: "i64.sub", module.OpI64ExtendU: "i64.extend_i32_u",
		module.OpRefFunc: "ref.func", module.OpTableFill: "table.fill", module.OpMemoryCopy: "memory.copy",
		module.OpI8x16Shuffle: "i8x16.shuffle", 0xa6: "f64.copysign", 0xbf: "f64.reinterpret_i64",
		0xfd5f: "f64x2.promote_low_f32x4", 0xfdff: "f64x2.convert_low_i32x4_u", 0xfdd5: "i64x2.mul", 0xfe10: "opcode 0xfe10",
	} {
		if got := op.String(); got != want {
			t.Errorf("%#x is %q, want %q", uint16(op), got, want)
		}
	}
	for op := module.Op(0); op < 0xff; op++ {
		if _, ok := op.Imm(); ok == strings.HasPrefix(op.String(), "opcode") {
			t.Errorf("%s, exists: %v", op, ok)
		}
	}
}
