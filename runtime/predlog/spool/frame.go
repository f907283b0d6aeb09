package spool

import (
	"encoding/binary"
	"hash/crc32"
)

// A frame is a record on the disk: four bytes that hold the marker and the
// record's length, the CRC-32C of those four and the record, and the record.
// Numbers are little-endian. The marker and the checksum let a reader find the
// next whole frame behind damaged bytes.
const (
	frameHeader = 8
	marker      = 0xa7
	lengthMask  = 1<<24 - 1
)

// MaxRecord is how many bytes a record may have.
const MaxRecord = 1 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Reserve appends room for a frame's header. The record is appended next, and
// then [Seal] makes the two a frame.
func Reserve(frames []byte) []byte {
	return append(frames, 0, 0, 0, 0, 0, 0, 0, 0)
}

// Seal fills in the header of the frame that begins at start and ends with
// frames. It panics where the record is longer than [MaxRecord].
func Seal(frames []byte, start int) {
	f := frames[start:]
	n := len(f) - frameHeader
	if n > MaxRecord {
		panic("spool: the record is too long")
	}
	binary.LittleEndian.PutUint32(f, marker<<24|uint32(n))
	binary.LittleEndian.PutUint32(f[4:], checksum(f))
}

func checksum(frame []byte) uint32 {
	return crc32.Update(crc32.Checksum(frame[:4], castagnoli), castagnoli, frame[frameHeader:])
}

// Each gives the records of whole frames, in order. They are parts of frames.
func Each(frames []byte, record func([]byte)) {
	for len(frames) > 0 {
		n, found := parse(frames)
		if found != whole {
			panic("spool: not a frame")
		}
		record(frames[frameHeader:n])
		frames = frames[n:]
	}
}

// finding is what stands at a place.
type finding int

const (
	whole  finding = iota // a frame
	cutOff                // what could be the beginning of a frame
	noise                 // no frame
)

// parse says what b begins with, and how long the frame is or would be.
func parse(b []byte) (size int, f finding) {
	if len(b) < 4 {
		return frameHeader, cutOff
	}
	head := binary.LittleEndian.Uint32(b)
	size = frameHeader + int(head&lengthMask)
	switch {
	case head>>24 != marker || size > frameHeader+MaxRecord:
		return 0, noise
	case len(b) < size:
		return size, cutOff
	case checksum(b[:size]) != binary.LittleEndian.Uint32(b[4:]):
		return 0, noise
	}
	return size, whole
}
