package spool

import (
	"errors"
	"io"
	"os"
)

// batchBytes is at how many bytes a batch has enough.
const batchBytes = 2 << 20

// reader is what the reading goroutine knows.
type reader struct {
	segment  *segment
	file     *os.File
	scan     scanner
	inFlight int // records that were read and are not done with; Spool.mu guards it
}

// Read appends the next whole frames to frames, at most as many as asked for,
// and says how many those are and how many were found to be spoilt. It does
// not wait: none means that all has been read. Before the next Read comes
// Done. One goroutine at a time may call the two.
func (s *Spool) Read(frames []byte, most int) (_ []byte, records, lost int) {
	start := len(frames)
	for {
		g := s.toRead()
		if g == nil {
			return frames, 0, lost
		}
		n := 0
		var err error
		for n < most && len(frames)-start < batchBytes && err == nil {
			var frame []byte
			if frame, err = s.reader.scan.next(); err == nil {
				frames = append(frames, frame...)
				n++
			}
		}
		finished, spoilt, taken := s.took(g, n, err)
		lost += spoilt
		switch {
		case !taken: // given up meanwhile, and its records counted as lost
			frames = frames[:start]
		case n > 0 || !finished:
			return frames, n, lost
		default:
			s.Done()
		}
	}
}

// toRead gives the segment that is next, opened. It is nil when there is none.
func (s *Spool) toRead() *segment {
	g := s.unfinished()
	if g == nil {
		return nil
	}
	r := &s.reader
	if r.segment != g {
		r.close()
		r.segment = g
		var file io.ReaderAt
		if f, err := os.Open(g.path); err == nil {
			r.file, file = f, f
		} else {
			file = unreadable{err}
		}
		r.scan = scanner{file: file, buf: r.scan.buf[:0]}
		s.mu.Lock()
		r.scan.off = g.done
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.scan.end, r.scan.growing = g.size, g == s.active
	return g
}

// unfinished is the first segment that has more to read, nil when none has.
func (s *Spool) unfinished() *segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.segments {
		if !g.finished {
			return g
		}
	}
	return nil
}

// unreadable stands in for a file that cannot be opened.
type unreadable struct{ err error }

func (u unreadable) ReadAt([]byte, int64) (int, error) { return 0, u.err }

// took notes what was read of a segment, and how that ended: whether that was
// all of it, and how many records ought to have been there, too. It answers
// false where the segment was given up meanwhile.
func (s *Spool) took(g *segment, n int, err error) (finished bool, lost int, taken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.dropped {
		return false, 0, false
	}
	scan := &s.reader.scan
	g.read = scan.off
	if g.unread != unknown {
		g.unread = max(g.unread-n, 0)
	}
	s.reader.inFlight = n
	g.damaged, g.skipped = g.damaged || scan.damaged, scan.skipped
	if err == nil {
		return false, 0, true
	}
	if !errors.Is(err, io.EOF) {
		g.damaged, g.failed = true, err
		g.skipped += g.size - g.read
	}
	if scan.growing { // it was, and may have grown meanwhile
		s.stale = s.stale || g == s.active && g.failed != nil // it ends with the next record
		return false, 0, true
	}
	lost = max(g.unread, 0)
	g.read, g.unread, g.finished = g.size, 0, true
	return true, lost, true
}

// Done says that all that was read is dealt with, so that it is not read again
// after a restart, and removes the segments that are.
func (s *Spool) Done() {
	s.mu.Lock()
	s.reader.inFlight = 0
	var at position
	var finished []*segment
	for len(s.segments) > 0 {
		g := s.segments[0]
		g.done = g.read
		at = position{g.number, g.done}
		if !g.finished {
			break
		}
		finished = append(finished, g)
		s.segments = s.segments[1:]
	}
	s.mu.Unlock()
	if s.reader.segment != nil && (len(finished) > 0) {
		s.reader.close()
	}
	for _, g := range finished {
		s.slot.remove(g, s.cfg.Logger)
	}
	if at == (position{}) {
		return
	}
	// Without it rows are offered twice after a restart, which is no loss.
	if err := s.slot.writePosition(at); err != nil {
		s.positionFailed.Do(func() {
			s.cfg.Logger.Warn("the spool's position cannot be written: after a restart records are read again", "error", err)
		})
	}
}

// Kept says whether what was read last is still in the spool.
func (s *Spool) Kept() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reader.segment != nil && !s.reader.segment.dropped
}

// PutAside has the file of what was read last kept once it is done with, as a
// damaged one is: someone else may know what to do with it.
func (s *Spool) PutAside() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reader.segment != nil {
		s.reader.segment.damaged = true
	}
}

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
	}
	r.segment, r.file = nil, nil
}
