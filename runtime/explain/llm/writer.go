// Package llm has a language model put predictions into words, within a rate, a
// time and a size, and the template wherever it may not be asked or fails. It is
// apart from package explain because its client is large: whoever serves words
// need not link who writes them.
package llm

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"livelab/runtime/explain"
)

// Writer has a model put facts into words, and writes by the template wherever
// the model may not be asked or fails. It is safe for concurrent use.
type Writer struct {
	cfg     Config
	client  *client
	rate    *rate.Limiter
	slots   chan struct{}
	circuit circuit
	metrics *metrics
}

// burst is how many explanations may follow each other at once within the
// rate.
const burst = 3

// New makes a writer and registers its metrics. It calls nobody yet.
func New(cfg Config) (*Writer, error) {
	cfg.setDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("explanations by a language model: %w", err)
	}
	if cfg.Transport == nil {
		cfg.Transport = newTransport()
	}
	w := &Writer{
		cfg:    cfg,
		client: newClient(cfg),
		rate:   rate.NewLimiter(rate.Limit(float64(cfg.PerMinute)/60), min(burst, cfg.PerMinute)),
		slots:  make(chan struct{}, cfg.Concurrent),
	}
	var err error
	if w.metrics, err = newMetrics(cfg.Registerer); err != nil {
		return nil, fmt.Errorf("explanations by a language model: %w", err)
	}
	return w, nil
}

// Explain puts facts into words. It takes at most the timeout, and ends early
// where ctx does.
func (w *Writer) Explain(ctx context.Context, l explain.Language, f *explain.Facts) explain.Text {
	words, reason := w.byModel(ctx, l, f)
	if reason == "" {
		return explain.Text{Words: words, LLMUsed: true}
	}
	text := explain.Template{}.Explain(ctx, l, f)
	text.Reason = reason
	return text
}

// byModel asks the model if it may be asked. The rate is looked at last, as
// looking uses it up.
func (w *Writer) byModel(ctx context.Context, l explain.Language, f *explain.Facts) (words string, why explain.Reason) {
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	default:
		return "", w.skip(explain.Busy)
	}
	may, probe := w.circuit.enter(w.cfg.Now())
	if !may {
		return "", w.skip(explain.Paused)
	}
	out := canceled // what says nothing of the model
	defer func() {
		if pause := w.circuit.leave(w.cfg.Now(), out, probe); pause > 0 {
			w.cfg.Logger.Warn("the language model fails again and again; the template writes explanations for a while", "pause", pause)
		}
	}()
	if !w.rate.AllowN(w.cfg.Now(), 1) {
		return "", w.skip(explain.RateLimited)
	}
	if words, out = w.call(ctx, l, f); out != ok {
		return "", explain.Failed
	}
	return words, ""
}

func (w *Writer) skip(why explain.Reason) explain.Reason {
	w.metrics.skipped.WithLabelValues(strings.ReplaceAll(string(why), " ", "_")).Inc()
	return why
}

// call asks, counts and logs: neither the key nor the prompt, nor anything that
// the model's server wrote.
func (w *Writer) call(ctx context.Context, l explain.Language, f *explain.Facts) (string, outcome) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Timeout)
	defer cancel()
	start := time.Now() // of a clock that cannot be set back
	words, tokens, out, err := w.client.ask(ctx, l, f)
	took := time.Since(start)
	w.metrics.count(out, tokens, took)
	level := slog.LevelDebug
	if out != ok && out != canceled {
		level = slog.LevelWarn
	}
	w.cfg.Logger.LogAttrs(ctx, level, "asked the language model for an explanation",
		slog.String("outcome", string(out)),
		slog.String("model", w.cfg.Model),
		slog.Duration("took", took.Round(time.Millisecond)),
		slog.String("detail", strings.ReplaceAll(detail(err), w.cfg.APIKey, "…")))
	return words, out
}
