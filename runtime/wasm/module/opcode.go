package module

import "fmt"

// Op is an instruction's opcode; one behind a prefix is prefix<<8 | number.
type Op uint16

// The prefixes.
const (
	prefixMisc = 0xfc
	prefixSIMD = 0xfd
)

// The instructions that are more than a signature. The others have a name,
// from Op.String, and no constant.
const (
	OpUnreachable  Op = 0x00
	OpNop          Op = 0x01
	OpBlock        Op = 0x02
	OpLoop         Op = 0x03
	OpIf           Op = 0x04
	OpElse         Op = 0x05
	OpEnd          Op = 0x0b
	OpBr           Op = 0x0c
	OpBrIf         Op = 0x0d
	OpBrTable      Op = 0x0e
	OpReturn       Op = 0x0f
	OpCall         Op = 0x10
	OpCallIndirect Op = 0x11
	OpDrop         Op = 0x1a
	OpSelect       Op = 0x1b
	OpSelectTyped  Op = 0x1c
	OpLocalGet     Op = 0x20
	OpLocalSet     Op = 0x21
	OpLocalTee     Op = 0x22
	OpGlobalGet    Op = 0x23
	OpGlobalSet    Op = 0x24
	OpTableGet     Op = 0x25
	OpTableSet     Op = 0x26
	OpMemorySize   Op = 0x3f
	OpMemoryGrow   Op = 0x40
	OpI32Const     Op = 0x41
	OpI64Const     Op = 0x42
	OpF32Const     Op = 0x43
	OpF64Const     Op = 0x44
	OpI64LtS       Op = 0x53
	OpI64Add       Op = 0x7c
	OpI64Sub       Op = 0x7d
	OpI64ExtendU   Op = 0xad
	OpRefNull      Op = 0xd0
	OpRefIsNull    Op = 0xd1
	OpRefFunc      Op = 0xd2

	OpMemoryInit Op = prefixMisc<<8 | 8
	OpDataDrop   Op = prefixMisc<<8 | 9
	OpMemoryCopy Op = prefixMisc<<8 | 10
	OpMemoryFill Op = prefixMisc<<8 | 11
	OpTableInit  Op = prefixMisc<<8 | 12
	OpElemDrop   Op = prefixMisc<<8 | 13
	OpTableCopy  Op = prefixMisc<<8 | 14
	OpTableGrow  Op = prefixMisc<<8 | 15
	OpTableSize  Op = prefixMisc<<8 | 16
	OpTableFill  Op = prefixMisc<<8 | 17

	OpV128Const    Op = prefixSIMD<<8 | 12
	OpI8x16Shuffle Op = prefixSIMD<<8 | 13
)

// Imm is what follows an opcode.
type Imm uint8

// The kinds of immediates, and the fields of Instr that hold them.
const (
	ImmNone     Imm = iota
	ImmBlock        // Block
	ImmIndex        // X
	ImmIndices      // X and Y, in the order of the file
	ImmData         // X, and the memory's zero byte
	ImmMemory       // the memory's zero byte
	ImmMemories     // two of them
	ImmTable        // Targets
	ImmMem          // Align and MemOffset
	ImmMemLane      // Align, MemOffset and Lane
	ImmLane         // Lane
	ImmS32          // Value, sign-extended
	ImmS64          // Value
	ImmF32          // Value, the bits
	ImmF64          // Value, the bits
	ImmBytes16      // the 16 bytes before End
	ImmRef          // Type
	ImmTypes        // Type, of the one-element list
)

// info describes one instruction.
type info struct {
	name   string
	imm    Imm
	simple bool // its signature is all there is to its typing
	nparam uint8
	params [3]ValType
	result ValType // 0 for none
	align  uint8   // the largest that a memarg may have, as an exponent
	lanes  uint8   // the number of lanes, where there is a lane to choose
	work   uint8   // its weight
}

var opcodes = buildOpcodes()

// lookup is nil where no such instruction exists.
func lookup(op Op) *info {
	var in *info
	switch op >> 8 {
	case 0:
		in = &opcodes[0][op]
	case prefixMisc:
		in = &opcodes[1][op&0xff]
	case prefixSIMD:
		in = &opcodes[2][op&0xff]
	default:
		return nil
	}
	if in.name == "" {
		return nil
	}
	return in
}

// String is the instruction's name in the text format.
func (op Op) String() string {
	if in := lookup(op); in != nil {
		return in.name
	}
	return fmt.Sprintf("opcode %#x", uint16(op))
}

// Imm is the kind of the instruction's immediates. ok is false where no such
// instruction exists.
func (op Op) Imm() (imm Imm, ok bool) {
	if in := lookup(op); in != nil {
		return in.imm, true
	}
	return 0, false
}

// Signature is what the instruction takes and gives, in the order of the
// stack. ok is false for the instructions whose types hang on more than the
// opcode.
func (op Op) Signature() (params []ValType, result ValType, ok bool) {
	in := lookup(op)
	if in == nil || !in.simple {
		return nil, 0, false
	}
	return in.params[:in.nparam], in.result, true
}
