package wasm

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	w "livelab/runtime/wasm/wasmtest"
)

// TestRealDisks has disks of the system that are full and read-only, and a
// folder without rights.
func TestRealDisks(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		flags uintptr
		data  string
		below string
	}{
		"too small for machine code": {0, "size=8k,mode=700", ""},
		"too small for a folder":     {0, "nr_inodes=1,mode=700", ""},
		"too small for its folder":   {0, "nr_inodes=1,mode=700", "cache"},
		"read-only":                  {syscall.MS_RDONLY, "mode=700", ""},
		"read-only, to be made":      {syscall.MS_RDONLY, "mode=700", "cache"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if err := syscall.Mount("tmpfs", folder, "tmpfs", tt.flags, tt.data); err != nil {
				if !errors.Is(err, syscall.EPERM) {
					t.Fatal(err)
				}
				t.Skipf("this user may not mount a disk of its own: %v", err)
			}
			t.Cleanup(func() {
				if err := syscall.Unmount(folder, 0); err != nil {
					t.Error(err)
				}
			})
			admitElsewhere(t, filepath.Join(folder, tt.below))
		})
	}
	t.Run("no rights", func(t *testing.T) {
		t.Parallel()
		if os.Geteuid() == 0 {
			t.Skip("root may write everywhere")
		}
		folder := t.TempDir()
		if err := os.Chmod(folder, 0o500); err != nil {
			t.Fatal(err)
		}
		admitElsewhere(t, folder)
	})
}

// admitElsewhere wants a module admitted although the folder takes nothing.
func admitElsewhere(t *testing.T, folder string) {
	t.Helper()
	h := newHost(t, func(c *Config) { c.CacheFolder = folder })
	admit(t, h, w.Transform{}.Bytes())
	if h.temporary == "" {
		t.Error("there is no temporary folder")
	}
	if list, _ := os.ReadDir(folder); len(list) != 0 {
		t.Errorf("left in the folder: %v", list)
	}
}
