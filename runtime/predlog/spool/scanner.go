package spool

import (
	"errors"
	"io"
)

// window is how many bytes a scanner reads at a time, unless a frame is longer.
const window = 256 << 10

// scanner finds the whole frames of a file, whatever stands between them.
type scanner struct {
	file     io.ReaderAt
	off, end int64
	growing  bool // more may come behind end

	buf     []byte
	from    int // buf[from:] is the file from off on
	skipped int64

	// Of the bytes that are being skipped: how many, and whether they look like
	// what a machine or a process leaves that ended while it wrote: the
	// beginning of a frame, or zeros.
	run                  int64
	runIsCutOff, runZero bool
	damaged              bool
}

// next gives the next frame, valid until the next call. At the end it is
// io.EOF; more may be found after end has moved.
func (s *scanner) next() (frame []byte, err error) {
	for s.off < s.end {
		size, found := parse(s.buf[s.from:])
		switch {
		case found == whole:
			s.damaged = s.damaged || s.run > 0
			s.run = 0
			frame = s.buf[s.from : s.from+size]
			s.off += int64(size)
			s.from += size
			return frame, nil
		case found == noise:
			s.skip(false)
		case s.off+int64(len(s.buf)-s.from) < s.end: // cut off by the window
			if err := s.fill(size); err != nil {
				return nil, err
			}
		case s.growing:
			return nil, io.EOF
		default:
			s.skip(true)
		}
	}
	if s.run > 0 && !s.runIsCutOff && !s.runZero {
		s.damaged = true
	}
	return nil, io.EOF
}

func (s *scanner) skip(isCutOff bool) {
	if s.run == 0 {
		s.runIsCutOff, s.runZero = isCutOff, true
	}
	s.runZero = s.runZero && s.buf[s.from] == 0
	s.run++
	s.skipped++
	s.off++
	s.from++
}

// fill reads on, so that at least size bytes are there, or all that are left.
func (s *scanner) fill(size int) error {
	s.buf = append(s.buf[:0], s.buf[s.from:]...)
	s.from = 0
	have := len(s.buf)
	want := int(min(int64(max(size, window)), s.end-s.off))
	for cap(s.buf) < want {
		s.buf = append(s.buf[:cap(s.buf)], 0)
	}
	n, err := s.file.ReadAt(s.buf[have:want], s.off+int64(have))
	s.buf = s.buf[:have+n]
	if errors.Is(err, io.EOF) {
		s.end = s.off + int64(have+n) // someone has cut the file
		return nil
	}
	return err
}
