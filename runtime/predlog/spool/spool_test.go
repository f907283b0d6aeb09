package spool

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// frame makes a frame of a text.
func frame(text string) []byte {
	b := append(Reserve(nil), text...)
	Seal(b, 0)
	return b
}

// texts are n records.
func texts(from, n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("record %04d", from+i))
	}
	return list
}

func open(t testing.TB, cfg Config) *Spool {
	t.Helper()
	s, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func closing(t testing.TB, s *Spool) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// write appends records, each with a write of its own, and says how many old
// ones had to go.
func write(t testing.TB, s *Spool, list []string) (dropped int) {
	t.Helper()
	for _, text := range list {
		n, err := s.Append(frame(text), 1)
		if err != nil {
			t.Fatal(err)
		}
		dropped += n
	}
	return dropped
}

// read gives what one Read does.
func read(s *Spool, most int) (list []string, lost int) {
	frames, n, lost := s.Read(nil, most)
	Each(frames, func(record []byte) { list = append(list, string(record)) })
	if len(list) != n {
		panic("the number of frames is wrong")
	}
	return list, lost
}

// readAll gives all that is there, done with.
func readAll(s *Spool) (list []string) {
	for {
		got, _ := read(s, 7)
		if len(got) == 0 {
			return list
		}
		s.Done()
		list = append(list, got...)
	}
}

func equal(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d records %.200q, want %d %.200q", what, len(got), got, len(want), want)
	}
}

// files lists the files of a folder's first part by their extension.
func files(t *testing.T, dir, ext string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "1", "*"+ext))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestQueue(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := Config{Dir: dir, SegmentBytes: 100}
	s := open(t, cfg)
	write(t, s, texts(0, 50))
	got, _ := read(s, 3)
	equal(t, "first read", got, texts(0, 3))
	s.Done()
	if n, size := s.Waiting(); n != 47 || size <= 0 {
		t.Errorf("%d records of %d bytes wait, want 47", n, size)
	}
	got, _ = read(s, 100) // and nobody says that they are done with
	if len(got) == 0 || got[0] != "record 0003" {
		t.Errorf("second read: %q", got)
	}
	if n, _ := s.Waiting(); n != 47 {
		t.Errorf("%d wait while some are under way, want 47", n)
	}
	closing(t, s)

	s = open(t, cfg)
	s.Count()
	if n, _ := s.Waiting(); n != 47 {
		t.Errorf("%d wait after a restart, want 47", n)
	}
	write(t, s, texts(50, 10))
	equal(t, "after a restart", readAll(s), texts(3, 57))
	if n, size := s.Waiting(); n != 0 || size != 0 {
		t.Errorf("%d records of %d bytes wait at the end", n, size)
	}
	closing(t, s)
	if left := files(t, dir, segmentExt); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	s = open(t, cfg)
	defer closing(t, s)
	write(t, s, texts(60, 1))
	equal(t, "numbers do not begin anew", readAll(s), texts(60, 1))
}

// TestCutAnywhere cuts a spool off after each of its bytes, as a killed machine
// would.
func TestCutAnywhere(t *testing.T) {
	t.Parallel()
	whole := []byte{}
	ends := []int{0}
	for _, text := range texts(0, 5) {
		whole = append(whole, frame(text)...)
		ends = append(ends, len(whole))
	}
	for n := range len(whole) + 1 {
		for _, tail := range [][]byte{nil, make([]byte, 60)} { // zeros: sizes may reach the disk before the data
			dir := laid(t, append(slices.Clone(whole[:n]), tail...))
			s := open(t, Config{Dir: dir})
			intact := len(ends) - 1
			for ends[intact] > n {
				intact--
			}
			equal(t, fmt.Sprintf("cut at %d", n), readAll(s), texts(0, intact))
			write(t, s, texts(9, 1))
			equal(t, "what comes next", readAll(s), texts(9, 1))
			closing(t, s)
			// A record that was cut off was never acknowledged: nothing to keep.
			if aside := files(t, dir, damagedExt); tail == nil && len(aside) > 0 {
				t.Errorf("cut at %d: kept aside: %v", n, aside)
			}
		}
	}
}

