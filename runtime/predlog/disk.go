package predlog

import (
	"errors"
	"log/slog"
	"time"

	"livelab/runtime/predlog/spool"
)

// diskRetry is how long a disk that took nothing is left alone.
const diskRetry = time.Second

// disk is the writing side of the spool: where groups go, and what becomes of
// them while the disk takes none. One goroutine writes.
type disk struct {
	retryAt time.Time // zero while the disk is well
}

// writeGroup puts a group into the spool, and into memory where that fails.
func (w *Writer) writeGroup(g *group) {
	if w.toSpool(g) {
		w.arrived(g)
		return
	}
	if w.cfg.Spool.Dir != "" {
		w.metrics.undurable.Add(float64(g.records))
	}
	dropped := w.memory.add(g.frames, g.records, w.cfg.Memory, w.cfg.Spool.Full != spool.DropNewest)
	w.overflow(dropped, dropMemory, "predictions are lost: the store is away, and the memory for them is full")
	w.arrived(g)
}

// toSpool answers whether the group's way ends there: it was written, or the
// spool is full and is to stay as it is.
func (w *Writer) toSpool(g *group) bool {
	if w.cfg.Spool.Dir == "" || time.Now().Before(w.disk.retryAt) {
		return false
	}
	start := time.Now()
	dropped, err := w.appendGroup(g)
	w.metrics.spoolSeconds.Observe(time.Since(start).Seconds())
	w.overflow(dropped, dropFull, "predictions are lost: the store is away, and the spool is full")
	switch {
	case errors.Is(err, spool.ErrFull):
		w.overflow(g.records, dropFull, "predictions are lost: the store is away, and the spool is full")
		return true
	case err != nil:
		w.metrics.spoolFailures.Inc()
		if w.disk.retryAt.IsZero() {
			w.cfg.Logger.Error("the prediction log's spool cannot be written: predictions wait in memory until it can", slog.Any("error", err))
		}
		w.disk.retryAt = time.Now().Add(diskRetry)
		return false
	}
	w.diskIsWell()
	return true
}

func (w *Writer) diskIsWell() {
	if !w.disk.retryAt.IsZero() {
		w.disk.retryAt = time.Time{}
		w.cfg.Logger.Info("the prediction log's spool is written again")
	}
}

// rescue moves to the disk what waits in memory, once the disk takes it again.
// A writer that stops does not wait for that moment: it is the last one.
func (w *Writer) rescue() {
	select {
	case <-w.stopping:
	default:
		if time.Now().Before(w.disk.retryAt) {
			return
		}
	}
	if w.cfg.Spool.Dir == "" {
		return
	}
	w.memory.move(func(c chunk) error {
		dropped, err := w.appendGroup(&group{frames: c.frames, records: c.records})
		w.overflow(dropped, dropFull, "predictions are lost: the store is away, and the spool is full")
		switch {
		case err == nil:
			w.diskIsWell()
		case !errors.Is(err, spool.ErrFull):
			w.disk.retryAt = time.Now().Add(diskRetry)
		}
		return err
	})
}

func (w *Writer) appendGroup(g *group) (dropped int, err error) {
	s := w.spool.Load()
	if s == nil { // it could not be opened at the start
		if s, err = spool.Open(w.cfg.Spool); err != nil {
			return 0, err
		}
		w.spool.Store(s)
	}
	if dropped, err = s.Append(g.frames, g.records); err == nil && w.cfg.Sync < 0 {
		err = w.sync()
	}
	return dropped, err
}

// overflow counts what was dropped, and says so once an episode.
func (w *Writer) overflow(n int, reason, says string) {
	if n == 0 {
		return
	}
	w.metrics.dropped.WithLabelValues(reason).Add(float64(n))
	if !w.dropping.Swap(true) {
		w.cfg.Logger.Error(says, slog.Int("predictions", n), slog.String("drops", string(w.cfg.Spool.Full)))
	}
}

// sync takes the spool to the disk.
func (w *Writer) sync() error {
	s := w.spool.Load()
	if s == nil || s.Synced() {
		return nil
	}
	start := time.Now()
	defer func() { w.metrics.syncSeconds.Observe(time.Since(start).Seconds()) }()
	return s.Sync()
}

// syncNowAndThen syncs until the writer stops.
func (w *Writer) syncNowAndThen() {
	tick := time.NewTicker(w.cfg.Sync)
	defer tick.Stop()
	failed := false
	for {
		select {
		case <-w.stopping:
			return
		case <-tick.C:
		}
		if w.memory.waiting() > 0 {
			w.commit.signal() // the disk may be well again, and no request come to notice
		}
		err := w.sync()
		if err != nil {
			w.metrics.spoolFailures.Inc()
			if !failed {
				w.cfg.Logger.Error("the prediction log's spool cannot be synced: a loss of power would cost predictions", slog.Any("error", err))
			}
		}
		failed = err != nil
	}
}
