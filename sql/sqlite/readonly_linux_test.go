package sqlite_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"livelab/sql/sqlite"
)

// asNobody lets fn reach files as a user without rights, since root may write
// anywhere. It counts for the thread of fn only.
func asNobody(t *testing.T, fn func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		fn()
		return
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const nobody = 65534
	if err := syscall.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setfsuid(0)
	fn()
}

func TestReadOnly(t *testing.T) {
	// A folder that nobody can enter would hide what is tested.
	dir, err := os.MkdirTemp("", "readonly-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	reopenOnce(t, filepath.Join(dir, "there.db")).Close()
	if err := os.Chmod(filepath.Join(dir, "there.db"), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	for _, name := range []string{"new.db", "there.db"} {
		path := filepath.Join(dir, name)
		asNobody(t, func() {
			s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err == nil {
				s.Close()
				t.Errorf("%s: opened in a folder that cannot be written", name)
				return
			}
			if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "writable") {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("something was left behind: %v", entries)
	}
}
