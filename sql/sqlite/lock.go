package sqlite

import (
	"fmt"

	"github.com/gofrs/flock"
)

// Lock takes the store at path for this process alone, as `livelab up` does.
// It fails at once where another process has it. SQLite itself does not know
// of the lock: a process that does not ask for it can read and write.
//
// The lock is on a file beside the store, path + ".lock", which stays: a lock
// on the store itself would interfere with SQLite's own. It ends with the
// process or with release.
func Lock(path string) (release func() error, err error) {
	file := flock.New(path + ".lock")
	locked, err := file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock store: %w", err)
	}
	if !locked {
		return nil, fmt.Errorf("lock store: %s is in use by another livelab: stop that one, or name another file", path)
	}
	return file.Close, nil
}
