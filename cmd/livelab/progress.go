package main

import (
	"io"
	"os"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// progress shows long work on a terminal. On anything else it is silent.
type progress struct {
	bars *mpb.Progress // nil where there is no terminal

	logs   *logWriter
	stderr io.Writer
}

// newProgress shows work on the error stream. Until wait, the log is written
// above the bars, which would draw over it otherwise.
func (a *app) newProgress() *progress {
	f, ok := a.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	p := &progress{bars: mpb.New(mpb.WithOutput(f), mpb.WithWidth(40)), logs: a.logs, stderr: f}
	a.logs.set(p.bars)
	return p
}

// logWriter is where the log goes at the moment.
type logWriter struct {
	mu sync.Mutex
	to io.Writer
}

func (w *logWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(b)
}

func (w *logWriter) set(to io.Writer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to = to
}

// step shows one piece of work. It returns what is to be called as the work
// goes on, and what is to be called when it has ended.
func (p *progress) step(name string) (at func(done, total int64), end func()) {
	if p.bars == nil {
		return func(int64, int64) {}, func() {}
	}
	bar := p.bars.AddBar(0,
		mpb.PrependDecorators(decor.Name(name, decor.WC{W: 28, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), decor.Elapsed(decor.ET_STYLE_GO, decor.WC{W: 6})),
	)
	at = func(done, total int64) {
		bar.SetTotal(total, false)
		bar.SetCurrent(done)
	}
	return at, func() { bar.SetTotal(-1, true) }
}

// wait draws what is left to draw.
func (p *progress) wait() {
	if p.bars != nil {
		p.logs.set(p.stderr)
		p.bars.Wait()
	}
}
