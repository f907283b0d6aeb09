package predlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Config says how a Writer works. Zero fields take their default.
type Config struct {
	Store Store

	// Queue is how many predictions may wait; what comes on top is dropped.
	// Default 4096.
	Queue int

	// Batch is how many predictions one write stores at most. Default 500.
	Batch int

	// Interval is how long a prediction waits for others before it is
	// written. Default 200 ms.
	Interval time.Duration

	// MinBackoff and MaxBackoff bound the pause after a failed write, which
	// doubles each time. Default 100 ms and 5 s.
	MinBackoff, MaxBackoff time.Duration

	// WriteTimeout ends one write. Default 10 s.
	WriteTimeout time.Duration

	Logger     *slog.Logger
	Registerer prometheus.Registerer
}

func (c *Config) setDefaults() {
	c.Queue = cmp.Or(c.Queue, 4096)
	c.Batch = cmp.Or(c.Batch, 500)
	c.Interval = cmp.Or(c.Interval, 200*time.Millisecond)
	c.MinBackoff = cmp.Or(c.MinBackoff, 100*time.Millisecond)
	c.MaxBackoff = cmp.Or(c.MaxBackoff, 5*time.Second)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 10*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

func (c *Config) validate() error {
	if c.Store == nil {
		return errors.New("prediction log: no store")
	}
	if c.Queue < 1 || c.Batch < 1 {
		return fmt.Errorf("prediction log: queue is %d and batch %d, both must be at least 1", c.Queue, c.Batch)
	}
	if c.Interval < 0 || c.WriteTimeout < 0 || c.MinBackoff < 0 || c.MaxBackoff < c.MinBackoff {
		return fmt.Errorf("prediction log: interval %v, write timeout %v and backoff %v to %v must be positive and in order",
			c.Interval, c.WriteTimeout, c.MinBackoff, c.MaxBackoff)
	}
	return nil
}

// Writer takes predictions without making a request wait and stores them in
// batches. It is safe for concurrent use. A Writer runs once: what was stopped
// does not start again.
type Writer struct {
	cfg     Config
	queue   chan Prediction
	metrics *writerMetrics
	ids     *ids

	mu      sync.RWMutex // guards the flags, and Add against Stop
	started bool
	stopped bool

	stopping chan struct{} // closed by the first Stop
	done     chan struct{} // closed when the last batch is settled

	// life ends with the deadline of Stop, or with the last batch.
	life context.Context
	end  context.CancelFunc

	lost int // predictions that the flush could not store; read after done
}

// NewWriter checks the configuration and registers the metrics.
func NewWriter(cfg Config) (*Writer, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	w := &Writer{
		cfg:      cfg,
		queue:    make(chan Prediction, cfg.Queue),
		stopping: make(chan struct{}),
		done:     make(chan struct{}),
		ids:      newIDs(),
	}
	w.life, w.end = context.WithCancel(context.Background())
	var err error
	if w.metrics, err = newWriterMetrics(cfg.Registerer, w.queue); err != nil {
		return nil, fmt.Errorf("prediction log: register metrics: %w", err)
	}
	return w, nil
}

// Start begins to write. A second call, and one after Stop, does nothing.
func (w *Writer) Start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.started || w.stopped {
		return
	}
	w.started = true
	go w.run()
}

// Add queues predictions and returns at once. One without an ID is given a
// UUIDv7. When the queue is full, or the writer has stopped, a prediction is
// dropped and counted.
func (w *Writer) Add(ps []Prediction) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	w.ids.identify(ps)
	for _, p := range ps {
		if w.stopped {
			w.metrics.dropped.Inc()
			continue
		}
		p.Features.Values = slices.Clone(p.Features.Values)
		select {
		case w.queue <- p:
		default:
			w.metrics.dropped.Inc()
		}
	}
}

// Stop takes no more predictions and stores the waiting ones until ctx ends.
// What is not stored by then is dropped, counted and reported by the error. A
// second call waits for the first.
func (w *Writer) Stop(ctx context.Context) error {
	w.mu.Lock()
	if !w.stopped {
		w.stopped = true
		context.AfterFunc(ctx, w.end)
		close(w.stopping)
		if !w.started {
			w.lost = len(w.queue)
			w.metrics.dropped.Add(float64(w.lost))
			close(w.done)
		}
	}
	w.mu.Unlock()

	<-w.done
	if w.lost > 0 {
		return fmt.Errorf("prediction log: %d predictions were not stored before the writer had to stop", w.lost)
	}
	return nil
}
