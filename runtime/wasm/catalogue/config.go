package catalogue

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Shipped is a transform that comes with the program.
type Shipped struct {
	File string // as it would be called in the folder, such as calendar.wasm
	Code []byte
}

// Config says what a Catalogue watches. Zero fields take their default.
type Config struct {
	// Dir is the plugins folder. It may be missing, and appear later. Empty
	// watches none.
	Dir string

	Admitter Admitter

	// Shipped are offered beside the folder's. By name, a file of the folder
	// goes before them.
	Shipped []Shipped

	// Interval lies between two scans. Default 500 ms.
	Interval time.Duration

	// MaxFiles is how many plugins of the folder are looked at, in the order of
	// their names, and MaxTotal how many bytes of them. Default 256 and 128 MiB.
	MaxFiles int
	MaxTotal int64

	// MaxSize of a file that is read, in bytes. Default 8 MiB, as much as
	// admission takes.
	MaxSize int64

	Logger *slog.Logger     // nil logs nothing
	Now    func() time.Time // nil is time.Now
}

func (c *Config) setDefaults() {
	c.Interval = cmp.Or(c.Interval, 500*time.Millisecond)
	c.MaxFiles = cmp.Or(c.MaxFiles, 256)
	c.MaxTotal = cmp.Or(c.MaxTotal, 128<<20)
	c.MaxSize = cmp.Or(c.MaxSize, 8<<20)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

func (c *Config) validate() error {
	if c.Admitter == nil {
		return errors.New("catalogue: no admitter")
	}
	if c.Interval < 0 || c.MaxFiles < 0 || c.MaxTotal < 0 || c.MaxSize < 0 {
		return fmt.Errorf("catalogue: interval %v, at most %d files of %d bytes and %d in all: these must be positive", c.Interval, c.MaxFiles, c.MaxSize, c.MaxTotal)
	}
	return nil
}
