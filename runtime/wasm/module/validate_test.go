package module_test

import (
	"testing"

	"livelab/runtime/wasm/module"
	"livelab/runtime/wasm/wasmtest"
)

func TestParseRefusesBadCode(t *testing.T) {
	t.Parallel()
	zero, one := wasmtest.I32Const(0), wasmtest.I32Const(1)
	long := wasmtest.I64Const(1)
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"unknown opcode", body("\x27"), "opcode 0x27 is not in WebAssembly 2.0"},
		{"tail call", body("\x12\x00"), "compile without tail calls"},
		{"exception", body("\x08\x00"), "compile without exceptions"},
		{"atomic", body("\xfe\x03\x00"), "compile without threads"},
		{"relaxed SIMD", body("\xfd\x80\x02"), "compile without relaxed SIMD"},
		{"garbage collection", body("\xfb\x00\x00"), "opcode 0xfb is not"},
		{"typed function references", body("\x14\x00"), "opcode 0x14 is not"},
		{"prefix in its long form", body(zero, zero, zero, "\xfc\x8b\x00\x00"), "not in its shortest form"},
		{"cut off behind a prefix", raw(oneType, oneFunc, section(10, "\x01\x02\x00\xfd")), "end inside a number"},
		{"table.grow", body("\xd0\x70", zero, "\xfc\x0f\x00", wasmtest.Drop), "a table may not grow"},

		{"nothing on the stack", body(wasmtest.Drop), "drop needs a value, the stack is empty"},
		{"one value of two", body(one, "\x6a"), "i32.add needs a value of type i32, the stack is empty"},
		{"wrong type", body(one, long, "\x6a"), "i32.add needs a value of type i32, there is one of i64"},
		{"values left over", body(one), "1 values are left over"},
		{"no result", function(none, i32, none, ""), "end needs a value of type i32, the stack is empty"},
		{"wrong result", function(none, i32, none, long), "end needs a value of type i32, there is one of i64"},
		{"value of an outer block", body(one, "\x02\x40", wasmtest.Drop, "\x0b", wasmtest.Drop), "drop needs a value, the stack is empty"},
		{"wrong type behind unreachable", body("\x00", long, "\x45", wasmtest.Drop), "i32.eqz needs a value of type i32, there is one of i64"},
		{"left over behind unreachable", body("\x00", one), "1 values are left over"},

		{"block of an unknown type", body("\x02\x05\x0b"), "type 5 does not exist, there are 1"},
		{"block of no type", body("\x02\x41\x0b"), "0x41 is no block type"},
		{"block of a negative type", body("\x02\xff\x7f\x0b"), "is no block type"},
		{"if without a condition", body("\x04\x40\x0b"), "if needs a value of type i32"},
		{"if without an else", body(one, "\x04\x7f", one, "\x0b", wasmtest.Drop), "changes the types"},
		{"else without an if", body("\x02\x40\x05\x0b"), "else without an if"},
		{"else after an else", body(one, "\x04\x40\x05\x05\x0b"), "else without an if"},
		{"branch too far", body("\x0c\x01"), "a branch out of 2 blocks, there are 1"},
		{"branch without its value", body("\x02\x7f\x0c\x00\x0b", wasmtest.Drop), "br needs a value of type i32"},
		{"branch without a condition", body("\x0d\x00"), "br_if needs a value of type i32"},
		{"return without its value", function(none, i32, none, wasmtest.Return), "return needs a value of type i32"},
		{"table of a label too far", body(one, wasmtest.BrTable(0, 0, 3)), "a branch out of 4 blocks, there are 1"},
		{"table of labels of other arity", body("\x02\x7f", one, one, wasmtest.BrTable(0, 1), "\x0b", wasmtest.Drop), "labels of 0 and of 1 values"},
		{"table of labels of other types", body("\x02\x7f\x02\x7e", one, one, wasmtest.BrTable(0, 1), "\x0b", wasmtest.Drop, one, "\x0b", wasmtest.Drop), "br_table needs a value of type i64"},
		{"table that is cut off", body(one, "\x0e\xff\xff\xff\xff\x0f"), "4294967295 labels does not fit"},

		{"call of no function", body("\x10\x03"), "function 3 does not exist, there are 3"},
		{"call without arguments", function(i32, none, none, "\x10\x00"), "call needs a value of type i32"},
		{"call of no type", body(one, wasmtest.CallIndirect(9, 0)), "type 9 does not exist"},
		{"call through no table", body(one, wasmtest.CallIndirect(0, 2)), "table 2 does not exist"},
		{"call through a table of hosts", body(one, wasmtest.CallIndirect(0, 1)), "which holds externref"},
		{"call through nothing", body(wasmtest.CallIndirect(0, 0)), "call_indirect needs a value of type i32"},

		{"select of two types", body(one, long, one, "\x1b", wasmtest.Drop), "a select between i32 and i64"},
		{"select of references", body("\xd0\x70\xd0\x70", one, "\x1b", wasmtest.Drop), "without their type"},
		{"select of no types", body(one, one, one, "\x1c\x00", wasmtest.Drop), "a select of 0 types"},
		{"typed select of another type", body(one, one, one, "\x1c\x01\x7e", wasmtest.Drop), "select needs a value of type i64"},
		{"select of no value type", body(one, one, one, "\x1c\x01\x40", wasmtest.Drop), "0x40 is no value type"},

		{"no such local", body(wasmtest.LocalGet(0), wasmtest.Drop), "local 0 does not exist, there are 0"},
		{"local of another type", function(i64, none, none, one+wasmtest.LocalSet(0)), "local.set needs a value of type i64"},
		{"local.tee of another type", function(i64, none, none, one+wasmtest.LocalTee(0)), "local.tee needs a value of type i64"},
		{"no such global", body(wasmtest.GlobalGet(2), wasmtest.Drop), "global 2 does not exist, there are 2"},
		{"constant global", body(one, wasmtest.GlobalSet(1)), "global 1 cannot be changed"},
		{"global of another type", body(long, wasmtest.GlobalSet(0)), "global.set needs a value of type i32"},

		{"alignment too large", body(zero, "\x28\x03\x00", wasmtest.Drop), "alignment 2**3, at most 2**2"},
		{"alignment far too large", body(zero, "\x28\xc0\x00\x00", wasmtest.Drop), "alignment 2**64"},
		{"memory 1", body("\x3f\x01", wasmtest.Drop), "memory 1: only memory 0"},
		{"no memory", raw(oneType, oneFunc, section(10, "\x01\x08\x00\x41\x00\x28\x00\x00\x1a\x0b")), "i32.load, there is no memory"},
		{"no memory to grow", raw(oneType, oneFunc, section(10, "\x01\x07\x00\x41\x00\x40\x00\x1a\x0b")), "memory.grow, there is no memory"},
		{"lane too large", body(zero, "\xfd\x11\xfd\x1b\x04", wasmtest.Drop), "of lane 4, there are 4"},
		{"lane of a shuffle too large", body("\x00\xfd\x0d"+repeat("\x00", 15)+"\x20", wasmtest.Drop), "of lane 32, there are 32"},
		{"no data segment", body(zero, zero, zero, "\xfc\x08\x01\x00"), "data segment 1 does not exist, there are 1"},
		{"no data count", raw(oneType, oneFunc, oneMem, section(10, "\x01\x05\x00\xfc\x09\x00\x0b"), section(11, "\x01\x01\x00")), "without a data count section"},
		{"no element segment", body("\xfc\x0d\x01"), "element segment 1 does not exist"},

		{"table.get of no table", body(zero, wasmtest.TableGet(2), wasmtest.Drop), "table 2 does not exist"},
		{"table.set of another type", body(zero, "\xd0\x6f", wasmtest.TableSet(0)), "table.set needs a value of type funcref"},
		{"table.fill of another type", body(zero, "\xd0\x6f", zero, "\xfc\x11\x00"), "table.fill needs a value of type funcref"},
		{"table.copy between types", body(zero, zero, zero, "\xfc\x0e\x00\x01"), "between funcref and externref"},
		{"table.init between types", body(zero, zero, zero, "\xfc\x0c\x00\x01"), "between funcref and externref"},
		{"table.size of no table", body("\xfc\x10\x02", wasmtest.Drop), "table 2 does not exist"},
		{"no reference type", body("\xd0\x7f", wasmtest.Drop), "0x7f is no reference type"},
		{"ref.is_null of a number", body(one, "\xd1", wasmtest.Drop), "ref.is_null of a value of type i32"},
		{"ref.func of no function", body(wasmtest.RefFunc(3), wasmtest.Drop), "function 3 does not exist"},
		{"ref.func that is not declared", body(wasmtest.RefFunc(2), wasmtest.Drop), "which no element, export or global names"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			refused(t, tt.file, module.DefaultLimits(), tt.want)
		})
	}
}

