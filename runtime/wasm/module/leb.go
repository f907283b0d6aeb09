package module

// U32 reads an unsigned LEB128 number of at most 32 bits from the start of b.
// It returns the number of bytes read: 0 where b ends too early, -1 where the
// number is longer or larger than the format allows.
func U32(b []byte) (v uint32, n int) {
	if len(b) > 0 && b[0] < 0x80 {
		return uint32(b[0]), 1
	}
	for n < len(b) {
		c := b[n]
		if n == 4 && c > 0x0f {
			return 0, -1
		}
		v |= uint32(c&0x7f) << (7 * n)
		n++
		if c < 0x80 {
			return v, n
		}
	}
	return 0, 0
}

// S32 reads a signed LEB128 number of 32 bits, as U32 does.
func S32(b []byte) (v int32, n int) {
	s, n := signed(b, 32)
	return int32(s), n
}

// S33 reads a signed LEB128 number of 33 bits, as U32 does. Block types are
// written so.
func S33(b []byte) (v int64, n int) { return signed(b, 33) }

// S64 reads a signed LEB128 number of 64 bits, as U32 does.
func S64(b []byte) (v int64, n int) { return signed(b, 64) }

// signed reads a number of at most the given bits. The unused bits of the
// longest form's last byte must repeat the sign.
func signed(b []byte, bits int) (v int64, n int) {
	shift := 0
	for n < len(b) {
		c := b[n]
		n++
		v |= int64(c&0x7f) << shift
		if left := bits - shift; left <= 7 {
			if c >= 0x80 {
				return 0, -1
			}
			if s := int8(c<<1) >> left; s != 0 && s != -1 {
				return 0, -1
			}
		}
		shift += 7
		if c < 0x80 {
			if shift < 64 && c&0x40 != 0 {
				v |= -1 << shift
			}
			return v, n
		}
	}
	return 0, 0
}

// AppendU32 appends v in its shortest unsigned LEB128 form.
func AppendU32(b []byte, v uint32) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// AppendS64 appends v in its shortest signed LEB128 form, which is also that
// of the narrower signed numbers.
func AppendS64(b []byte, v int64) []byte {
	for v < -64 || v > 63 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}
