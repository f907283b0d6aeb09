package module

import "strings"

// run is a row of neighbouring opcodes with the same immediates and the same
// signature. In a signature i, l, f, d and v are i32, i64, f32, f64 and v128;
// "" says that the typing is a case of its own.
type run struct {
	from  byte
	imm   Imm
	sig   string
	align uint8
	lanes uint8
	names string // separated by spaces, "-" where there is no instruction
}

// buildOpcodes fills the tables of the plain opcodes, of those behind 0xfc and
// of those behind 0xfd.
func buildOpcodes() (t [3][256]info) {
	for i, runs := range [][]run{plainOps, miscOps, simdOps} {
		for _, r := range runs {
			for n, name := range strings.Fields(r.names) {
				if name != "-" {
					t[i][int(r.from)+n] = r.info(name)
				}
			}
		}
	}
	return t
}

func (r run) info(name string) info {
	in := info{name: name, imm: r.imm, align: r.align, lanes: r.lanes}
	params, result, ok := strings.Cut(r.sig, ">")
	in.simple = ok
	for i := range params {
		in.params[i] = letterType(params[i])
		in.nparam++
	}
	if result != "" {
		in.result = letterType(result[0])
	}
	in.work = uint8(in.weight())
	return in
}

func letterType(c byte) ValType {
	switch c {
	case 'i':
		return I32
	case 'l':
		return I64
	case 'f':
		return F32
	case 'd':
		return F64
	}
	return V128
}

