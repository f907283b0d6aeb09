package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/gofrs/flock"
)

const (
	lockFile     = "lock"
	positionFile = "position"
	segmentExt   = ".seg"
	damagedExt   = ".damaged"

	// maxSlots is how many processes can use one folder.
	maxSlots = 16
)

// slot is the part of the folder that one process has for itself.
type slot struct {
	root, dir string
	lock      *flock.Flock
	position  *os.File // nil until the first is written

	remade atomic.Bool // the folder was made anew, and position is of the one before
}

// takeSlot takes the first part of the folder that no process has.
func takeSlot(root string) (*slot, error) {
	for i := range maxSlots {
		s, err := lockSlot(root, strconv.Itoa(i+1))
		if s != nil || err != nil {
			return s, err
		}
	}
	return nil, fmt.Errorf("%s is used by %d processes already: name another folder", root, maxSlots)
}

// lockSlot answers with nil where another process has it.
func lockSlot(root, name string) (*slot, error) {
	dir := filepath.Join(root, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dir, lockFile))
	switch locked, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock %s (it must be writable): %w", dir, err)
	case !locked:
		return nil, lock.Close()
	}
	return &slot{root: root, dir: dir, lock: lock}, nil
}

func (s *slot) close() error {
	var err error
	if s.position != nil {
		err = s.position.Close()
	}
	return errors.Join(err, s.lock.Close())
}

// remake makes the folder anew after someone has removed it.
func (s *slot) remake() error {
	again, err := lockSlot(s.root, filepath.Base(s.dir))
	switch {
	case err != nil:
		return err
	case again == nil:
		return fmt.Errorf("%s was removed, and is used by another process now", s.dir)
	}
	err = s.lock.Close()
	s.lock = again.lock
	s.remade.Store(true)
	return err
}

// segments lists the slot's segments, in order.
func (s *slot) segments() ([]*segment, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var list []*segment
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), segmentExt)
		number, err := strconv.Atoi(name)
		if !ok || err != nil || number < 1 || e.Type()&^fs.ModeDir != 0 { // opening a pipe would wait
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		list = append(list, &segment{number: number, path: filepath.Join(s.dir, e.Name()), size: info.Size(), unread: unknown})
	}
	slices.SortFunc(list, func(a, b *segment) int { return a.number - b.number })
	return list, nil
}

func (s *slot) segmentPath(number int) string {
	return filepath.Join(s.dir, fmt.Sprintf("%08d%s", number, segmentExt))
}

// adopt moves here what processes that are no more left in other slots. Their
// records are read from the beginning, whether they were done with or not.
func (s *slot) adopt() error {
	dirs, err := os.ReadDir(s.root)
	if err != nil {
		return err
	}
	for _, d := range dirs {
		if _, err := strconv.Atoi(d.Name()); err != nil || !d.IsDir() || d.Name() == filepath.Base(s.dir) {
			continue
		}
		if err := s.adoptFrom(d.Name()); err != nil {
			return err
		}
	}
	return nil
}

func (s *slot) adoptFrom(name string) (err error) {
	other, err := lockSlot(s.root, name)
	if other == nil || err != nil {
		return err
	}
	defer func() { err = errors.Join(err, other.close()) }()
	theirs, err := other.segments()
	if err != nil || len(theirs) == 0 {
		return err
	}
	ours, err := s.segments()
	if err != nil {
		return err
	}
	next := s.readPosition().segment + 1
	for _, g := range ours {
		next = max(next, g.number+1)
	}
	for _, g := range theirs {
		if err := os.Rename(g.path, s.segmentPath(next)); err != nil {
			return err
		}
		next++
	}
	return nil
}

// remove deletes a segment that is done with, and puts a damaged one aside.
func (s *slot) remove(g *segment, log *slog.Logger) {
	if !g.damaged {
		if err := os.Remove(g.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			log.Warn("a part of the spool that is done with could not be removed", slog.Any("error", err))
		}
		return
	}
	aside := strings.TrimSuffix(g.path, segmentExt) + damagedExt
	if err := os.Rename(g.path, aside); err != nil {
		log.Error("a damaged part of the spool could not be put aside", slog.Any("error", err))
		return
	}
	log.Error("a part of the spool is damaged: its whole records were taken, the file is kept aside",
		slog.String("file", aside), slog.Int64("bytes_skipped", g.skipped), slog.Any("error", g.failed))
}

// position is up to where records are done with.
type position struct {
	segment int
	offset  int64
}

const positionFormat = "%016x %016x"

// readPosition is the zero position where none was written, or half of one.
func (s *slot) readPosition() (p position) {
	b, err := os.ReadFile(filepath.Join(s.dir, positionFile))
	if err != nil || len(b) != 33+4 || crc32.Checksum(b[:33], castagnoli) != binary.LittleEndian.Uint32(b[33:]) {
		return position{}
	}
	if _, err := fmt.Sscanf(string(b[:33]), positionFormat, &p.segment, &p.offset); err != nil {
		return position{}
	}
	return p
}

// writePosition overwrites the position where it stands: one small write,
// which is made whole or not at all when the process is killed. Where the
// machine ends in it the checksum says so, and records are read again.
func (s *slot) writePosition(p position) (err error) {
	if s.remade.Swap(false) && s.position != nil {
		s.position.Close()
		s.position = nil
	}
	if s.position == nil {
		if s.position, err = os.OpenFile(filepath.Join(s.dir, positionFile), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			return err
		}
	}
	b := fmt.Appendf(nil, positionFormat, p.segment, p.offset)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	_, err = s.position.WriteAt(b, 0)
	return err
}
