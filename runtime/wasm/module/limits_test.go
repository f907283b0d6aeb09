package module_test

import (
	"strings"
	"testing"

	"livelab/runtime/wasm/module"
	"livelab/runtime/wasm/wasmtest"
)

func repeat(c code, n int) code { return code(strings.Repeat(string(c), n)) }

func vector(c code, n int) code { return wasmtest.U(uint64(n)) + repeat(c, n) }

// Each limit is set to n; what has n passes and what has n+1 does not.
func TestParseKeepsLimits(t *testing.T) {
	t.Parallel()
	const n = 8
	tests := []struct {
		name string
		set  func(l *module.Limits)
		file func(n int) []byte
		want string
	}{
		{"file size", func(l *module.Limits) { l.FileSize = 8 + n }, func(n int) []byte { return raw(section(0, vector("a", n-3))) }, "the file has 17 bytes, at most 16"},
		{"name size", func(l *module.Limits) { l.NameSize = n }, func(n int) []byte { return raw(section(0, vector("a", n))) }, "a name of 9 bytes, at most 8"},
		{"custom sections", func(l *module.Limits) { l.CustomSections = n }, func(n int) []byte { return raw(repeat(section(0, "\x00"), n)) }, "9 custom sections"},
		{"types", func(l *module.Limits) { l.Types = n }, func(n int) []byte { return raw(section(1, vector("\x60\x00\x00", n))) }, "9 types"},
		{"parameters", func(l *module.Limits) { l.Params = n }, func(n int) []byte { return raw(section(1, "\x01\x60"+vector("\x7f", n)+"\x00")) }, "9 parameters"},
		{"results", func(l *module.Limits) { l.Results = n }, func(n int) []byte { return raw(section(1, "\x01\x60\x00"+vector("\x7f", n))) }, "9 results"},
		{"imports", func(l *module.Limits) { l.Imports = n }, func(n int) []byte { return raw(oneType, section(2, vector("\x01a\x01b\x00\x00", n))) }, "9 imports"},
		{"functions", func(l *module.Limits) { l.Functions = n }, func(n int) []byte {
			return raw(oneType, section(3, vector("\x00", n)), section(10, vector("\x02\x00\x0b", n)))
		}, "9 functions"},
		{"tables", func(l *module.Limits) { l.Tables = n }, func(n int) []byte { return raw(section(4, vector("\x70\x00\x00", n))) }, "9 tables"},
		{"table elements", func(l *module.Limits) { l.TableElements = n }, func(n int) []byte { return raw(section(4, "\x02\x70\x00\x04\x70\x00"+wasmtest.U(uint64(n-4)))) }, "tables of 9 elements"},
		{"memory pages", func(l *module.Limits) { l.MemoryPages = n }, func(n int) []byte { return raw(section(5, "\x01\x00"+wasmtest.U(uint64(n)))) }, "9 pages"},
		{"globals", func(l *module.Limits) { l.Globals = n }, func(n int) []byte { return raw(section(6, vector("\x7f\x00\x41\x00\x0b", n))) }, "9 globals"},
		{"exports", func(l *module.Limits) { l.Exports = n }, func(n int) []byte {
			return raw(oneMem, section(7, exports(n)))
		}, "9 exports"},
		{"element segments", func(l *module.Limits) { l.ElementSegments = n }, func(n int) []byte { return raw(section(9, vector("\x01\x00\x00", n))) }, "9 element segments"},
		{"elements", func(l *module.Limits) { l.Elements = n }, func(n int) []byte {
			return raw(oneType, oneFunc, section(9, "\x02\x01\x00\x04\x00\x00\x00\x00\x01\x00"+vector("\x00", n-4)), oneBody)
		}, "5 elements, at most 4"},
		{"data segments", func(l *module.Limits) { l.DataSegments = n }, func(n int) []byte { return raw(section(11, vector("\x01\x00", n))) }, "9 data segments"},
		{"announced data segments", func(l *module.Limits) { l.DataSegments = n }, func(n int) []byte {
			return raw(section(12, wasmtest.U(uint64(n))), section(11, vector("\x01\x00", n)))
		}, "9 data segments, at most 8"},
		{"body size", func(l *module.Limits) { l.BodySize = n }, func(n int) []byte { return body1(repeat(wasmtest.Nop, n-2)) }, "function 0 has 9 bytes"},
		{"locals", func(l *module.Limits) { l.Locals = n }, func(n int) []byte {
			return function(i32+i32, none, types(repeat("\x7f\x7e", (n-2)/2)+repeat("\x7f", n%2)), "")
		}, "9 locals"},
		{"depth", func(l *module.Limits) { l.Depth = n }, func(n int) []byte { return body1(repeat("\x02\x40", n-1) + repeat("\x0b", n-1)) }, "more than 8 deep"},
		{"stack", func(l *module.Limits) { l.Stack = n }, func(n int) []byte { return body1(repeat("\x41\x00", n) + repeat(wasmtest.Drop, n)) }, "more than 8 values"},
		{"targets", func(l *module.Limits) { l.Targets = n }, func(n int) []byte { return body1("\x41\x00\x0e" + vector("\x00", n-1) + "\x00") }, "9 labels, at most 8"},
		{"work of a function", func(l *module.Limits) { l.FunctionWork = n }, func(n int) []byte { return body1(repeat(wasmtest.Nop, n-1)) }, "function 0 is too hard to compile"},
		{"work", func(l *module.Limits) { l.Work = n }, func(n int) []byte {
			return raw(oneType, section(3, "\x02\x00\x00"), section(10, "\x02\x02\x00\x0b"+wasmtest.Name(string("\x00"+repeat(wasmtest.Nop, n-2)+"\x0b"))))
		}, "the module is too hard to compile"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := module.DefaultLimits()
			tt.set(&l)
			if _, err := module.Parse(tt.file(n), l); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			refused(t, tt.file(n+1), l, tt.want)
			if _, err := module.Parse(tt.file(n+1), module.DefaultLimits()); err != nil {
				t.Errorf("with the usual limits: %v", err)
			}
		})
	}
}

// body1 is a module of one function that has no locals.
func body1(c code) []byte {
	return raw(oneType, oneFunc, section(10, "\x01"+wasmtest.Name(string("\x00"+c+"\x0b"))))
}

// exports of memory 0 under different names.
func exports(n int) code {
	var list []code
	for i := range n {
		list = append(list, "\x01"+code('a'+rune(i))+"\x02\x00")
	}
	return wasmtest.Vec(list...)
}
