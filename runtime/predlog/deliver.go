package predlog

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// smallest is how many predictions a write that takes too long is made smaller
// to.
const smallest = 50

// deliver stores a batch, again and again until it is stored. What the store
// refuses is found by offering less and less, and kept aside. It answers false
// when the writer had to stop first.
func (d *drain) deliver(batch []Prediction) bool {
	backoff, failures := d.w.cfg.MinBackoff, 0
	for len(batch) > 0 {
		n := min(d.size, len(batch))
		err := d.offer(batch[:n])
		if err != nil && !errors.Is(err, ErrRefused) {
			d.failed(err, failures)
			failures++
			if errors.Is(err, context.DeadlineExceeded) {
				d.size = max(n/2, min(smallest, n))
			}
			if !d.again() || !d.pause(backoff) {
				return false
			}
			backoff = min(2*backoff, d.w.cfg.MaxBackoff)
			continue
		}
		if failures > 0 {
			d.w.cfg.Logger.Info("the prediction log is written again", slog.Int("attempts", failures+1))
		}
		backoff, failures = d.w.cfg.MinBackoff, 0
		switch {
		case err == nil:
			d.w.metrics.written.Add(float64(n))
			d.size = min(2*n, d.w.cfg.Batch)
		case n > 1:
			d.size = n / 2
			continue
		default:
			d.w.metrics.dropped.WithLabelValues(dropRefused).Inc()
			d.aside.add(&batch[0], err)
		}
		batch = batch[n:]
	}
	d.size = d.w.cfg.Batch
	d.keepAside()
	return true
}

func (d *drain) offer(batch []Prediction) error {
	ctx, cancel := context.WithTimeout(d.w.life, d.w.cfg.WriteTimeout)
	defer cancel()
	start := time.Now()
	defer func() { d.w.metrics.seconds.Observe(time.Since(start).Seconds()) }()
	return d.w.cfg.Store.AddPredictions(ctx, batch)
}

func (d *drain) failed(err error, before int) {
	d.w.metrics.failures.Inc()
	if before == 0 {
		d.w.cfg.Logger.Warn("the prediction log cannot be written, trying again", slog.Any("error", err), slog.Int("waiting", d.w.waiting()))
	}
}

// again says whether to offer once more what the store did not take. A writer
// that stops leaves to the next start what is in the spool.
func (d *drain) again() bool {
	select {
	case <-d.w.stopping:
		return d.w.memory.waiting() > 0
	default:
		return true
	}
}

// pause waits for a time. While stopping it waits no longer than the shortest
// backoff, and answers false when the deadline has come.
func (d *drain) pause(most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-timer.C:
		return d.w.life.Err() == nil
	case <-d.w.stopping:
	}
	timer.Reset(min(most, d.w.cfg.MinBackoff))
	select {
	case <-timer.C:
		return true
	case <-d.w.life.Done():
		return false
	}
}
