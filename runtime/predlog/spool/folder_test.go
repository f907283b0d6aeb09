package spool

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestPrivate holds that what clients sent is for this user alone.
func TestPrivate(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "spool")
	s := open(t, Config{Dir: root})
	defer closing(t, s)
	write(t, s, texts(0, 3))
	read(s, 2)
	s.Done()
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", path, info.Mode())
		}
		seen++
		return err
	})
	if err != nil || seen != 5 { // two folders, and a lock, a position and a segment
		t.Errorf("%d seen, %v", seen, err)
	}
}

// TestRemovedFolder removes the folder under a spool: from its next Sync on it
// writes into a new one, which is as much its own as the first.
func TestRemovedFolder(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "spool")
	s := open(t, Config{Dir: root})
	write(t, s, texts(0, 3))
	read(s, 1)
	s.Done()
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	if err := s.Sync(); err == nil {
		t.Error("no word of the removal")
	}
	write(t, s, texts(3, 3))
	if err := s.Sync(); err != nil {
		t.Error(err)
	}
	other := open(t, Config{Dir: root})
	if filepath.Base(other.Dir()) != "2" {
		t.Errorf("another one has %s", other.Dir())
	}
	closing(t, other)
	got := []string{}
	for range 4 { // what the reader had open it reads to its end
		list, _ := read(s, 2)
		got = append(got, list...)
		s.Done()
		if len(got) == 4 {
			break
		}
	}
	equal(t, "read by the same process", got, texts(1, 4))
	closing(t, s)
	again := open(t, Config{Dir: root})
	defer closing(t, again)
	equal(t, "read by the next one", readAll(again), texts(5, 1))
}

// TestPutAside keeps a file that was read whole, since it was asked to.
func TestPutAside(t *testing.T) {
	t.Parallel()
	for _, beforeClose := range []bool{true, false} {
		dir := t.TempDir()
		s := open(t, Config{Dir: dir})
		write(t, s, texts(0, 3))
		if !beforeClose {
			closing(t, s)
			s = open(t, Config{Dir: dir})
		}
		read(s, 3)
		s.PutAside()
		s.Done()
		read(s, 3)
		closing(t, s)
		aside := files(t, dir, damagedExt)
		if len(aside) != 1 || len(files(t, dir, segmentExt)) > 0 {
			t.Fatalf("kept aside: %v", aside)
		}
		b, err := os.ReadFile(aside[0])
		if want := slices.Concat(frame("record 0000"), frame("record 0001"), frame("record 0002")); err != nil || !slices.Equal(b, want) {
			t.Errorf("%q, %v", b, err)
		}
	}
}
