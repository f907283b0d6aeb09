package wasm

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Pages of files, such as those of the program itself, are not charged to the
// module that is compiled.
func TestMemoryLeavesFilesOut(t *testing.T) {
	const size = 64 << 20
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, test := range map[string]struct {
		flags int
		file  int
		grows bool
	}{
		"file":      {syscall.MAP_PRIVATE, int(f.Fd()), false},
		"anonymous": {syscall.MAP_PRIVATE | syscall.MAP_ANON, -1, true},
	} {
		protection := syscall.PROT_READ
		if test.grows {
			protection |= syscall.PROT_WRITE
		}
		p, err := syscall.Mmap(test.file, 0, size, protection, test.flags)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := memory()
		sum := byte(0)
		for i := 0; i < size; i += 4096 {
			if test.grows {
				p[i] = 1
			}
			sum += p[i]
		}
		after, _ := memory()
		if grown := after - before; (grown > size/2) != test.grows {
			t.Errorf("%s: %d MiB more after %d MiB were read (%d)", name, grown>>20, size>>20, sum)
		}
		if err := syscall.Munmap(p); err != nil {
			t.Error(err)
		}
	}
}
