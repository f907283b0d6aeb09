package publish

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
)

const (
	defaultLockWait = 10 * time.Second
	lockRetry       = 10 * time.Millisecond
)

// lock waits until no one else changes the model, and clears what a killed
// writer left behind.
func (d *Dir) lock(ctx context.Context, name string) (unlock func(), err error) {
	path := filepath.Join(d.modelPath(name), lockFile)
	l := flock.New(path)
	wait := cmp.Or(d.LockWait, defaultLockWait)
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	_, err = l.TryLockContext(waiting, lockRetry)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("wait for %s: %w", path, ctx.Err())
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("another process has held %s for %s: wait for it or end it, then try again", path, wait)
	case err != nil:
		return nil, fmt.Errorf("lock the registry (it must be writable): %w", err)
	}
	if err := os.RemoveAll(d.stagingPath(name)); err != nil {
		return nil, errors.Join(fmt.Errorf("clear staging folder: %w", err), l.Unlock())
	}
	return func() {
		if err := l.Unlock(); err != nil {
			d.log().Warn("the registry's lock was not given back", "path", path, "error", err)
		}
	}, nil
}

// before tells the tests what is about to change on the disk.
func (d *Dir) before(step, path string) {
	if d.step != nil {
		d.step(step + " " + path)
	}
}

// makeDir makes a folder with those above it, durably.
func (d *Dir) makeDir(path string) error {
	if ok, err := exists(path); ok || err != nil {
		return err
	}
	above := filepath.Dir(path)
	if above != path {
		if err := d.makeDir(above); err != nil {
			return err
		}
	}
	d.before("make", path)
	if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return d.syncDir(above)
}

// stage gives a new path in the model's staging folder.
func (d *Dir) stage(name string) (string, error) {
	dir := d.stagingPath(name)
	if err := d.makeDir(dir); err != nil {
		return "", err
	}
	return filepath.Join(dir, rand.Text()), nil
}

// writeFile writes a new file and syncs it.
func (d *Dir) writeFile(path string, b []byte) error {
	d.before("write", path)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.Write(b); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// replacement is a file's new content.
type replacement struct {
	path    string
	content []byte
}

// replaceFiles puts files, new or in the place of old ones, one after the
// other in the order given, each in one step. All of them are on the disk
// before the first is moved into place: a disk that is full changes nothing.
func (d *Dir) replaceFiles(name string, rs ...replacement) (err error) {
	staged := make([]string, len(rs))
	defer func() {
		for i := range rs {
			if err != nil && staged[i] != "" {
				err = errors.Join(err, os.RemoveAll(staged[i]))
			}
		}
	}()
	for i, r := range rs {
		if staged[i], err = d.stage(name); err != nil {
			return err
		}
		if err := d.writeFile(staged[i], r.content); err != nil {
			return err
		}
	}
	for i, r := range rs {
		if err := d.move(staged[i], r.path); err != nil {
			return err
		}
	}
	return nil
}

// move renames what was staged into place, durably.
func (d *Dir) move(staged, path string) error {
	d.before("move to", path)
	if err := os.Rename(staged, path); err != nil {
		return errors.Join(err, os.RemoveAll(staged))
	}
	return d.syncDir(filepath.Dir(path))
}

// syncDir makes the names in a folder durable.
func (d *Dir) syncDir(path string) error {
	d.before("sync", path)
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
