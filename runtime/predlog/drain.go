package predlog

import (
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"livelab/runtime/predlog/spool"
)

// drain takes predictions from the spool, and from memory, to the store.
type drain struct {
	w *Writer

	wake   chan struct{}
	wakeAt atomic.Int64  // how many must wait for a wake-up to be worth it
	stop   chan struct{} // the last group was written

	counted *spool.Spool // whose old records were counted
	frames  []byte
	batch   []Prediction
	decoder decoder
	size    int // how many the next write has, at most Batch
	aside   aside
}

// taken is a batch on its way.
type taken struct {
	n        int  // records
	inMemory bool // they are nowhere else
}

func (d *drain) init(w *Writer) {
	d.w = w
	d.wake = make(chan struct{}, 1)
	d.size = w.cfg.Batch
}

// arrived tells the drain of a written group.
func (w *Writer) arrived(g *group) {
	w.oldest.CompareAndSwap(0, g.first.UnixMilli())
	if int64(w.waiting()) >= w.drain.wakeAt.Load() {
		select {
		case w.drain.wake <- struct{}{}:
		default:
		}
	}
}

// waiting is how many predictions the spool and memory hold.
func (w *Writer) waiting() int {
	n := w.memory.waiting()
	if s := w.spool.Load(); s != nil {
		records, _ := s.Waiting()
		n += records
	}
	return n
}

// run drains until all is stored after the last group, or the writer's life
// ends.
func (d *drain) run(committed <-chan struct{}) {
	defer d.w.settle(committed)
	d.stop = make(chan struct{})
	go func() {
		select {
		case <-committed:
		case <-d.w.life.Done(): // a write to the disk does not come back
		}
		close(d.stop)
	}()
	for d.gather() {
		start, before := time.Now(), d.w.added.Load()
		if !d.storeOne() {
			return
		}
		d.rest(start, before)
	}
}

// gather waits until predictions wait, and then for others to join them. It
// answers false when none do and the writer stops.
func (d *drain) gather() bool {
	if s := d.w.spool.Load(); s != nil && s != d.counted {
		s.Count()
		d.counted = s
	}
	if !d.await(1, math.MaxInt64) {
		return d.w.waiting() > 0
	}
	d.await(d.w.cfg.Batch, d.w.cfg.Interval)
	return true
}

// await waits until n predictions wait, for at most as long as it is given. It
// answers false when the writer stops.
func (d *drain) await(n int, most time.Duration) bool {
	d.wakeAt.Store(int64(n))
	defer d.wakeAt.Store(math.MaxInt64)
	timer := time.NewTimer(most)
	defer timer.Stop()
	for d.w.waiting() < n {
		select {
		case <-d.wake:
		case <-timer.C:
			return true
		case <-d.stop:
			return false
		}
	}
	return true
}

// storeOne stores a batch. Memory comes first, since it is all that can be
// lost. It answers false when the writer had to stop first.
func (d *drain) storeOne() bool {
	t := d.take()
	if t.n == 0 { // nothing whole was there, or a disk that cannot be read just now
		select {
		case <-d.stop:
			return false
		default:
			return d.pause(d.w.cfg.MinBackoff)
		}
	}
	d.decode()
	if len(d.batch) > 0 {
		d.w.oldest.Store(d.batch[0].At.UnixMilli())
		if !d.deliver(d.batch) {
			d.giveUp(t)
			return false
		}
	}
	d.done(t)
	return true
}

func (d *drain) take() (t taken) {
	if d.frames, t.n = d.w.memory.take(d.frames[:0], d.w.cfg.Batch); t.n > 0 {
		t.inMemory = true
		return t
	}
	if s := d.w.spool.Load(); s != nil {
		var lost int
		d.frames, t.n, lost = s.Read(d.frames[:0], d.w.cfg.Batch)
		d.w.metrics.dropped.WithLabelValues(dropDamaged).Add(float64(lost))
	}
	return t
}

// decode makes d.frames d.batch.
func (d *drain) decode() {
	clear(d.batch)
	d.batch = d.batch[:0]
	var failed error
	n := 0
	spool.Each(d.frames, func(record []byte) {
		p, err := d.decoder.prediction(record)
		if err != nil {
			n, failed = n+1, err
			return
		}
		d.batch = append(d.batch, p)
	})
	if failed != nil {
		d.w.metrics.dropped.WithLabelValues(dropDamaged).Add(float64(n))
		d.w.cfg.Logger.Error("predictions of the spool cannot be read and are left out; their file will be kept aside", slog.Int("predictions", n), slog.Any("error", failed))
		if s := d.w.spool.Load(); s != nil {
			s.PutAside()
		}
	}
}

func (d *drain) done(t taken) {
	switch s := d.w.spool.Load(); {
	case t.inMemory:
		d.w.memory.done()
	case s != nil:
		s.Done()
	}
	if d.w.waiting() == 0 {
		d.w.oldest.Store(0)
		d.w.dropping.Store(false)
	}
}

// giveUp leaves a batch where it is, which for memory is nowhere.
func (d *drain) giveUp(t taken) {
	if s := d.w.spool.Load(); !t.inMemory && s != nil && !s.Kept() {
		d.w.lost += t.n // it was in a part that had to go for want of room
	}
}

// rest waits after a batch in a peak, so that requests have the machine. The
// nearer the spool is to full, the less.
func (d *drain) rest(start time.Time, before int64) {
	took := time.Since(start)
	rate := float64(d.w.added.Load()-before) / max(took.Seconds(), 1e-3)
	if d.w.cfg.Rest < 0 || rate < float64(d.w.cfg.Busy) || d.w.memory.waiting() > 0 {
		return
	}
	if s := d.w.spool.Load(); s == nil {
		return
	} else if _, bytes := s.Waiting(); bytes > d.w.cfg.Spool.MaxBytes/4 {
		return
	}
	timer := time.NewTimer(min(time.Duration(d.w.cfg.Rest)*took, time.Second))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-d.stop:
	}
}
