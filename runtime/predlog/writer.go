package predlog

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"livelab/runtime/predlog/spool"
)

// Writer takes predictions to the spool on the disk before they are answered,
// and from there to the store in batches. A prediction's way is one: groups of
// predictions are written to the spool (commit, disk), read from it in order
// and stored (drain, deliver), and only then done with. While the disk takes
// none, memory stands in for the spool. A Writer is safe for concurrent use. It
// runs once: what was stopped does not start again.
type Writer struct {
	cfg     Config
	metrics *writerMetrics
	commit  commit
	disk    disk // the committing goroutine's own
	memory  memory
	spool   atomic.Pointer[spool.Spool] // nil without a folder, and until it can be opened
	drain   drain

	dropping atomic.Bool  // an episode of dropping is under way, and was logged
	added    atomic.Int64 // predictions since the start
	oldest   atomic.Int64 // when the oldest that waits was made, Unix milliseconds; 0 when none does

	mu      sync.Mutex // guards started and stopped
	started bool
	stopped bool

	janitor  sync.WaitGroup
	stopping chan struct{} // closed by the first Stop
	done     chan struct{} // closed when all has ended

	// life ends with the deadline of Stop, or when all has ended.
	life context.Context
	end  context.CancelFunc

	lost int // predictions that no one has any more; read after done
}

// NewWriter checks the configuration, registers the metrics and takes the
// spool's folder. A disk that takes nothing at the moment is no error: the
// writer tries it again.
func NewWriter(cfg Config) (*Writer, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	w := &Writer{cfg: cfg, stopping: make(chan struct{}), done: make(chan struct{})}
	w.commit = commit{
		write: w.writeGroup, idle: w.rescue, most: cfg.Memory,
		enough: int(min(int64(cfg.Memory), enoughBytes, max(cfg.Spool.MaxBytes/8, 1))), // the spool must have room for some
		wait:   cfg.Wait / 2,                                                           // a group may wait for the one before, too
	}
	w.commit.init()
	w.drain.init(w)
	w.life, w.end = context.WithCancel(context.Background())
	if err := w.openSpool(); err != nil {
		return nil, fmt.Errorf("prediction log: %w", err)
	}
	var err error
	if w.metrics, err = newWriterMetrics(cfg.Registerer, w); err != nil {
		return nil, errors.Join(fmt.Errorf("prediction log: register metrics: %w", err), w.closeSpool())
	}
	return w, nil
}

// openSpool fails where trying again would not help.
func (w *Writer) openSpool() error {
	if w.cfg.Spool.Dir == "" {
		return nil
	}
	s, err := spool.Open(w.cfg.Spool)
	var failed *fs.PathError
	switch {
	case err == nil:
		w.spool.Store(s)
		return nil
	case errors.As(err, &failed) && !errors.Is(err, syscall.ENOTDIR), errors.Is(err, os.ErrPermission):
		w.disk.retryAt = time.Now().Add(diskRetry)
		w.cfg.Logger.Error("the prediction log's spool cannot be opened: predictions wait in memory until it can", slog.Any("error", err))
		return nil
	}
	return err
}

func (w *Writer) closeSpool() error {
	if s := w.spool.Load(); s != nil {
		return s.Close()
	}
	return nil
}

// Start begins to write. A second call, and one after Stop, does nothing.
func (w *Writer) Start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.started || w.stopped {
		return
	}
	w.started = true
	committed := make(chan struct{})
	w.commit.begin()
	go func() {
		defer close(committed)
		w.commit.run()
	}()
	if w.cfg.Spool.Dir != "" && w.cfg.Sync > 0 {
		go w.syncNowAndThen()
	}
	if w.cfg.Keep > 0 {
		w.janitor.Go(w.prune)
	}
	go w.drain.run(committed)
}

// Add gives an ID to each prediction that has none, a UUIDv7, and returns when
// the predictions are with the operating system, so that they outlive this
// process; where Sync is negative, on the disk. When that takes longer than
// Wait it returns all the same. It does not wait for the store. Predictions
// added before Start are written when it comes, and not waited for.
func (w *Writer) Add(ps []Prediction) {
	identify(ps, time.Now())
	w.added.Add(int64(len(ps)))
	if f := w.commit.add(ps); f != (fate{}) {
		w.count(f)
	}
}

func (w *Writer) count(f fate) {
	w.metrics.late.Add(float64(f.late))
	for reason, n := range map[string]int{dropStopped: f.stopped, dropTooLong: f.tooLong} {
		w.metrics.dropped.WithLabelValues(reason).Add(float64(n))
	}
	w.overflow(f.overflown, dropMemory, "predictions are lost: the disk does not answer, and the memory for them is full")
}

// Stop takes no more predictions and stores the waiting ones until ctx ends.
// What is not stored by then stays in the spool for the next start. An error
// says how many had no place there and are lost. A second call waits for the
// first.
func (w *Writer) Stop(ctx context.Context) error {
	w.mu.Lock()
	if !w.stopped {
		w.stopped = true
		context.AfterFunc(ctx, w.end)
		close(w.stopping)
		w.commit.close()
		if !w.started {
			w.commit.run()
			w.settle(nil)
		}
	}
	w.mu.Unlock()

	<-w.done
	if w.lost > 0 {
		return fmt.Errorf("prediction log: %d predictions were not stored before the writer had to stop", w.lost)
	}
	return nil
}

// settle ends the writer: what is in the spool stays there, and what is not is
// lost. It does not wait for a disk that does not answer.
func (w *Writer) settle(committed <-chan struct{}) {
	defer close(w.done)
	w.end()
	w.janitor.Wait() // it must not ask a store that is closed next
	w.lost += w.memory.waiting() + w.commit.gathered()
	if w.lost > 0 {
		w.metrics.dropped.WithLabelValues(dropStopped).Add(float64(w.lost))
		w.cfg.Logger.Error("predictions were not logged: the store did not come back in time", slog.Int("predictions", w.lost))
	}
	s := w.spool.Load()
	if s == nil {
		return
	}
	if n, _ := s.Waiting(); n > 0 {
		w.cfg.Logger.Warn("predictions wait in the spool for the next start", slog.Int("predictions", n), slog.String("folder", s.Dir()))
	}
	closed := make(chan error, 1)
	go func() {
		if committed != nil {
			<-committed
		}
		closed <- s.Close()
	}()
	select {
	case err := <-closed:
		if err != nil {
			w.cfg.Logger.Error("close the prediction log's spool", slog.Any("error", err))
		}
	case <-time.After(w.cfg.Wait + w.cfg.MinBackoff):
		w.cfg.Logger.Error("the prediction log's spool does not answer and is left as it is")
	}
}
