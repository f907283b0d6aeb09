// Package spool keeps records on the disk until they have been dealt with: a
// queue that outlives the process. One goroutine appends and one reads, while
// others ask and sync.
//
// A folder has numbered segments, files of checksummed frames, and a file that
// says up to where records are done with. A record that was appended is with
// the operating system, so that it outlives the process; Sync takes it to the
// disk, so that it outlives the machine. After a crash records may be read
// again, but none is left out.
package spool

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

// Policy says which record is lost when the spool is full.
type Policy string

// The policies.
const (
	DropOldest Policy = "oldest" // a segment of the oldest
	DropNewest Policy = "newest" // the one that comes
)

// ErrFull says that a record was not taken, since the spool is full.
var ErrFull = errors.New("the spool is full")

// Config says how a Spool works. Zero fields take their default.
type Config struct {
	// Dir is the folder. Several processes may name the same one: each has a
	// part of it for itself.
	Dir string

	// MaxBytes bounds the size of the segments. Default 1 GiB.
	MaxBytes int64

	// SegmentBytes is the size at which a next segment is begun, and how much
	// DropOldest drops at once. Default 8 MiB, but at most an eighth of
	// MaxBytes.
	SegmentBytes int64

	// Full says what is lost when the spool is full. Default DropOldest.
	Full Policy

	Logger *slog.Logger
}

func (c *Config) setDefaults() {
	c.MaxBytes = cmp.Or(c.MaxBytes, 1<<30)
	c.SegmentBytes = min(cmp.Or(c.SegmentBytes, 8<<20), max(c.MaxBytes/8, 1))
	c.Full = cmp.Or(c.Full, DropOldest)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// Spool is a queue on the disk.
type Spool struct {
	cfg  Config
	slot *slot

	next   int    // the number of the next segment; the appending goroutine's own
	reader reader // the reading goroutine's own

	mu       sync.Mutex
	segments []*segment // in order
	active   *segment   // the last, while it is written to; nil before and after
	file     *os.File   // of active; the appending goroutine alone changes it
	dirty    bool       // file is to be synced
	stale    bool       // file could not be synced, and is written no more
	retired  []*os.File // to be synced and closed
	newNames bool       // a segment was made, so that the folder is to be synced

	syncing        sync.Mutex // one Sync at a time
	positionFailed sync.Once
}

// Open takes a free part of the folder, and what processes that are no more
// left in it.
func Open(cfg Config) (*Spool, error) {
	cfg.setDefaults()
	if cfg.Full != DropOldest && cfg.Full != DropNewest {
		return nil, fmt.Errorf("spool: full is %q, must be %q or %q", cfg.Full, DropOldest, DropNewest)
	}
	slot, err := takeSlot(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	s := &Spool{cfg: cfg, slot: slot}
	if err := s.recover(); err != nil {
		return nil, errors.Join(fmt.Errorf("open spool: %w", err), slot.close())
	}
	return s, nil
}

// recover finds what is left from before.
func (s *Spool) recover() (err error) {
	if err := s.slot.adopt(); err != nil {
		s.cfg.Logger.Warn("what another process left in the spool is left there", slog.Any("error", err))
	}
	done := s.slot.readPosition()
	if s.segments, err = s.slot.segments(); err != nil {
		return err
	}
	s.next = done.segment + 1
	for len(s.segments) > 0 && s.segments[0].number < done.segment {
		s.slot.remove(s.segments[0], s.cfg.Logger) // stored, and its removal was cut short
		s.segments = s.segments[1:]
	}
	for _, g := range s.segments {
		s.next = max(s.next, g.number+1)
		if g.number == done.segment {
			g.done = min(done.offset, g.size)
			g.read = g.done
		}
	}
	return nil
}

// Dir is the folder that this process has for itself.
func (s *Spool) Dir() string { return s.slot.dir }

// Waiting is how many bytes are not done with, and how many records those are.
// Records from before the start count once they have been looked at.
func (s *Spool) Waiting() (records int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.segments {
		records += max(g.unread, 0)
		bytes += g.size - g.done
	}
	return records + s.reader.inFlight, bytes
}

// Close syncs what was written and gives the folder back. No other call may be
// under way or come after it.
func (s *Spool) Close() error {
	s.retire()
	err := s.Sync()
	s.reader.close()
	for _, g := range s.segments {
		if g.done == g.size {
			s.slot.remove(g, s.cfg.Logger)
		}
	}
	return errors.Join(err, s.slot.close())
}
