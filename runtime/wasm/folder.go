package wasm

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
)

// A folderError is that of a folder which does not take what admission writes.
type folderError struct {
	folder string
	err    error
	before *folderError // of the folder that this one is in the place of
}

func (e *folderError) Error() string {
	text := fmt.Sprintf("machine code cannot be written to %s: %v", e.folder, e.err)
	if e.before != nil {
		text += fmt.Sprintf("; nor to %s: %v", e.before.folder, e.before.err)
	}
	return text + ": free some space, or name a cache folder that can be written to"
}

func (e *folderError) Unwrap() error { return e.err }

// unwritable tells whether an error is that of a folder without rights, or of
// a disk that is full or cannot be written to.
func unwritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) ||
		slices.ContainsFunc(diskErrors, func(e error) bool { return errors.Is(err, e) })
}

// openFolder gives a folder that only this user can write to. Without a name
// it is the user's cache. Where that cannot be made it is a temporary one,
// which the caller removes.
func openFolder(name string, log *slog.Logger) (folder string, temporary bool, err error) {
	folder, named := name, name != ""
	if !named {
		if folder, err = os.UserCacheDir(); err == nil {
			folder = filepath.Join(folder, "livelab", "wasm")
		}
	}
	if err == nil {
		err = makePrivate(folder)
	}
	if err == nil || named && !unwritable(err) {
		return folder, false, err
	}
	folder, err = temporaryFolder(&folderError{folder: cmp.Or(folder, "the user's cache folder"), err: err}, log)
	return folder, true, err
}

// temporaryFolder in the place of one, which is said.
func temporaryFolder(before *folderError, log *slog.Logger) (string, error) {
	folder, err := os.MkdirTemp("", "livelab-wasm-")
	if err != nil {
		return "", &folderError{folder: os.TempDir(), err: err, before: before}
	}
	log.Warn("transforms are compiled at each start, for want of a cache folder that can be written to",
		"folder", before.folder, "error", before.err, "instead", folder)
	return folder, nil
}

// leave a folder that does not take what is written, for a temporary one. It
// gives the error back where there is one already.
func (h *Host) leave(full *folderError) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.temporary != "" {
		return full
	}
	folder, err := temporaryFolder(full, h.cfg.Logger)
	if err != nil {
		return err
	}
	h.temporary = folder
	h.spare = &store{folder: folder, entries: h.cfg.CacheEntries, log: h.cfg.Logger, before: full}
	return nil
}

// stores of the host, of which the last one is written to.
func (h *Host) stores() []*store {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.spare == nil {
		return []*store{h.store}
	}
	return []*store{h.store, h.spare}
}

// makePrivate makes a folder, and what is missing above it, for this user
// alone, and checks it where it was there.
func makePrivate(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make the cache of transforms: %w", err)
	}
	if err := checkPrivate(folder); err != nil {
		return fmt.Errorf("the cache of transforms: %w", err)
	}
	return nil
}
