// Package matrix writes the rows of a training into a file for other programs:
// notebooks, and a comparison with another trainer on the very same rows. Rows
// come block by block, so that a file may be larger than memory.
package matrix

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"livelab/pipeline/model"
	"livelab/pipeline/train"
)

// Write writes the rows of a layout into a new file, whose name says how: .npz
// for NumPy, .parquet for the rest. Where there is a model, each row has the
// probability that it gives.
func Write(ctx context.Context, path string, l *train.Layout, m *model.Model) error {
	write := writeNPZ
	switch filepath.Ext(path) {
	case ".npz":
	case ".parquet":
		write = writeParquet
	default:
		return fmt.Errorf("write matrix: %s is neither .npz nor .parquet", path)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return fmt.Errorf("write matrix: %w", err)
	}
	err = write(ctx, f, l, m)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		// What was written so far is no matrix.
		if removed := os.Remove(path); removed != nil {
			return fmt.Errorf("write matrix: %w; remove %s: %w", err, path, removed)
		}
		return fmt.Errorf("write matrix: %w", err)
	}
	return nil
}

// entityOf names the station of a row, "" for a network.
func entityOf(l *train.Layout, row int) string {
	if l.Entity == nil {
		return ""
	}
	return l.Stations[l.Entity[row]]
}
