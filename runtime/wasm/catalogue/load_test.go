package catalogue

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestFileOfTheName holds that NAME.wasm is what NAME means, whatever else
// offers the name, and only where it does offer it.
func TestFileOfTheName(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.Shipped = []Shipped{{"calendar.wasm", []byte("calendar 0")}} })
	b.write("a.wasm", "calendar 1")
	b.write("calendar.wasm", "calendar 2")
	b.write("z.wasm", "calendar 3")
	b.settle()
	b.resolves("calendar", "calendar 2")
	for _, code := range []string{"calendar 0", "calendar 1", "calendar 3"} {
		b.resolves("calendar@"+digest(code)[:12], code)
	}
	for _, e := range b.Entries() {
		if yields := strings.Contains(e.Reason, `the name calendar means "calendar.wasm" of the folder; this one is calendar@`); yields != (e.Digest != digest("calendar 2")) {
			t.Errorf("%s (shipped %v) says %q", e.File, e.Shipped, e.Reason)
		}
	}
	b.write("calendar.wasm", "comfort 1")
	b.settle()
	b.fails("calendar", "offered by 2 files")
	b.resolves("comfort", "comfort 1")
}

// TestLoadEndsWhenDecided holds that a file which is slow to judge, or still
// being written, holds nobody up who names another.
func TestLoadEndsWhenDecided(t *testing.T) {
	t.Parallel()
	for _, reference := range []string{"calendar", "calendar@" + digest("calendar 1")} {
		b := setup(t)
		b.write("a.wasm", "slow 1") // whoever judges it waits for ever
		b.write("calendar.wasm", "calendar 1")
		b.must(b.loadUnlessSlow(reference))
		b.resolves("calendar", "calendar 1")
		b.is("a.wasm", Checking, "")
		b.must(b.loadUnlessSlow(reference))
		if n := b.judge.times("calendar 1"); n != 1 {
			t.Errorf("judged %d times", n)
		}
	}
}

// loadUnlessSlow breaks a Load off when it has the slow one judged.
func (b *bench) loadUnlessSlow(references ...string) error {
	ctx, stop := context.WithCancel(b.t.Context())
	defer stop()
	go func() {
		select {
		case <-b.judge.entered:
			stop()
		case <-ctx.Done():
		}
	}()
	return b.Load(ctx, references...)
}

// TestLoadWaitsForWhatMatters names what only the whole folder decides.
func TestLoadWaitsForWhatMatters(t *testing.T) {
	t.Parallel()
	ship := func(c *Config) {
		c.Shipped = []Shipped{{"calendar.wasm", []byte("calendar 0")}, {"slow.wasm", []byte("slow 0")}}
	}
	for _, tt := range []struct {
		name, file, code string
		ended            bool
	}{
		{"a shipped one and an empty folder", "", "", true},
		{"a shipped one and a file that may offer its name", "a.wasm", "slow 1", false},
		{"a shipped one and a file that must be asked", "calendar.wasm", "slow 1", false},
	} {
		b := setup(t, ship)
		if tt.file != "" {
			b.write(tt.file, tt.code)
		}
		err := b.loadUnlessSlow("calendar")
		if ended := err == nil; ended != tt.ended {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	b := setup(t)
	b.write("calendar.wasm", "calendar 1")
	b.write("b.wasm", "comfort 1")
	b.must(b.Load(t.Context(), "calendar", "comfort"))
	b.resolves("comfort", "comfort 1")
}

// TestWhatIsLogged holds at what level an offer is said, and why it ends.
func TestWhatIsLogged(t *testing.T) {
	t.Parallel()
	var said logged
	b := setup(t, func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.MaxFiles = 1
	})
	b.write("b.wasm", "comfort 1")
	b.must(b.Load(t.Context()))
	said.has(t, `level=DEBUG msg="a transform is offered" file=b.wasm`)
	b.write("a.wasm", "calendar 1")
	b.settle()
	said.has(t, `msg="a transform is withdrawn: its file is one too many" file=b.wasm`)

	b.Start()
	defer func() { b.must(b.Stop(t.Context())) }()
	b.write("a.wasm", "calendar 2")
	said.has(t, `level=INFO msg="a transform is offered" file=a.wasm`)
	b.must(os.Remove(b.path("a.wasm")))
	said.has(t, `msg="a transform is withdrawn: its file is gone" file=a.wasm`)
}

// logged is what was logged so far.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// has waits for a part of a line.
func (l *logged) has(t *testing.T, part string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		text := l.text.String()
		l.mu.Unlock()
		if strings.Contains(text, part) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("no %q in\n%s", part, text)
		}
	}
}
