// Package catalogue knows which feature transforms there are: those that the
// program ships and those that somebody drops into the plugins folder. It
// watches the folder, has each new file judged and offers what is admitted by
// name and digest.
//
// # What counts as a plugin
//
// A regular file right in the folder whose name ends in .wasm and does not
// begin with a dot. A symlink is followed as long as it stays inside the
// folder, which is how orchestrators mount a folder of files and swap them all
// at once; one that leads out of it, or is absolute, is refused. So is whatever
// else bears such a name: a pipe or a device is never opened.
//
// # When a file is read
//
// Once two scans in a row saw the same file, size and modification time, and
// only if all of that still holds after reading. Writing to a name that is not
// looked at (.x.wasm, x.wasm.tmp) and renaming is therefore safe, and so is
// writing in place, which is just seen later. A file that was judged is not
// read again until it changes; `touch` has it judged again.
//
// # What changes mean
//
// The folder decides what is offered. A file that is removed, or replaced by
// one that is refused, is withdrawn; while a replacement waits or is checked,
// the former content stays on offer. A transform that was resolved before stays
// usable whatever happens in the folder: models carry their own bytes.
//
// # What a name means
//
// The folder's file NAME.wasm where it offers NAME, whatever other files offer
// that name. Else the one content that files of the folder offer under the name,
// and several are an error. Else the shipped one. Each of them is reachable by
// NAME@DIGEST. A file's name ends in .wasm in small letters: calendar.WASM is
// no plugin.
//
// # Why polling
//
// Notifications (inotify) are not sent for network filesystems, are not
// forwarded into containers by every bind mount, are lost when the queue
// overflows or the folder itself is replaced, and say nothing of whether the
// writer is done. A scan that compares states is needed beside them anyway, and
// with it alone there is one way to be right. It costs one listing and one stat
// a file, twice a second.
package catalogue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"livelab/pipeline/features"
	"livelab/plugins/abi"
)

// Admitter judges modules.
type Admitter interface {
	// Admit runs the whole admission on a module's bytes, which it may keep.
	// The error is the reason for a refusal, or wraps ErrUndecided. It ends
	// early with ctx.
	Admit(ctx context.Context, code []byte) (Admitted, error)
}

// ErrUndecided is for a module of which an Admitter could not tell, for a
// reason that lies in the machine and may pass. It is judged again later.
var ErrUndecided = errors.New("could not be judged")

// retryAfter is how long later.
const retryAfter = 10 * time.Second

// Admitted is a module that may be used.
type Admitted struct {
	Transform   features.Transform
	Description abi.Description // what the module says of itself
}

// Catalogue offers transforms. It is safe for concurrent use. It watches once:
// what was stopped does not start again, and goes on offering what it knows.
type Catalogue struct {
	cfg Config
	log *slog.Logger

	open func(*os.Root, string) (file, error) // openFile, but in tests

	scanning sync.Mutex // held during a scan
	checking sync.Mutex // held during a check: one at a time

	mu      sync.RWMutex // guards what follows; never held while waiting for a file or the admitter
	shipped []*plugin
	files   map[string]*plugin // of the folder, by name
	skipped int                // files beyond MaxFiles and MaxTotal
	problem string             // with the folder
	turns   int                // given out to plugins that are to be checked
	started bool
	stopped bool

	settled chan struct{} // has a token when there is something to check
	life    context.Context
	end     context.CancelFunc
	done    sync.WaitGroup
}

// New checks the configuration. It neither reads the folder nor judges
// anything: that is for Start, or Load.
func New(cfg Config) (*Catalogue, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	c := &Catalogue{
		cfg: cfg, log: cfg.Logger, open: openFile,
		files: make(map[string]*plugin), settled: make(chan struct{}, 1),
	}
	c.life, c.end = context.WithCancel(context.Background())
	for _, s := range cfg.Shipped {
		p := &plugin{file: s.File, shipped: true, code: s.Code, size: int64(len(s.Code))}
		c.shipped = append(c.shipped, p)
		c.queue(p)
	}
	return c, nil
}

// Start watches the folder and judges what is new, in the background. A second
// call, and one after Stop, does nothing.
func (c *Catalogue) Start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started || c.stopped {
		return
	}
	c.started = true
	c.done.Go(c.watch)
	c.done.Go(c.judge)
}

// Stop ends the watching and breaks off a check under way. It waits for both
// until ctx ends. A second call, and one before Start, is fine.
func (c *Catalogue) Stop(ctx context.Context) error {
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.end()
	over := make(chan struct{})
	go func() {
		c.done.Wait()
		close(over)
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the check of a plugin did not end in time: %w", ctx.Err())
	}
}

func (c *Catalogue) watch() {
	tick := time.NewTicker(c.cfg.Interval)
	defer tick.Stop()
	for {
		// A problem is logged and shown; the next scan may do better.
		_ = c.Scan(c.life)
		select {
		case <-tick.C:
		case <-c.life.Done():
			return
		}
	}
}

func (c *Catalogue) judge() {
	for {
		if c.checkNext(c.life) {
			continue
		}
		select {
		case <-c.settled:
		case <-c.life.Done():
			return
		}
	}
}

// loadScans bounds how often Load looks: a file that somebody goes on writing
// to must not hold a program up for ever.
const loadScans = 6

// Load scans and judges until nothing waits any more, for a program that wants
// to know what there is, once. Where files are still being written to after a
// few intervals it leaves them in the state waiting.
//
// Given references, as Resolve takes them, it judges the files first that are
// called like one, and may end as soon as no other file can change what they
// mean.
func (c *Catalogue) Load(ctx context.Context, references ...string) error {
	for scan := 1; ; scan++ {
		err := c.Scan(ctx)
		for !c.decided(references) && c.checkNext(ctx, references...) {
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("load the plugins: %w", err)
		}
		if err != nil || c.decided(references) || !c.anyWaits() || scan == loadScans {
			return err
		}
		select {
		case <-time.After(c.cfg.Interval):
		case <-ctx.Done():
		}
	}
}
