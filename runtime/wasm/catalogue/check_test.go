package catalogue

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRefusedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("momentum.wasm", "bad it imports the moon")
	for range 5 {
		b.settle()
	}
	b.is("momentum.wasm", Refused, "it imports the moon")
	b.fails("momentum", "momentum.wasm is refused: it imports the moon")
	if n := len(b.judge.judged); n != 1 {
		t.Errorf("judged %d times", n)
	}
	b.touch("momentum.wasm")
	b.settle()
	if n := len(b.judge.judged); n != 2 {
		t.Errorf("judged %d times after a touch, want 2", n)
	}
	b.write("momentum.wasm", "momentum 1")
	b.settle()
	b.resolves("momentum", "momentum 1")
}

// TestUndecided holds that a machine in trouble is no verdict on a file.
func TestUndecided(t *testing.T) {
	t.Parallel()
	now := noon
	b := setup(t, func(c *Config) {
		c.Now = func() time.Time { return now }
		c.Shipped = []Shipped{{"shipped.wasm", []byte("busy shipped")}}
	})
	b.write("calendar.wasm", "busy 1")
	for range 3 {
		b.settle()
	}
	b.is("calendar.wasm", Waiting, "could not be judged: no process can be started; it is tried again")
	if n, m := b.judge.times("busy 1"), b.judge.times("busy shipped"); n != 1 || m != 1 {
		t.Errorf("judged %d and %d times before it was time", n, m)
	}
	now = now.Add(retryAfter)
	b.settle()
	if n, m := b.judge.times("busy 1"), b.judge.times("busy shipped"); n != 2 || m != 2 {
		t.Errorf("judged %d and %d times", n, m)
	}
	b.write("calendar.wasm", "calendar 1") // counts at once
	b.settle()
	b.is("calendar.wasm", Offered, "")
}

func TestReplaced(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("calendar.wasm", "calendar 1")
	b.settle()
	old := b.resolves("calendar", "calendar 1")

	// While a replacement is not judged, the former is on offer.
	b.write("calendar.wasm", "calendar 2")
	b.scan()
	b.is("calendar.wasm", Waiting, "the former content is offered meanwhile")
	b.resolves("calendar", "calendar 1")
	b.scan()
	b.is("calendar.wasm", Checking, "the former content is offered meanwhile")
	b.resolves("calendar", "calendar 1")
	b.check()
	b.is("calendar.wasm", Offered, "")
	b.resolves("calendar", "calendar 2")

	// A replacement that is refused withdraws it: the folder says so.
	b.write("calendar.wasm", "bad no memory")
	b.settle()
	b.is("calendar.wasm", Refused, "no memory")
	b.fails("calendar", "refused: no memory")
	b.fails("calendar@" + digest("calendar 2"))

	// What was resolved before still answers.
	out := []float64{0}
	if err := old.ApplyRow([]float64{7}, out); err != nil || out[0] != 7 {
		t.Errorf("got %v, %v", out, err)
	}
}

func TestRemoved(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("calendar.wasm", "calendar 1")
	b.settle()
	b.must(os.Remove(b.path("calendar.wasm")))
	b.scan()
	b.fails("calendar", "there is no transform")
	if got := b.Entries(); len(got) != 0 {
		t.Errorf("listed %+v", got)
	}
}

func TestRenameIsSafe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write(".calendar.wasm.part", "calen")
	b.settle()
	b.write(".calendar.wasm.part", "calendar 1")
	b.must(os.Rename(b.path(".calendar.wasm.part"), b.path("calendar.wasm")))
	b.settle()
	b.resolves("calendar", "calendar 1")
	if n := len(b.judge.judged); n != 1 {
		t.Errorf("judged %q", b.judge.judged)
	}
}

// meddled is an open file to which something happens around its reading.
type meddled struct {
	file
	before, after func()
}

func (m meddled) Read(p []byte) (int, error) {
	m.before()
	n, err := io.ReadFull(m.file, p)
	m.after()
	return n, err
}

