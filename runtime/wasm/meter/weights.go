package meter

import "livelab/runtime/wasm/module"

// Units of fuel. One is about one simple instruction, at most a nanosecond on
// a slow machine. A load that misses every cache takes many times its weight:
// fuel bounds work, and time only up to such a factor.
const (
	frameWeight  = 8   // entry: the engine's check of its stack, saving registers, metering itself
	loopWeight   = 2   // header: the metering itself, so that an empty loop is not free
	importWeight = 256 // leaves the compiled code: about 100 ns, and what the host does

	bytesPerUnitLog   = 3       // of bulk memory: 8 bytes a unit, near what fresh pages cost
	unitsPerPage      = 1 << 13 // 64 KiB at 8 bytes a unit, for each page moved or cleared
	entriesPerUnitLog = 0       // a table's entry is a pointer of 8 bytes

	joinsPerUnit = 4 // moves between registers where branches meet; most of them vanish
)

// Where code is paid for. A segment that weighs less than lightSegment is not
// worth a check of its own, and none is made before fullSegment have come
// together: a transform's loop has one, at its header.
const (
	lightSegment = 16
	fullSegment  = 128
)

// fewCalls is how many calls a function may have for its fuel to be in a local
// although its loops have calls in them: many are there for what goes wrong.
const fewCalls = 16

// weights by opcode: those of one byte, those behind 0xfc, those behind 0xfd.
var weights = buildWeights()

func weight(op module.Op) int64 {
	switch op >> 8 {
	case 0:
		return int64(weights[0][op])
	case 0xfc:
		return int64(weights[1][op&0xff])
	}
	return int64(weights[2][op&0xff])
}

func buildWeights() (t [3][256]uint16) {
	for i := range t {
		for op := range t[i] {
			t[i][op] = 1
		}
	}
	set := func(table int, from, to byte, w uint16) {
		for op := int(from); op <= int(to); op++ {
			t[table][op] = w
		}
	}
	set(0, 0x00, 0x03, 0)  // unreachable, nop, block, loop: no code
	t[0][0x05] = 0         // else
	t[0][0x0b] = 0         // end
	t[0][0x0e] = 4         // br_table: a jump that is often predicted wrong
	t[0][0x10] = 8         // call: arguments, jump, registers saved around it
	t[0][0x11] = 16        // call_indirect: and loads and checks of the table's entry
	set(0, 0x23, 0x24, 2)  // globals live in memory
	set(0, 0x25, 0x26, 4)  // table.get, table.set: bounds and indirections
	set(0, 0x28, 0x3e, 2)  // loads and stores with their check of bounds
	t[0][0x40] = 512       // memory.grow: leaves the compiled code and may allocate
	set(0, 0x6d, 0x70, 8)  // i32 division: tens of cycles on older machines
	set(0, 0x7f, 0x82, 16) // i64 division
	set(0, 0x91, 0x91, 6)  // f32.sqrt
	set(0, 0x95, 0x95, 6)  // f32.div
	set(0, 0x96, 0x97, 4)  // f32.min, f32.max: branches for NaN and signed zero
	set(0, 0x9f, 0x9f, 6)  // f64.sqrt
	set(0, 0xa3, 0xa3, 6)  // f64.div
	set(0, 0xa4, 0xa5, 4)  // f64.min, f64.max
	set(0, 0xa8, 0xab, 4)  // float to integer: checks before it converts
	set(0, 0xae, 0xb1, 4)
	set(0, 0xb2, 0xbb, 2)  // integer to float
	t[0][0xd2] = 128       // ref.func: leaves the compiled code
	set(1, 0x00, 0x07, 4)  // saturating float to integer
	set(1, 0x08, 0x11, 32) // bulk: a call, and copies by length on top
	set(2, 0x00, 0xff, 4)  // vectors: many are several instructions
	set(2, 0xd5, 0xd5, 12) // i64x2.mul is put together from halves
	set(2, 0xe3, 0xe3, 12) // f32x4.sqrt
	set(2, 0xe7, 0xe7, 12) // f32x4.div
	set(2, 0xef, 0xef, 12) // f64x2.sqrt
	set(2, 0xf3, 0xf3, 12) // f64x2.div
	set(2, 0x6b, 0x6d, 12) // i8x16 shifts go through wider lanes
	set(2, 0x0d, 0x0e, 8)  // shuffle, swizzle
	set(2, 0x62, 0x62, 12) // i8x16.popcnt
	set(2, 0xf8, 0xff, 8)  // conversions
	return t
}
