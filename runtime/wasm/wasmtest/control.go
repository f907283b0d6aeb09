package wasmtest

import (
	"encoding/binary"
	"math"
)

// Instructions without an immediate.
const (
	Unreachable Code = "\x00"
	Nop         Code = "\x01"
	Else        Code = "\x05"
	End         Code = "\x0b"
	Return      Code = "\x0f"
	Drop        Code = "\x1a"
	Select      Code = "\x1b"
	RefIsNull   Code = "\xd1"
	MemorySize  Code = "\x3f\x00"
	MemoryGrow  Code = "\x40\x00"
	MemoryCopy  Code = "\xfc\x0a\x00\x00"
	MemoryFill  Code = "\xfc\x0b\x00"
)

// Empty is the type of a block that takes and gives nothing; a value type is
// one that gives a value, and BlockIndex is any other.
const Empty Types = "\x40"

// BlockIndex is the type of a block by the index of a signature.
func BlockIndex(typ uint32) Types { return Types(S(int64(typ))) }

// Block around a body.
func Block(typ Types, body ...Code) Code { return "\x02" + Code(typ) + sum(body) + End }

// Loop around a body. A branch to it goes to its start.
func Loop(typ Types, body ...Code) Code { return "\x03" + Code(typ) + sum(body) + End }

// If takes a condition from the stack.
func If(typ Types, body ...Code) Code { return "\x04" + Code(typ) + sum(body) + End }

// IfElse takes a condition from the stack.
func IfElse(typ Types, yes, no Code) Code { return "\x04" + Code(typ) + yes + Else + no + End }

// Br goes to the end of the block, or to the start of the loop, that many
// levels out.
func Br(depth uint32) Code { return "\x0c" + U(uint64(depth)) }

// BrIf takes a condition from the stack.
func BrIf(depth uint32) Code { return "\x0d" + U(uint64(depth)) }

// BrTable takes an index from the stack.
func BrTable(otherwise uint32, depths ...uint32) Code {
	return "\x0e" + indices(depths) + U(uint64(otherwise))
}

// Call a function.
func Call(fn uint32) Code { return "\x10" + U(uint64(fn)) }

// CallIndirect takes the element's index from the stack.
func CallIndirect(typ, table uint32) Code { return "\x11" + U(uint64(typ)) + U(uint64(table)) }

// SelectTyped is select with its type written down.
func SelectTyped(t Types) Code { return "\x1c\x01" + Code(t) }

// I32Const pushes a constant.
func I32Const(n int32) Code { return "\x41" + S(int64(n)) }

// I64Const pushes a constant.
func I64Const(n int64) Code { return "\x42" + S(n) }

// F32Const pushes a constant.
func F32Const(x float32) Code {
	return "\x43" + Code(binary.LittleEndian.AppendUint32(nil, math.Float32bits(x)))
}

// F64Const pushes a constant.
func F64Const(x float64) Code { return F64Bits(math.Float64bits(x)) }

// F64Bits pushes a constant by its bits, for NaNs with a payload.
func F64Bits(bits uint64) Code {
	return "\x44" + Code(binary.LittleEndian.AppendUint64(nil, bits))
}

// LocalGet pushes a parameter or a local.
func LocalGet(i uint32) Code { return "\x20" + U(uint64(i)) }

// LocalSet takes its value from the stack.
func LocalSet(i uint32) Code { return "\x21" + U(uint64(i)) }

// LocalTee leaves its value on the stack.
func LocalTee(i uint32) Code { return "\x22" + U(uint64(i)) }

// GlobalGet pushes a global.
func GlobalGet(i uint32) Code { return "\x23" + U(uint64(i)) }

// GlobalSet takes its value from the stack.
func GlobalSet(i uint32) Code { return "\x24" + U(uint64(i)) }

// TableGet takes an index from the stack.
func TableGet(table uint32) Code { return "\x25" + U(uint64(table)) }

// TableSet takes an index and a reference from the stack.
func TableSet(table uint32) Code { return "\x26" + U(uint64(table)) }

// RefNull pushes a null reference.
func RefNull(t Types) Code { return "\xd0" + Code(t) }

// RefFunc pushes a reference to a function.
func RefFunc(fn uint32) Code { return "\xd2" + U(uint64(fn)) }

// At is a load or a store with an offset and no promise of alignment, such as
// At(F64Load, 8).
func At(op Code, offset uint32) Code { return op + U(0) + U(uint64(offset)) }

// MemoryInit copies out of a data segment.
func MemoryInit(segment uint32) Code { return "\xfc\x08" + U(uint64(segment)) + "\x00" }

// DataDrop empties a data segment.
func DataDrop(segment uint32) Code { return "\xfc\x09" + U(uint64(segment)) }

// TableInit copies out of an element segment.
func TableInit(segment, table uint32) Code {
	return "\xfc\x0c" + U(uint64(segment)) + U(uint64(table))
}

// ElemDrop empties an element segment.
func ElemDrop(segment uint32) Code { return "\xfc\x0d" + U(uint64(segment)) }

// TableCopy copies from one table to another.
func TableCopy(to, from uint32) Code { return "\xfc\x0e" + U(uint64(to)) + U(uint64(from)) }

// TableGrow takes a reference and a count from the stack.
func TableGrow(table uint32) Code { return "\xfc\x0f" + U(uint64(table)) }

// TableSize pushes the size of a table.
func TableSize(table uint32) Code { return "\xfc\x10" + U(uint64(table)) }

// TableFill takes an index, a reference and a count from the stack.
func TableFill(table uint32) Code { return "\xfc\x11" + U(uint64(table)) }

// SIMD is a vector instruction by its number, without its immediates.
func SIMD(op uint32) Code { return "\xfd" + U(uint64(op)) }

func indices(list []uint32) Code {
	out := U(uint64(len(list)))
	for _, i := range list {
		out += U(uint64(i))
	}
	return out
}

func sum(parts []Code) Code {
	var out Code
	for _, p := range parts {
		out += p
	}
	return out
}