// TestChangedWhileRead holds that a file which is not the same after reading as
// before is read again, whichever way it changed.
func TestChangedWhileRead(t *testing.T) {
	t.Parallel()
	replace := func(b *bench, content string) {
		b.write("new.tmp", content)
		b.must(os.Rename(b.path("new.tmp"), b.path("calendar.wasm")))
	}
	ways := map[string]func(b *bench){
		"written in place": func(b *bench) { b.write("calendar.wasm", "calendar 2") },
		"appended to": func(b *bench) {
			f, err := os.OpenFile(b.path("calendar.wasm"), os.O_APPEND|os.O_WRONLY, 0)
			b.must(err)
			_, err = f.WriteString("1")
			b.must(errors.Join(err, f.Close()))
		},
		"truncated": func(b *bench) { b.must(os.Truncate(b.path("calendar.wasm"), 3)) },
		"replaced":  func(b *bench) { replace(b, "calendar 2") },
		"replaced by a pipe": func(b *bench) {
			b.must(os.Remove(b.path("calendar.wasm")))
			b.must(syscall.Mkfifo(b.path("calendar.wasm"), 0o600))
		},
		"removed": func(b *bench) { b.must(os.Remove(b.path("calendar.wasm"))) },
	}
	for name, way := range ways {
		for _, when := range []string{"before opening", "before reading", "after reading"} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				b.write("calendar.wasm", "calendar 1")
				b.scan()
				b.scan()
				nothing := func() {}
				b.open = func(root *os.Root, name string) (file, error) {
					b.open = openFile
					if when == "before opening" {
						way(b)
					}
					f, err := openFile(root, name)
					switch when {
					case "before opening":
						return meddled{f, func() { t.Error("what is another file was read") }, nothing}, err
					case "before reading":
						return meddled{f, func() { way(b) }, nothing}, err
					}
					return meddled{f, nothing, func() { way(b) }}, err
				}
				b.check()
				if len(b.judge.judged) != 0 {
					t.Errorf("%q was judged, though the file changed", b.judge.judged)
				}
				b.is("calendar.wasm", Waiting, "being written")
				now, err := os.Lstat(b.path("calendar.wasm"))
				b.settle()
				if err != nil || !now.Mode().IsRegular() {
					return
				}
				code, err := os.ReadFile(b.path("calendar.wasm"))
				b.must(err)
				if b.judge.times(string(code)) != 1 || len(b.judge.judged) != 1 {
					t.Errorf("judged %q, want %q", b.judge.judged, code)
				}
			})
		}
	}
}

// TestVerdictOnFormerContent holds that a verdict which comes after the file
// has changed is not taken for one on the new content.
func TestVerdictOnFormerContent(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(b *bench){
		"replaced": func(b *bench) { b.write("slow.wasm", "bad news") },
		"removed":  func(b *bench) { b.must(os.Remove(b.path("slow.wasm"))) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged strings.Builder
			b := setup(t, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&logged, nil)) })
			b.write("slow.wasm", "slow 1")
			b.scan()
			b.scan()
			judged := make(chan struct{})
			go func() { b.checkNext(t.Context()); close(judged) }()
			<-b.judge.entered
			change(b)
			b.scan()
			close(b.judge.gate)
			<-judged
			b.fails("slow")
			b.settle()
			b.fails("slow")
			if strings.Contains(logged.String(), "is offered") {
				t.Errorf("logged %s", logged.String())
			}
		})
	}
}

