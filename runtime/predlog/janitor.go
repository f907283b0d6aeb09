package predlog

import (
	"log/slog"
	"time"
)

// pruneEvery is how often predictions that are old enough are removed.
const pruneEvery = time.Hour

// prune removes what the store need not keep, at once and every hour.
func (w *Writer) prune() {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		removed, err := w.cfg.Store.PrunePredictions(w.life, time.Now().Add(-w.cfg.Keep))
		switch {
		case err != nil && w.life.Err() == nil:
			w.cfg.Logger.Warn("old predictions cannot be removed, trying again in an hour", slog.Any("error", err))
		case removed > 0:
			w.cfg.Logger.Info("old predictions were removed", slog.Int64("predictions", removed), slog.Duration("older_than", w.cfg.Keep))
		}
		select {
		case <-tick.C:
		case <-w.stopping:
			return
		}
	}
}
