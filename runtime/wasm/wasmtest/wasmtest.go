// Package wasmtest assembles WebAssembly modules for tests: small ones by
// hand, whole transforms, and random ones. Tests import it, nothing else does.
//
// Types and instructions are strings of their bytes in the binary format, so
// that a signature or a body is a sum:
//
//	b := wasmtest.New()
//	add := b.Func(wasmtest.I32+wasmtest.I32, wasmtest.I32, wasmtest.None,
//		wasmtest.LocalGet(0)+wasmtest.LocalGet(1)+wasmtest.I32Add)
//	b.ExportFunc("add", add)
//	code := b.Bytes()
//
// Nothing is checked: what is wrong in a module is the test's own choice.
package wasmtest

import (
	"encoding/binary"
	"strings"
)

// Types is a list of value types, one byte each.
type Types string

// The value types. None is the empty list.
const (
	None      Types = ""
	I32       Types = "\x7f"
	I64       Types = "\x7e"
	F32       Types = "\x7d"
	F64       Types = "\x7c"
	V128      Types = "\x7b"
	FuncRef   Types = "\x70"
	ExternRef Types = "\x6f"
)

// Code is a run of instructions, or any other piece of a module.
type Code string

// U is an unsigned LEB128 number.
func U(n uint64) Code {
	return Code(binary.AppendUvarint(nil, n))
}

// S is a signed LEB128 number.
func S(n int64) Code {
	var out []byte
	for {
		low := byte(n & 0x7f)
		n >>= 7
		if n == 0 && low&0x40 == 0 || n == -1 && low&0x40 != 0 {
			return Code(append(out, low))
		}
		out = append(out, low|0x80)
	}
}

// Name is a string after its length.
func Name(s string) Code {
	return U(uint64(len(s))) + Code(s)
}

// Vec is a list of pieces after its length.
func Vec(items ...Code) Code {
	out := U(uint64(len(items)))
	for _, item := range items {
		out += item
	}
	return out
}

// Section with its length.
func Section(id byte, content Code) Code { return Code([]byte{id}) + Name(string(content)) }

// Locals as a body starts with them.
func Locals(list Types) Code {
	var groups []Code
	for i := 0; i < len(list); {
		n := 1
		for i+n < len(list) && list[i+n] == list[i] {
			n++
		}
		groups = append(groups, U(uint64(n))+Code(list[i:i+1]))
		i += n
	}
	return Vec(groups...)
}

func limits(minimum, maximum int) Code {
	if maximum < 0 {
		return "\x00" + U(uint64(minimum))
	}
	return "\x01" + U(uint64(minimum)) + U(uint64(maximum))
}

// join is Vec in time that is linear in long lists.
func join(list []Code) Code {
	out := new(strings.Builder)
	out.WriteString(string(U(uint64(len(list)))))
	for _, item := range list {
		out.WriteString(string(item))
	}
	return Code(out.String())
}
