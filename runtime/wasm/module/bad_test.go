package module_test

import (
	"testing"

	"livelab/runtime/wasm/module"
	"livelab/runtime/wasm/wasmtest"
)

// Sections of a small module, for files that are wrong in one of them.
var (
	oneType  = wasmtest.Section(1, "\x01\x60\x00\x00")
	oneFunc  = wasmtest.Section(3, "\x01\x00")
	oneTable = wasmtest.Section(4, "\x01\x70\x00\x01")
	oneMem   = wasmtest.Section(5, "\x01\x00\x01")
	oneBody  = wasmtest.Section(10, "\x01\x02\x00\x0b")
)

func section(id byte, content code) code { return wasmtest.Section(id, content) }

func TestParseRefusesBadFiles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "no WebAssembly file"},
		{"text", []byte("(module)"), "no WebAssembly file"},
		{"component", []byte("\x00asm\x0d\x00\x01\x00"), "no WebAssembly file"},
		{"unknown section", raw(section(13, "")), "section 13 is not"},
		{"section cut off", raw("\x01\x05\x00"), "only 1 are left"},
		{"no size of a section", raw("\x01"), "end inside a number"},
		{"size too long", raw("\x01\x80\x80\x80\x80\x80\x00"), "too long or too large"},
		{"repeated section", raw(oneType, oneType), "type section is repeated or out of order"},
		{"sections out of order", raw(oneMem, oneTable), "table section is repeated or out of order"},
		{"data count behind code", raw(oneType, oneFunc, oneBody, section(12, "\x00")), "data count section is repeated or out of order"},
		{"bytes too many", raw(section(1, "\x00\x00")), "1 bytes too many"},
		{"custom section without a name", raw(section(0, "")), "end inside a number"},
		{"custom section of no UTF-8", raw(section(0, "\x01\xff")), "not UTF-8"},
		{"start section", raw(oneType, oneFunc, section(8, "\x00"), oneBody), "export _initialize instead"},

		{"no function type", raw(section(1, "\x01\x5f\x00\x00")), "byte 0x5f starts no function type"},
		{"no value type", raw(section(1, "\x01\x60\x01\x69\x00")), "byte 0x69 is no value type"},
		{"types that are not there", raw(section(1, "\x09\x60\x00\x00")), "9 types do not fit"},

		{"import of a memory", raw(section(2, "\x01\x01m\x01n\x02\x00\x01")), `"m"."n" is a memory`},
		{"import of a table", raw(section(2, "\x01\x01m\x01n\x01\x70\x00\x01")), "is a table"},
		{"import of a global", raw(section(2, "\x01\x01m\x01n\x03\x7f\x00")), "is a global"},
		{"import of a tag", raw(section(2, "\x01\x01m\x01n\x04\x00\x00")), "0x4 is no kind of import"},
		{"import of no type", raw(section(2, "\x01\x01m\x01n\x00\x00")), "type 0 does not exist"},
		{"import of no module", raw(oneType, section(2, "\x01\x00\x01n\x00\x00")), "a module without a name"},
		{"name that is cut off", raw(section(2, "\x01\x09m\x01n\x00\x00")), "9 bytes are announced"},

		{"function of no type", raw(section(3, "\x01\x00")), "type 0 does not exist"},
		{"function without code", raw(oneType, oneFunc), "1 functions are declared and 0 have code"},
		{"code without a function", raw(oneType, oneBody), "more functions have code than the 0"},

		{"table of numbers", raw(section(4, "\x01\x7f\x00\x01")), "table of i32"},
		{"table that shrinks", raw(section(4, "\x01\x70\x01\x02\x01")), "a size of 2 to at most 1"},
		{"shared memory", raw(section(5, "\x01\x03\x01\x01")), "flag 0x3 of a size"},
		{"memory of 64 bits", raw(section(5, "\x01\x04\x01")), "flag 0x4 of a size"},
		{"two memories", raw(section(5, "\x02\x00\x01\x00\x01")), "2 memories, at most 1"},
		{"memory that shrinks", raw(section(5, "\x01\x01\x02\x01")), "a size of 2 to at most 1"},
		{"memory beyond 4 GiB", raw(section(5, "\x01\x01\x00\x81\x80\x04")), "more than 65536 pages"},

		{"global neither mutable nor not", raw(section(6, "\x01\x7f\x02\x41\x00\x0b")), "byte 0x2 does not say"},
		{"global of another type", raw(section(6, "\x01\x7f\x00\x42\x00\x0b")), "constant of type i64, i32 is needed"},
		{"global out of a global", raw(section(6, "\x02\x7f\x00\x41\x00\x0b\x7f\x00\x23\x00\x0b")), "global 0, which is not imported"},
		{"global out of a sum", raw(section(6, "\x01\x7f\x00\x41\x00\x41\x00\x6a\x0b")), "one instruction and an end"},
		{"global out of nothing", raw(section(6, "\x01\x7f\x00\x0b\x0b")), "end is no constant"},
		{"global that is cut off", raw(section(6, "\x01\x7f\x00\x41\x00")), "ends inside an instruction"},
		{"global of no function", raw(section(6, "\x01\x70\x00\xd2\x00\x0b")), "function 0 does not exist"},

		{"export of no function", raw(section(7, "\x01\x01a\x00\x00")), `"a" is of function 0, there are 0`},
		{"export of no memory", raw(section(7, "\x01\x01a\x02\x00")), "memory 0, there are 0"},
		{"export of no table", raw(oneTable, section(7, "\x01\x01a\x01\x01")), "table 1, there are 1"},
		{"export of no global", raw(section(7, "\x01\x01a\x03\x00")), "global 0, there are 0"},
		{"export of no kind", raw(section(7, "\x01\x01a\x04\x00")), "no kind of export"},
		{"export named twice", raw(oneMem, section(7, "\x02\x01a\x02\x00\x01a\x02\x00")), `two exports are named "a"`},
		{"export of no UTF-8", raw(oneMem, section(7, "\x01\x02\xc3\x28\x02\x00")), "not UTF-8"},
		{"export of a surrogate", raw(oneMem, section(7, "\x01\x03\xed\xa0\x80\x02\x00")), "not UTF-8"},

		{"elements of no table", raw(section(9, "\x01\x00\x41\x00\x0b\x00")), "table 0, there are 0"},
		{"elements of no function", raw(oneTable, section(9, "\x01\x00\x41\x00\x0b\x01\x00")), "function 0 does not exist"},
		{"elements at no i32", raw(oneTable, section(9, "\x01\x00\x42\x00\x0b\x00")), "i64, i32 is needed"},
		{"elements beyond the table", raw(oneTable, section(9, "\x01\x00\x41\x02\x0b\x00")), "up to 2 of table 0, which has 1"},
		{"elements far beyond the table", raw(oneTable, section(9, "\x01\x00\x41\x7f\x0b\x00")), "up to 4294967295"},
		{"elements of another type", raw(oneTable, section(9, "\x01\x06\x00\x41\x00\x0b\x6f\x00")), "externref for a table of funcref"},
		{"elements of no kind", raw(section(9, "\x01\x01\x01\x00")), "byte 0x1 is no kind of element"},
		{"elements of no reference", raw(section(9, "\x01\x05\x7f\x00")), "0x7f is no reference type"},
		{"elements with unknown flags", raw(section(9, "\x01\x08\x00\x00")), "flags 0x8"},
		{"elements that are not there", raw(section(9, "\x01\x01\x00\x7f")), "127 elements do not fit"},

		{"data of no memory", raw(section(11, "\x01\x00\x41\x00\x0b\x00")), "data for a memory, there is none"},
		{"data of memory 1", raw(oneMem, section(11, "\x01\x02\x01\x41\x00\x0b\x00")), "data for memory 1"},
		{"data beyond the memory", raw(oneMem, section(11, "\x01\x00\x41\xff\xff\x03\x0b\x02ab")), "up to byte 65537 of a memory that has 65536"},
		{"data with unknown flags", raw(oneMem, section(11, "\x01\x03\x00")), "flags 0x3"},
		{"data that is cut off", raw(oneMem, section(11, "\x01\x01\x02a")), "2 bytes are announced"},
		{"fewer data than announced", raw(section(12, "\x01")), "1 data segments are announced and 0 are there"},
		{"more data than announced", raw(oneMem, section(12, "\x00"), section(11, "\x01\x01\x00")), "0 data segments are announced and 1"},

		{"body cut off", raw(oneType, oneFunc, section(10, "\x01\x09\x00\x0b")), "9 bytes, only 2 are left"},
		{"body without an end", raw(oneType, oneFunc, section(10, "\x01\x02\x00\x01")), "ends before its last end"},
		{"body with two ends", raw(oneType, oneFunc, section(10, "\x01\x03\x00\x0b\x0b")), "1 bytes follow a function's last end"},
		{"body of nothing", raw(oneType, oneFunc, section(10, "\x01\x00\x00\x00")), "end inside a number"},
		{"locals of no type", raw(oneType, oneFunc, section(10, "\x01\x04\x01\x01\x40\x0b")), "0x40 is no value type"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			refused(t, tt.file, module.DefaultLimits(), tt.want)
		})
	}
}