// laid is a folder with a segment of these bytes.
func laid(t *testing.T, segments ...[]byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "1"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i, b := range segments {
		if err := os.WriteFile(filepath.Join(dir, "1", fmt.Sprintf("%08d.seg", i+1)), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestFlippedBits flips a bit of each byte: the one record is lost, all others
// are read, and the file is kept.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	var whole []byte
	for _, text := range texts(0, 6) {
		whole = append(whole, frame(text)...)
	}
	size := len(whole) / 6
	for i := range whole {
		b := slices.Clone(whole)
		b[i] ^= 1 << (i % 8)
		dir := laid(t, b, frame("record 0006"))
		var log strings.Builder
		s := open(t, Config{Dir: dir, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		want := slices.Delete(texts(0, 7), i/size, i/size+1)
		equal(t, fmt.Sprintf("byte %d", i), readAll(s), want)
		closing(t, s)
		aside := files(t, dir, damagedExt)
		switch {
		case len(aside) == 1:
			if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, b) || !strings.Contains(log.String(), aside[0]) {
				t.Errorf("byte %d: kept %x, %v; log: %s", i, kept, err, &log)
			}
		case i < 5*size || i >= 5*size+3: // a longer last record looks like one that was cut off
			t.Errorf("byte %d: kept aside: %v", i, aside)
		}
	}
}

func TestGarbage(t *testing.T) {
	t.Parallel()
	noise := bytes.Repeat([]byte{marker, 3, 0x80, marker, 0, 0, 0, 1}, 50_000)
	dir := laid(t, frame("record 0000"), noise, []byte("GIF89a"), frame("record 0001"))
	odd := filepath.Join(dir, "1", "00000009.seg")
	if err := os.Mkdir(odd, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"position": "half a pos", "notes.txt": "x", "000x.seg": "x", "00000007.seg2": "x"} {
		if err := os.WriteFile(filepath.Join(dir, "1", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s := open(t, Config{Dir: dir})
	s.Count()
	write(t, s, texts(2, 2))
	equal(t, "what is whole", readAll(s), texts(0, 4))
	closing(t, s)
	if aside := files(t, dir, damagedExt); len(aside) != 3 {
		t.Errorf("kept aside: %v, want the noise, the picture and the folder", aside)
	}
}

// TestVanishedFile removes a segment before it was read.
func TestVanishedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, Config{Dir: dir, SegmentBytes: 1})
	defer closing(t, s)
	write(t, s, texts(0, 3))
	if err := os.Remove(files(t, dir, segmentExt)[1]); err != nil {
		t.Fatal(err)
	}
	lost := 0
	var got []string
	for range 4 {
		list, n := read(s, 9)
		got, lost = append(got, list...), lost+n
		s.Done()
	}
	if !slices.Equal(got, []string{"record 0000", "record 0002"}) || lost != 1 {
		t.Errorf("%q read and %d lost", got, lost)
	}
}

func TestFull(t *testing.T) {
	t.Parallel()
	one := int64(len(frame("record 0000")))
	t.Run("newest", func(t *testing.T) {
		t.Parallel()
		s := open(t, Config{Dir: t.TempDir(), MaxBytes: 10 * one, SegmentBytes: one, Full: DropNewest})
		defer closing(t, s)
		write(t, s, texts(0, 10))
		if n, err := s.Append(frame("record 0010"), 1); !errors.Is(err, ErrFull) || n != 0 {
			t.Errorf("%d dropped, error %v, want ErrFull", n, err)
		}
		equal(t, "the oldest", readAll(s), texts(0, 10))
		write(t, s, texts(11, 1))
		equal(t, "with room again", readAll(s), texts(11, 1))
	})
	t.Run("oldest", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		cfg := Config{Dir: dir, MaxBytes: 10 * one, SegmentBytes: one}
		s := open(t, cfg)
		if n := write(t, s, texts(0, 25)); n != 15 {
			t.Errorf("%d dropped, want 15", n)
		}
		closing(t, s)
		s = open(t, cfg)
		defer closing(t, s)
		// Those from before the start are counted when they have to go.
		if n := write(t, s, texts(25, 4)); n != 4 {
			t.Errorf("%d dropped, want 4", n)
		}
		// What was read and is under way is not dropped: it is stored yet.
		got, _ := read(s, 1)
		equal(t, "the oldest that is left", got, texts(19, 1))
		if n := write(t, s, texts(29, 2)); n != 1 {
			t.Errorf("%d dropped beside the one that is under way, want 1", n)
		}
		if s.Kept() {
			t.Error("what is under way is said to be in the spool")
		}
		s.Done()
		equal(t, "the newest", readAll(s), texts(21, 10))
	})
}

// TestAccounts has one goroutine write into a spool that is too small while
// another reads: each record is read or counted as dropped, none is both.
func TestAccounts(t *testing.T) {
	t.Parallel()
	s := open(t, Config{Dir: t.TempDir(), MaxBytes: 2000, SegmentBytes: 200})
	defer closing(t, s)
	const n = 5000
	dropped, ended := 0, make(chan struct{})
	go func() {
		defer close(ended)
		for i := range n {
			d, err := s.Append(frame(fmt.Sprintf("record %04d", i)), 1)
			if err == nil && i%100 == 0 {
				err = s.Sync()
			}
			if err != nil {
				t.Error(err)
			}
			dropped += d
		}
	}()
	var seen []string
	lost := 0
	for running := true; running; {
		select {
		case <-ended:
			running = false
		default:
		}
		for got, l := read(s, 7); len(got) > 0; got, l = read(s, 7) {
			seen, lost = append(seen, got...), lost+l
			s.Done()
		}
	}
	if len(seen)+dropped != n || lost > 0 || dropped == 0 || !slices.IsSorted(seen) {
		t.Errorf("%d read, %d dropped and %d lost of %d, in order: %v", len(seen), dropped, lost, n, slices.IsSorted(seen))
	}
}

// TestSlots has two processes' spools in one folder, and a third that finds
// what they left.
func TestSlots(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: t.TempDir()}
	first, second := open(t, cfg), open(t, cfg)
	if first.Dir() == second.Dir() {
		t.Fatalf("both have %s", first.Dir())
	}
	write(t, first, texts(0, 3))
	write(t, second, texts(3, 3))
	third := open(t, cfg)
	equal(t, "while the others live", readAll(third), nil)
	for _, s := range []*Spool{first, second, third} {
		closing(t, s)
	}
	heir := open(t, cfg)
	defer closing(t, heir)
	heir.Count()
	if n, _ := heir.Waiting(); n != 6 {
		t.Errorf("%d wait, want 6", n)
	}
	equal(t, "inherited", readAll(heir), texts(0, 6))
	again := open(t, cfg)
	defer closing(t, again)
	equal(t, "not inherited twice", readAll(again), nil)
}

func TestManySlots(t *testing.T) {
	t.Parallel()
	cfg := Config{Dir: t.TempDir()}
	for range maxSlots {
		defer closing(t, open(t, cfg))
	}
	if _, err := Open(cfg); err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "name another folder") {
		t.Errorf("error %v, want one line that says what to do", err)
	}
}

func TestSyncBesideWriting(t *testing.T) {
	t.Parallel()
	s := open(t, Config{Dir: t.TempDir(), SegmentBytes: 300})
	var syncing sync.WaitGroup
	for range 2 {
		syncing.Go(func() {
			for range 50 {
				if err := s.Sync(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	write(t, s, texts(0, 500))
	syncing.Wait()
	equal(t, "all", readAll(s), texts(0, 500))
	closing(t, s)
}

// FuzzScan gives any bytes to a reader: it comes to an end, and finds all
// frames that stand behind them.
func FuzzScan(f *testing.F) {
	f.Add([]byte("noise"))
	f.Add(frame("a record"))
	f.Add(frame("a record")[:12])
	f.Add(append([]byte{0xff, 0xff, 0x0f, marker, 1, 2, 3, 4}, frame("hidden")...))
	f.Fuzz(func(t *testing.T, before []byte) {
		b := append(slices.Clone(before), bytes.Repeat([]byte{1}, frameHeader)...)
		b = append(b, frame("the end")...)
		scan := scanner{file: bytes.NewReader(b), end: int64(len(b))}
		last := ""
		for {
			got, err := scan.next()
			if err != nil {
				break
			}
			if size, found := parse(got); found != whole || size != len(got) {
				t.Fatalf("%x is no frame", got)
			}
			last = string(got[frameHeader:])
		}
		if scan.off != int64(len(b)) {
			t.Errorf("stopped at %d of %d", scan.off, len(b))
		}
		if last != "the end" && !bytes.HasSuffix([]byte(last), frame("the end")) {
			t.Errorf("the last record is %q", last)
		}
	})
}
