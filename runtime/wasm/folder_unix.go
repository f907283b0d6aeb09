//go:build unix

package wasm

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// diskErrors are of a disk that does not take what is written to it.
var diskErrors = []error{syscall.ENOSPC, syscall.EROFS, syscall.EDQUOT}

// checkPrivate refuses a folder into which another user could put machine
// code, or that another user could put another one in the place of.
func checkPrivate(folder string) error {
	folder, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return err
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	if info.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) {
		return fmt.Errorf("folder %s belongs to another user: name one of your own", folder)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("folder %s has mode %v, and others can write to it: chmod 700 it", folder, info.Mode().Perm())
	}
	for above := filepath.Dir(folder); ; above = filepath.Dir(above) {
		if err := checkAbove(above); err != nil {
			return err
		}
		if above == filepath.Dir(above) {
			return nil
		}
	}
}

func checkAbove(folder string) error {
	info, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	if owner != 0 && owner != uint32(os.Geteuid()) {
		return fmt.Errorf("folder %s belongs to another user: name a cache folder elsewhere", folder)
	}
	if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("folder %s has mode %v, and others can write to it: name a cache folder elsewhere", folder, info.Mode().Perm())
	}
	return nil
}