// TestSlowDoesNotHoldUp holds that while one file is judged, others are listed
// and what is on offer is found, and that one is judged at a time.
func TestSlowDoesNotHoldUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("calendar.wasm", "calendar 1")
	b.settle()
	b.write("slow.wasm", "slow 1")
	b.Start()
	<-b.judge.entered
	b.write("pressure.wasm", "pressure 1")
	until(t, func() bool { return len(b.Entries()) == 3 && b.entry("pressure.wasm").State == Checking })
	b.is("slow.wasm", Checking, "")
	b.resolves("calendar", "calendar 1")
	loaded := make(chan error)
	go func() { loaded <- b.Load(t.Context()) }()
	select {
	case <-b.judge.entered:
		t.Error("a second check began beside the first")
	case <-time.After(30 * time.Millisecond):
	}
	close(b.judge.gate)
	b.must(<-loaded)
	until(t, func() bool { return b.entry("pressure.wasm").State == Offered && b.entry("slow.wasm").State == Offered })
	b.must(b.Stop(t.Context()))
	if b.judge.most != 1 || b.judge.times("slow 1") != 1 {
		t.Errorf("%d files were judged at one time, one of them %d times", b.judge.most, b.judge.times("slow 1"))
	}
}

// TestInTurn holds that what was ready first is judged first.
func TestInTurn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var want []string
	for _, name := range []string{"c", "a", "e", "b", "d"} {
		b.write(name+".wasm", name+" 1")
		b.scan()
		b.scan()
		want = append(want, name+" 1")
	}
	b.check()
	if got := b.judge.judged; !slices.Equal(got, want) {
		t.Errorf("judged %q, want %q", got, want)
	}
}

func until(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.must(b.Stop(t.Context()))
	b.must(b.Stop(t.Context()))
	b.Start()
	b.write("calendar.wasm", "calendar 1")
	b.must(b.Stop(t.Context()))
	if len(b.Entries()) != 0 {
		t.Error("it watched after Stop")
	}

	b = setup(t)
	b.Start()
	b.Start()
	b.write("slow.wasm", "slow 1")
	<-b.judge.entered
	b.must(b.Stop(t.Context())) // breaks the check off
	b.must(b.Stop(t.Context()))
	b.is("slow.wasm", Checking, "") // which is no verdict
}

// TestStopDoesNotWaitForEver holds that an admission that does not end with
// its context does not keep the program from ending.
func TestStopDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	entered := make(chan struct{})
	b := setup(t, func(c *Config) {
		c.Admitter = admitFunc(func(context.Context, []byte) (Admitted, error) {
			close(entered)
			<-release
			return Admitted{}, errors.New("late")
		})
		c.Shipped = []Shipped{{"stuck.wasm", []byte("stuck 1")}}
	})
	b.Start()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Stop(ctx); err == nil || !strings.Contains(err.Error(), "did not end in time") {
		t.Errorf("got %v", err)
	}
	close(release)
	b.must(b.Stop(t.Context()))
}

type admitFunc func(context.Context, []byte) (Admitted, error)

func (f admitFunc) Admit(ctx context.Context, code []byte) (Admitted, error) { return f(ctx, code) }

func TestLoad(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) { c.Shipped = []Shipped{{"pressure.wasm", []byte("pressure 1")}} })
	b.write("calendar.wasm", "calendar 1")
	b.write("broken.wasm", "bad magic")
	b.must(b.Load(t.Context()))
	b.resolves("calendar", "calendar 1")
	b.resolves("pressure", "pressure 1")
	b.is("broken.wasm", Refused, "magic")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Load(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestLoadDoesNotWaitForTrouble holds that Load does not stay for what is only
// tried again much later.
func TestLoadDoesNotWaitForTrouble(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *Config) {
		c.Interval = time.Hour
		c.Shipped = []Shipped{{"shipped.wasm", []byte("busy 1")}}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	b.must(b.Load(ctx))
}

// TestLoadEnds holds that a file which is written to all the time does not
// keep Load from ending.
func TestLoadEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.write("busy.wasm", "never 1")
	b.write("calendar.wasm", "calendar 1")
	b.open = func(root *os.Root, name string) (file, error) {
		if name == "busy.wasm" {
			b.touch(name)
		}
		return openFile(root, name)
	}
	b.must(b.Load(t.Context()))
	b.is("busy.wasm", Waiting, "being written")
	b.resolves("calendar", "calendar 1")
}
