package wasm

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
)

// openFolder gives a folder that only this user can write to. Without a name
// it is the user's cache, or else a temporary one, which the caller removes.
func openFolder(name string, log *slog.Logger) (folder string, temporary bool, err error) {
	if name != "" {
		return name, false, makePrivate(name)
	}
	cache, err := os.UserCacheDir()
	if err == nil {
		folder = filepath.Join(cache, "livelab", "wasm")
		if err = makePrivate(folder); err == nil {
			return folder, false, nil
		}
	}
	log.Warn("transforms are compiled at each start, for want of a cache folder", "error", err)
	if folder, err = os.MkdirTemp("", "livelab-wasm-"); err != nil {
		return "", false, fmt.Errorf("make a folder for machine code: %w", err)
	}
	return folder, true, nil
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