// What is allowed but rarely written.
func TestParseAcceptsRareForms(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{
		"nothing":                      raw(),
		"padded numbers":               raw("\x01\x84\x80\x80\x80\x00\x01\x60\x00\x00"),
		"custom sections anywhere":     raw(section(0, "\x01a"), oneType, section(0, "\x01a"), oneMem, section(0, "\x00")),
		"a declared maximum of 4 GiB":  raw(section(5, "\x01\x01\x00\x80\x80\x04")),
		"data of memory 0 by number":   raw(oneMem, section(11, "\x01\x02\x80\x00\x41\x00\x0b\x00")),
		"no data as announced":         raw(section(12, "\x00")),
		"elements as expressions":      raw(oneType, oneFunc, oneTable, section(9, "\x01\x04\x41\x00\x0b\x01\xd2\x00\x0b"), oneBody),
		"declared elements":            raw(oneType, oneFunc, section(9, "\x01\x07\x70\x02\xd2\x00\x0b\xd0\x70\x0b"), oneBody),
		"elements of a table of hosts": raw(section(4, "\x01\x6f\x00\x01"), section(9, "\x01\x06\x00\x41\x00\x0b\x6f\x01\xd0\x6f\x0b")),
		"globals of every type": raw(oneType, oneFunc, section(6, "\x07\x7f\x00\x41\x00\x0b\x7e\x00\x42\x00\x0b\x7d\x00\x43\x00\x00\x00\x00\x0b"+
			"\x7c\x00\x44\x00\x00\x00\x00\x00\x00\x00\x00\x0b\x7b\x00\xfd\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0b"+
			"\x70\x00\xd2\x00\x0b\x6f\x00\xd0\x6f\x0b"), oneBody),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := mustParse(t, file)
			if err := engine(plain(m)); err != nil {
				t.Errorf("the engine refuses it: %v", err)
			}
		})
	}
}
