package main

import (
	"io"
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// progress shows long work on a terminal. On anything else it is silent.
type progress struct {
	bars *mpb.Progress // nil where there is no terminal
}

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{bars: mpb.New(mpb.WithOutput(w), mpb.WithWidth(40))}
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
		p.bars.Wait()
	}
}
