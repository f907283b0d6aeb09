package spool

import (
	"path/filepath"
	"syscall"
	"testing"
)

// TestPipe leaves alone what would make its reader wait for ever.
func TestPipe(t *testing.T) {
	t.Parallel()
	dir := laid(t, frame("record 0000"))
	if err := syscall.Mkfifo(filepath.Join(dir, "1", "00000002"+segmentExt), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, Config{Dir: dir})
	defer closing(t, s)
	s.Count()
	equal(t, "read", readAll(s), texts(0, 1))
}
