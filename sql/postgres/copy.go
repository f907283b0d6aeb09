package postgres

import (
	"encoding/binary"
	"io"
)

// copyReader gives rows in the binary form of COPY: a header, the rows, and a
// row of -1 columns at the end. pgx could do so from rows of any values, at an
// allocation a value and a round trip more.
type copyReader[R any] struct {
	rows      []R
	appendRow func(b []byte, row *R) []byte

	buffer  []byte // what was encoded last
	unread  []byte // the end of buffer
	started bool
	ended   bool
}

// bytesPerFill is just less than what pgx reads at a time.
const bytesPerFill = 60 << 10

// null is the length of a value that is NULL.
const null = 0xffffffff

// Read implements [io.Reader].
func (r *copyReader[R]) Read(p []byte) (int, error) {
	if len(r.unread) == 0 {
		if r.ended {
			return 0, io.EOF
		}
		r.fill()
	}
	n := copy(p, r.unread)
	r.unread = r.unread[n:]
	return n, nil
}

func (r *copyReader[R]) fill() {
	b := r.buffer[:0]
	if !r.started {
		r.started = true
		b = append(b, "PGCOPY\n\xff\r\n\x00"...)
		b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // no flags, no extension
	}
	for len(r.rows) > 0 && len(b) < bytesPerFill {
		b = r.appendRow(b, &r.rows[0])
		r.rows = r.rows[1:]
	}
	if len(r.rows) == 0 {
		r.ended = true
		b = binary.BigEndian.AppendUint16(b, 0xffff)
	}
	r.buffer, r.unread = b, b
}

// The functions below append one value, with its length before it.

func appendInt64(b []byte, v int64) []byte {
	b = append(b, 0, 0, 0, 8)
	return binary.BigEndian.AppendUint64(b, uint64(v))
}

func appendInt32(b []byte, v int32) []byte {
	b = append(b, 0, 0, 0, 4)
	return binary.BigEndian.AppendUint32(b, uint32(v))
}

func appendText(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	return append(b, s...)
}

// appendName writes a text of which the empty one means NULL.
func appendName(b []byte, s string) []byte {
	if s == "" {
		return appendNull(b)
	}
	return appendText(b, s)
}

func appendNull(b []byte) []byte { return binary.BigEndian.AppendUint32(b, null) }
