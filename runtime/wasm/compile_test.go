package wasm

import (
	"context"
	"errors"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"livelab/runtime/wasm/module"
	w "livelab/runtime/wasm/wasmtest"
)

// bomb is a small module whose one function makes the engine's compiler take
// seconds and hundreds of MiB: values meet wherever branches do.
func bomb(blocks int) []byte {
	const locals = 1000
	var body w.Code
	for i := range blocks {
		at := uint32(i % locals)
		body += w.Block(w.Empty, w.LocalGet(at), w.BrIf(0), w.LocalGet(at)+w.LocalSet((at+1)%locals))
	}
	return w.Transform{First: func(b *w.Builder) {
		b.Func(w.None, w.None, w.Types(strings.Repeat(string(w.I32), locals)), w.Loop(w.Empty, body, w.LocalGet(0), w.BrIf(0)))
	}}.Bytes()
}

// unlimited lets the parser pass what the child is to stop.
func unlimited(c *Config) {
	c.Limits = module.DefaultLimits()
	c.Limits.FunctionWork, c.Limits.Work = 1<<40, 1<<40
}

func TestChildIsStopped(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"by time":   {func(c *Config) { c.Compile = CompileLimits{CPU: 50 * time.Millisecond, CPUPerKB: 1, Memory: 1 << 30} }, "of processor time"},
		"by memory": {func(c *Config) { c.Compile = CompileLimits{CPU: time.Minute, Memory: 2 << 20, MemoryByte: 1} }, "MiB of memory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "by memory" && runtime.GOOS != "linux" {
				t.Skip("only Linux bounds the memory of the child to the MiB")
			}
			h := newHost(t, func(c *Config) { unlimited(c); test.change(c) })
			r := h.Check(context.Background(), bomb(1000))
			var refusal *Refusal
			if err := r.Err(); !errors.As(err, &refusal) || refusal.Step != StepCompile || !strings.Contains(refusal.Reason, test.want) {
				t.Errorf("got %v, want a refusal with %q", err, test.want)
			}
			admit(t, newHost(t, nil), w.Transform{}.Bytes())
		})
	}
}

func TestCompileThatWaitsTooLong(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *Config) { c.Compile.Wall = 1 })
	r := h.Check(context.Background(), w.Transform{}.Bytes())
	var refusal *Refusal
	if err := r.Err(); err == nil || errors.As(err, &refusal) || !strings.Contains(err.Error(), "less busy") {
		t.Errorf("got %v, want no refusal but a failure", err)
	}
}

func TestCompileIsCancelled(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := compile(ctx, h.cfg, nil, 0, t.TempDir(), ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestEngineRefuses(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	err := compile(context.Background(), h.cfg, []byte("no module"), 0, t.TempDir(), "")
	var refusal *Refusal
	if !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, "invalid magic number") {
		t.Errorf("got %v", err)
	}
}

func TestJobThatCannotBeRead(t *testing.T) {
	t.Parallel()
	self, err := executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = []string{compileVariable + "=not JSON"}
	said, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "the job cannot be read") {
		t.Errorf("got %v, %s", err, said)
	}
}

func TestLimitsGrowWithCode(t *testing.T) {
	t.Parallel()
	c := Config{}.withDefaults().Compile
	small, large := c.job(1<<10), c.job(1<<20)
	if small.CPU >= slowdown*500*time.Millisecond || small.Memory > slowdown*64<<20 {
		t.Errorf("1 KiB of code may take %v and %d MiB", small.CPU, small.Memory>>20)
	}
	if large.CPU < slowdown*4*time.Second || large.Memory < slowdown*70<<20 {
		t.Errorf("1 MiB of code may take %v and %d MiB", large.CPU, large.Memory>>20)
	}
}