func TestParseAcceptsCode(t *testing.T) {
	t.Parallel()
	zero, one := wasmtest.I32Const(0), wasmtest.I32Const(1)
	for name, file := range map[string][]byte{
		"dead code of any type":     function(none, i64, none, wasmtest.Unreachable+"\x6a\x1b\x45"+wasmtest.Drop+wasmtest.Drop),
		"dead branches":             body("\x02\x7f\x00\x0d\x00\x0c\x00\x0b", wasmtest.Drop),
		"dead br_table":             body("\x02\x7e\x02\x7f\x00\x0e\x01\x00\x01\x0b\x00\x0b", wasmtest.Drop),
		"dead references":           body("\x00\xd1", wasmtest.Drop),
		"block with parameters":     function(i32, i32, none, wasmtest.LocalGet(0)+"\x02\x00\x45\x0b"),
		"loop with parameters":      function(i32, i32, none, wasmtest.LocalGet(0)+"\x03\x00"+wasmtest.LocalTee(0)+wasmtest.LocalGet(0)+"\x0d\x00\x0b"),
		"branch to a loop's start":  function(none, i32, none, "\x03\x7f\x0c\x00\x0b"),
		"if with else":              body(one, "\x04\x7f", one, "\x05", zero, "\x0b", wasmtest.Drop),
		"references":                body(wasmtest.RefFunc(1), "\xd1", wasmtest.Drop, zero, "\xd0\x6f", wasmtest.TableSet(1)),
		"typed select":              body("\xd0\x70\xd0\x70", one, "\x1c\x01\x70", wasmtest.Drop),
		"table.fill, .copy, .init":  body(zero, "\xd0\x6f", zero, "\xfc\x11\x01", zero, zero, zero, "\xfc\x0e\x01\x01", zero, zero, zero, "\xfc\x0c\x00\x00"),
		"a branch to the function":  function(none, i32, none, one+"\x0c\x00"),
		"a return out of depth":     function(none, i32, none, "\x02\x40\x03\x40"+one+"\x0f\x0b\x0b"+one),
		"memory.init and data.drop": body(zero, zero, zero, "\xfc\x08\x00\x00\xfc\x09\x00"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustParse(t, file)
			if err := engine(file); err != nil {
				t.Errorf("the engine refuses it: %v", err)
			}
		})
	}
}
