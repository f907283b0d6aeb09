package catalogue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/plugins/abi"
)

var noon = time.Date(2026, 5, 11, 12, 0, 0, 0, time.UTC)

// admitter takes "NAME anything" for a module that offers NAME, and refuses
// "bad REASON".
type admitter struct {
	mu      sync.Mutex
	judged  []string
	current int
	most    int           // admissions at one time
	gate    chan struct{} // where not nil, an admission of "slow …" waits for it
	entered chan struct{} // has a token for each that waits
}

func (a *admitter) Admit(ctx context.Context, code []byte) (Admitted, error) {
	text := string(code)
	a.mu.Lock()
	a.judged = append(a.judged, text)
	a.current++
	a.most = max(a.most, a.current)
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.current--
		a.mu.Unlock()
	}()
	name, rest, _ := strings.Cut(text, " ")
	switch name {
	case "bad":
		return Admitted{}, errors.New(rest)
	case "busy":
		return Admitted{}, fmt.Errorf("%w: no process can be started", ErrUndecided)
	case "slow":
		a.entered <- struct{}{}
		select {
		case <-a.gate:
		case <-ctx.Done():
			return Admitted{}, ctx.Err()
		}
	}
	t := featurestest.New(name, []string{"free_bikes"}, []string{"share"}, func(in, out []float64) error {
		out[0] = in[0]
		return nil
	})
	t.Pin.Digest = digest(text)
	least := 0.0
	return Admitted{t, abi.Description{Name: name, Doc: "what " + name + " is", Outputs: []abi.Output{{Name: "share", Doc: "a share", Min: &least}}}}, nil
}

func (a *admitter) times(code string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, j := range a.judged {
		if j == code {
			n++
		}
	}
	return n
}

func digest(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// bench is a catalogue over a folder of its own, to be stepped by hand.
type bench struct {
	*Catalogue
	t     *testing.T
	dir   string
	judge *admitter
	ticks int // makes each write a different time
}

func setup(t *testing.T, change ...func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), judge: &admitter{gate: make(chan struct{}), entered: make(chan struct{}, 16)}}
	cfg := Config{Dir: b.dir, Admitter: b.judge, Now: func() time.Time { return noon }, Interval: time.Millisecond}
	for _, f := range change {
		f(&cfg)
	}
	b.dir = cfg.Dir
	var err error
	if b.Catalogue, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) write(name, content string) {
	b.t.Helper()
	if err := os.WriteFile(b.path(name), []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.touch(name)
}

// touch gives a file a time that it never had, however coarse the clock of the
// filesystem is.
func (b *bench) touch(name string) {
	b.t.Helper()
	b.ticks++
	at := noon.Add(time.Duration(b.ticks) * time.Minute)
	b.must(os.Chtimes(b.path(name), at, at))
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) scan() {
	b.t.Helper()
	b.must(b.Scan(b.t.Context()))
}

// check judges all that is to be judged.
func (b *bench) check() {
	for b.checkNext(b.t.Context()) {
	}
}

// settle scans as often as it takes to know what the folder holds.
func (b *bench) settle() {
	b.t.Helper()
	for range 3 {
		b.scan()
		b.check()
	}
}

func (b *bench) entry(file string) Entry {
	b.t.Helper()
	for _, e := range b.Entries() {
		if e.File == file && !e.Shipped {
			return e
		}
	}
	b.t.Fatalf("%s is not listed: %+v", file, b.Entries())
	return Entry{}
}

func (b *bench) is(file string, state State, reason string) {
	b.t.Helper()
	e := b.entry(file)
	if e.State != state || !strings.Contains(e.Reason, reason) || reason == "" && e.Reason != "" {
		b.t.Errorf("%s is %s (%s), want %s (%s)", file, e.State, e.Reason, state, reason)
	}
}

func (b *bench) resolves(reference, code string) features.Transform {
	b.t.Helper()
	found, err := b.Resolve(reference)
	if err != nil {
		b.t.Fatal(err)
	}
	if got := found.Spec().Digest; got != digest(code) {
		b.t.Errorf("%s is %s, want that of %q", reference, got, code)
	}
	return found
}

func (b *bench) fails(reference string, want ...string) {
	b.t.Helper()
	_, err := b.Resolve(reference)
	if err == nil {
		b.t.Errorf("%s was found", reference)
		return
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			b.t.Errorf("%s: %v; want %q in it", reference, err, part)
		}
	}
}
