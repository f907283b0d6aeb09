package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// unknown is how many unread records a segment has that was not looked at.
const unknown = -1

// segment is a file of frames. Spool.mu guards it.
type segment struct {
	number int
	path   string
	size   int64 // up to where whole frames were written
	done   int64 // up to where records are done with
	read   int64 // up to where records were read
	unread int   // records after that, or unknown

	finished bool  // all of it was read
	dropped  bool  // it was given up for want of room
	damaged  bool  // it has bytes that are no records
	skipped  int64 // how many
	failed   error // why it could not be read, if it could not
}

// Append writes frames behind the others, in one write, and says how many of
// the oldest records had to go for them. Where the spool is full and the
// oldest are to stay the error is ErrFull. Any other means that the disk takes
// nothing at the moment; the frames are then not in the spool. One goroutine
// at a time may call it.
func (s *Spool) Append(frames []byte, records int) (dropped int, err error) {
	dropped, err = s.makeRoom(int64(len(frames)))
	if err != nil {
		return dropped, err
	}
	g, err := s.toWrite()
	if err != nil {
		return dropped, err
	}
	if _, err := s.file.Write(frames); err != nil {
		if s.file.Truncate(g.size) != nil { // a part of a frame may stand there
			s.retire()
		}
		return dropped, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g.size += int64(len(frames))
	g.unread += records
	s.dirty = true
	return dropped, nil
}

// makeRoom gives up the oldest segments while n bytes more would be too many.
func (s *Spool) makeRoom(n int64) (dropped int, err error) {
	for {
		s.mu.Lock()
		total := n
		for _, g := range s.segments {
			total += g.size
		}
		if total <= s.cfg.MaxBytes {
			s.mu.Unlock()
			return dropped, nil
		}
		if s.cfg.Full == DropNewest || len(s.segments) == 0 {
			s.mu.Unlock()
			return dropped, ErrFull
		}
		g := s.segments[0]
		if g.unread == unknown {
			s.mu.Unlock()
			s.count(g)
			continue
		}
		g.dropped = true
		dropped += g.unread
		s.segments = s.segments[1:]
		if g == s.active {
			s.retireLocked()
		}
		s.mu.Unlock()
		s.slot.remove(g, s.cfg.Logger)
	}
}

// toWrite gives the segment to append to and sees to it that file is open. A
// disk that hangs keeps the appending goroutine alone: who asks how much waits
// must not wait for it.
func (s *Spool) toWrite() (*segment, error) {
	if g := s.writable(); g != nil {
		return g, nil
	}
	f, err := s.newFile()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retireLocked()
	g := &segment{number: s.next, path: f.Name()}
	s.next++
	s.file, s.active, s.newNames, s.stale = f, g, true, false
	s.segments = append(s.segments, g)
	return g, nil
}

// writable is the segment that is written to, nil where another is due.
func (s *Spool) writable() *segment {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.active; g != nil && g.size < s.cfg.SegmentBytes && !s.stale {
		return g
	}
	return nil
}

// newFile makes the next segment's file, and the folder where someone has
// removed it.
func (s *Spool) newFile() (*os.File, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL | os.O_APPEND
	path := s.slot.segmentPath(s.next)
	f, err := os.OpenFile(path, flags, 0o600)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if err := s.slot.remake(); err != nil {
		return nil, err
	}
	s.cfg.Logger.Error("the spool's folder was removed and is made anew: what waited there may be lost", "folder", s.slot.dir)
	return os.OpenFile(path, flags, 0o600)
}

// retire ends the segment that is written to.
func (s *Spool) retire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retireLocked()
}

func (s *Spool) retireLocked() {
	if s.active != nil {
		s.retired = append(s.retired, s.file)
		s.file, s.active = nil, nil
	}
}

// Sync takes what was appended before the call to the disk. Any goroutine may
// call it.
func (s *Spool) Sync() error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	s.mu.Lock()
	retired, active, newNames := s.retired, s.file, s.newNames
	if !s.dirty {
		active = nil
	}
	s.retired, s.dirty, s.newNames = nil, false, false
	s.mu.Unlock()

	var errs []error
	for _, f := range retired {
		errs = append(errs, f.Sync(), f.Close())
	}
	if active != nil {
		if err := active.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
			errs = append(errs, err)
		}
		if _, err := os.Lstat(active.Name()); errors.Is(err, fs.ErrNotExist) && s.isActive(active) {
			errs = append(errs, fmt.Errorf("someone has removed the file that is written to: %w", err))
		}
	}
	if newNames {
		errs = append(errs, syncDir(s.slot.dir), syncDir(filepath.Dir(s.slot.dir)))
	}
	if err := errors.Join(errs...); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stale = true // the kernel may have forgotten what it could not write
		return fmt.Errorf("sync spool: %w", err)
	}
	return nil
}

// Synced says whether all that was appended is on the disk, as far as is known.
func (s *Spool) Synced() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.dirty && !s.newNames && len(s.retired) == 0
}

func (s *Spool) isActive(f *os.File) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file == f
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Count looks at segments from before the start, so that Waiting knows how
// many records they have. It is called before the first Read, by the same
// goroutine.
func (s *Spool) Count() {
	s.mu.Lock()
	list := append([]*segment(nil), s.segments...)
	s.mu.Unlock()
	for _, g := range list {
		s.count(g)
	}
}

// count counts the records of a segment from before the start. One that cannot
// be read has none that anyone can tell.
func (s *Spool) count(g *segment) {
	s.mu.Lock()
	known, scan := g.unread != unknown, scanner{off: g.read, end: g.size}
	s.mu.Unlock()
	if known {
		return
	}
	n := 0
	if f, err := os.Open(g.path); err == nil {
		defer f.Close()
		scan.file = f
		for _, err = scan.next(); err == nil; _, err = scan.next() {
			n++
		}
		if !errors.Is(err, io.EOF) {
			s.cfg.Logger.Warn("a part of the spool cannot be read", "error", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.unread == unknown {
		g.unread = n
	}
}
