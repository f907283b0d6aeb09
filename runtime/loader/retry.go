package loader

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"livelab/pipeline/publish"
)

// RetryFirst reloads every so often for as long as no model serves although
// one is published, until ctx ends: what kept it from serving, such as a disk
// that was away, may be over. A model that was published after the start is
// left to whoever asks for the reload.
func (l *Loader) RetryFirst(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	said := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		f := l.Failure()
		if l.Current() != nil {
			return
		}
		if f == nil || errors.Is(f.Err, publish.ErrNotFound) {
			continue
		}
		if _, _, err := l.Reload(ctx); err != nil && ctx.Err() == nil && err.Error() != said {
			said = err.Error()
			l.cfg.Logger.Warn("the published model cannot serve yet; trying again", slog.Duration("every", every), slog.Any("error", err))
		}
	}
}