var plainOps = []run{
	{0x00, ImmNone, "", 0, 0, "unreachable"},
	{0x01, ImmNone, ">", 0, 0, "nop"},
	{0x02, ImmBlock, "", 0, 0, "block loop if"},
	{0x05, ImmNone, "", 0, 0, "else"},
	{0x0b, ImmNone, "", 0, 0, "end"},
	{0x0c, ImmIndex, "", 0, 0, "br br_if"},
	{0x0e, ImmTable, "", 0, 0, "br_table"},
	{0x0f, ImmNone, "", 0, 0, "return"},
	{0x10, ImmIndex, "", 0, 0, "call"},
	{0x11, ImmIndices, "", 0, 0, "call_indirect"},
	{0x1a, ImmNone, "", 0, 0, "drop select"},
	{0x1c, ImmTypes, "", 0, 0, "select"},
	{0x20, ImmIndex, "", 0, 0, "local.get local.set local.tee global.get global.set table.get table.set"},
	{0x28, ImmMem, "i>i", 2, 0, "i32.load"},
	{0x29, ImmMem, "i>l", 3, 0, "i64.load"},
	{0x2a, ImmMem, "i>f", 2, 0, "f32.load"},
	{0x2b, ImmMem, "i>d", 3, 0, "f64.load"},
	{0x2c, ImmMem, "i>i", 0, 0, "i32.load8_s i32.load8_u"},
	{0x2e, ImmMem, "i>i", 1, 0, "i32.load16_s i32.load16_u"},
	{0x30, ImmMem, "i>l", 0, 0, "i64.load8_s i64.load8_u"},
	{0x32, ImmMem, "i>l", 1, 0, "i64.load16_s i64.load16_u"},
	{0x34, ImmMem, "i>l", 2, 0, "i64.load32_s i64.load32_u"},
	{0x36, ImmMem, "ii>", 2, 0, "i32.store"},
	{0x37, ImmMem, "il>", 3, 0, "i64.store"},
	{0x38, ImmMem, "if>", 2, 0, "f32.store"},
	{0x39, ImmMem, "id>", 3, 0, "f64.store"},
	{0x3a, ImmMem, "ii>", 0, 0, "i32.store8"},
	{0x3b, ImmMem, "ii>", 1, 0, "i32.store16"},
	{0x3c, ImmMem, "il>", 0, 0, "i64.store8"},
	{0x3d, ImmMem, "il>", 1, 0, "i64.store16"},
	{0x3e, ImmMem, "il>", 2, 0, "i64.store32"},
	{0x3f, ImmMemory, ">i", 0, 0, "memory.size"},
	{0x40, ImmMemory, "i>i", 0, 0, "memory.grow"},
	{0x41, ImmS32, ">i", 0, 0, "i32.const"},
	{0x42, ImmS64, ">l", 0, 0, "i64.const"},
	{0x43, ImmF32, ">f", 0, 0, "f32.const"},
	{0x44, ImmF64, ">d", 0, 0, "f64.const"},
	{0x45, ImmNone, "i>i", 0, 0, "i32.eqz"},
	{0x46, ImmNone, "ii>i", 0, 0, "i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u"},
	{0x50, ImmNone, "l>i", 0, 0, "i64.eqz"},
	{0x51, ImmNone, "ll>i", 0, 0, "i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u"},
	{0x5b, ImmNone, "ff>i", 0, 0, "f32.eq f32.ne f32.lt f32.gt f32.le f32.ge"},
	{0x61, ImmNone, "dd>i", 0, 0, "f64.eq f64.ne f64.lt f64.gt f64.le f64.ge"},
	{0x67, ImmNone, "i>i", 0, 0, "i32.clz i32.ctz i32.popcnt"},
	{0x6a, ImmNone, "ii>i", 0, 0, "i32.add i32.sub i32.mul i32.div_s i32.div_u i32.rem_s i32.rem_u i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr"},
	{0x79, ImmNone, "l>l", 0, 0, "i64.clz i64.ctz i64.popcnt"},
	{0x7c, ImmNone, "ll>l", 0, 0, "i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u i64.and i64.or i64.xor i64.shl i64.shr_s i64.shr_u i64.rotl i64.rotr"},
	{0x8b, ImmNone, "f>f", 0, 0, "f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt"},
	{0x92, ImmNone, "ff>f", 0, 0, "f32.add f32.sub f32.mul f32.div f32.min f32.max f32.copysign"},
	{0x99, ImmNone, "d>d", 0, 0, "f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt"},
	{0xa0, ImmNone, "dd>d", 0, 0, "f64.add f64.sub f64.mul f64.div f64.min f64.max f64.copysign"},
	{0xa7, ImmNone, "l>i", 0, 0, "i32.wrap_i64"},
	{0xa8, ImmNone, "f>i", 0, 0, "i32.trunc_f32_s i32.trunc_f32_u"},
	{0xaa, ImmNone, "d>i", 0, 0, "i32.trunc_f64_s i32.trunc_f64_u"},
	{0xac, ImmNone, "i>l", 0, 0, "i64.extend_i32_s i64.extend_i32_u"},
	{0xae, ImmNone, "f>l", 0, 0, "i64.trunc_f32_s i64.trunc_f32_u"},
	{0xb0, ImmNone, "d>l", 0, 0, "i64.trunc_f64_s i64.trunc_f64_u"},
	{0xb2, ImmNone, "i>f", 0, 0, "f32.convert_i32_s f32.convert_i32_u"},
	{0xb4, ImmNone, "l>f", 0, 0, "f32.convert_i64_s f32.convert_i64_u"},
	{0xb6, ImmNone, "d>f", 0, 0, "f32.demote_f64"},
	{0xb7, ImmNone, "i>d", 0, 0, "f64.convert_i32_s f64.convert_i32_u"},
	{0xb9, ImmNone, "l>d", 0, 0, "f64.convert_i64_s f64.convert_i64_u"},
	{0xbb, ImmNone, "f>d", 0, 0, "f64.promote_f32"},
	{0xbc, ImmNone, "f>i", 0, 0, "i32.reinterpret_f32"},
	{0xbd, ImmNone, "d>l", 0, 0, "i64.reinterpret_f64"},
	{0xbe, ImmNone, "i>f", 0, 0, "f32.reinterpret_i32"},
	{0xbf, ImmNone, "l>d", 0, 0, "f64.reinterpret_i64"},
	{0xc0, ImmNone, "i>i", 0, 0, "i32.extend8_s i32.extend16_s"},
	{0xc2, ImmNone, "l>l", 0, 0, "i64.extend8_s i64.extend16_s i64.extend32_s"},
	{0xd0, ImmRef, "", 0, 0, "ref.null"},
	{0xd1, ImmNone, "", 0, 0, "ref.is_null"},
	{0xd2, ImmIndex, "", 0, 0, "ref.func"},
}

var miscOps = []run{
	{0, ImmNone, "f>i", 0, 0, "i32.trunc_sat_f32_s i32.trunc_sat_f32_u"},
	{2, ImmNone, "d>i", 0, 0, "i32.trunc_sat_f64_s i32.trunc_sat_f64_u"},
	{4, ImmNone, "f>l", 0, 0, "i64.trunc_sat_f32_s i64.trunc_sat_f32_u"},
	{6, ImmNone, "d>l", 0, 0, "i64.trunc_sat_f64_s i64.trunc_sat_f64_u"},
	{8, ImmData, "iii>", 0, 0, "memory.init"},
	{9, ImmIndex, ">", 0, 0, "data.drop"},
	{10, ImmMemories, "iii>", 0, 0, "memory.copy"},
	{11, ImmMemory, "iii>", 0, 0, "memory.fill"},
	{12, ImmIndices, "iii>", 0, 0, "table.init"},
	{13, ImmIndex, ">", 0, 0, "elem.drop"},
	{14, ImmIndices, "iii>", 0, 0, "table.copy"},
	{15, ImmIndex, "", 0, 0, "table.grow"},
	{16, ImmIndex, ">i", 0, 0, "table.size"},
	{17, ImmIndex, "", 0, 0, "table.fill"},
}
