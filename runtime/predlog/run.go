package predlog

import (
	"context"
	"log/slog"
	"time"
)

// run gathers predictions into batches until Stop, then flushes the queue.
func (w *Writer) run() {
	defer close(w.done)
	defer w.end()
	batch := make([]Prediction, 0, w.cfg.Batch)
	for {
		batch = w.gather(batch[:0])
		if len(batch) == 0 {
			return // stopping, and the queue is empty
		}
		if !w.store(batch) {
			w.giveUp(len(batch))
			return
		}
	}
}

// gather waits for a first prediction and then for others to join it. It
// answers with none only when the writer stops and none are left.
func (w *Writer) gather(batch []Prediction) []Prediction {
	select {
	case p := <-w.queue:
		batch = append(batch, p)
	case <-w.stopping:
		return w.drain(batch)
	}
	timer := time.NewTimer(w.cfg.Interval)
	defer timer.Stop()
	for len(batch) < w.cfg.Batch {
		select {
		case p := <-w.queue:
			batch = append(batch, p)
		case <-timer.C:
			return batch
		case <-w.stopping:
			return w.drain(batch)
		}
	}
	return batch
}

// drain takes what waits, without waiting for more.
func (w *Writer) drain(batch []Prediction) []Prediction {
	for len(batch) < w.cfg.Batch {
		select {
		case p := <-w.queue:
			batch = append(batch, p)
		default:
			return batch
		}
	}
	return batch
}

// store writes a batch, again and again until it is stored. It answers false
// when the writer had to stop first.
func (w *Writer) store(batch []Prediction) bool {
	backoff := w.cfg.MinBackoff
	for attempt := 1; ; attempt++ {
		err := w.write(batch)
		if err == nil {
			w.metrics.written.Add(float64(len(batch)))
			if attempt > 1 {
				w.cfg.Logger.Info("prediction log is written again", slog.Int("attempts", attempt))
			}
			return true
		}
		w.metrics.failures.Inc()
		if attempt == 1 {
			w.cfg.Logger.Warn("prediction log cannot be written, trying again",
				slog.Any("error", err), slog.Int("waiting", len(batch)+len(w.queue)))
		}
		if !w.pause(backoff) {
			return false
		}
		backoff = min(2*backoff, w.cfg.MaxBackoff)
	}
}

func (w *Writer) write(batch []Prediction) error {
	ctx, cancel := context.WithTimeout(w.life, w.cfg.WriteTimeout)
	defer cancel()
	start := time.Now()
	defer func() { w.metrics.seconds.Observe(time.Since(start).Seconds()) }()
	return w.cfg.Store.AddPredictions(ctx, batch)
}

// pause waits for d. While stopping it waits no longer than the shortest
// backoff, and answers false when the deadline has come.
func (w *Writer) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.stopping:
	}
	timer.Reset(min(d, w.cfg.MinBackoff))
	select {
	case <-timer.C:
		return true
	case <-w.life.Done():
		return false
	}
}

// giveUp counts a batch that could not be stored and all that waits behind it.
func (w *Writer) giveUp(batch int) {
	w.lost = batch + len(w.queue)
	w.metrics.dropped.Add(float64(w.lost))
	w.cfg.Logger.Error("predictions were not logged: the store did not come back in time", slog.Int("predictions", w.lost))
}
