// Package shadow has a challenger answer what the model in service was asked.
// Its answers are logged beside those that clients got and served to nobody, so
// that the two can be compared once it is known what came to be.
package shadow

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livelab/runtime/loader"
	"livelab/runtime/predlog"
)

// Log keeps predictions. It gives each that has none an ID, borrows them and
// returns once they are safe.
type Log interface {
	Add(ps []predlog.Prediction)
}

// Config says how a Shadow works. Zero fields take their default.
type Config struct {
	// Challenger is who answers, nil while there is none. It is asked at each
	// request, and so must be quick.
	Challenger func() *loader.Loaded

	Log Log

	// Queue is how many predictions may wait to be scored; what comes on top
	// is dropped and counted. Each takes about half a KiB. Default 4096.
	Queue int

	// Batch is how many are logged at once at most, Interval how long the
	// first of them waits for others. Default 256 and 100 ms.
	Batch    int
	Interval time.Duration

	Registerer prometheus.Registerer // nil shows no metrics
}

func (c *Config) setDefaults() {
	c.Queue = cmp.Or(c.Queue, 4096)
	c.Batch = cmp.Or(c.Batch, 256)
	c.Interval = cmp.Or(c.Interval, 100*time.Millisecond)
}

func (c *Config) validate() error {
	if c.Challenger == nil || c.Log == nil {
		return errors.New("shadow: a challenger and a log are needed")
	}
	if c.Queue < 1 || c.Batch < 1 || c.Interval < 0 {
		return fmt.Errorf("shadow: queue is %d and batch %d, both must be at least 1; interval is %v, and must not be negative", c.Queue, c.Batch, c.Interval)
	}
	return nil
}

// Shadow scores predictions a second time, off the way of the requests. It is
// safe for concurrent use, and runs once: what was stopped does not start again.
type Shadow struct {
	cfg     Config
	metrics *shadowMetrics
	queue   chan *offer
	offers  sync.Pool // of *offer
	stopped atomic.Bool

	mu       sync.Mutex // guards started, and Start against Stop
	started  bool
	stopping chan struct{} // closed by the first Stop
	done     chan struct{} // closed when all that waited is logged
}

// offer is what was asked and answered, with who is to answer it again.
type offer struct {
	by     *loader.Loaded
	served predlog.Prediction
	names  []string
	values []float64
	row    map[string]float64
}

// New makes a Shadow and registers its metrics.
func New(cfg Config) (*Shadow, error) {
	cfg.setDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	s := &Shadow{
		cfg:      cfg,
		queue:    make(chan *offer, cfg.Queue),
		offers:   sync.Pool{New: func() any { return new(offer) }},
		stopping: make(chan struct{}),
		done:     make(chan struct{}),
	}
	var err error
	if s.metrics, err = newShadowMetrics(cfg.Registerer); err != nil {
		return nil, fmt.Errorf("shadow: register metrics: %w", err)
	}
	return s, nil
}

// Offer has the challenger answer what p did, where there is one that is
// another version of the same model. It never waits, and copies what it keeps
// of p; the row, where there is one, must not change afterwards.
func (s *Shadow) Offer(p *predlog.Prediction, row map[string]float64) {
	by := s.cfg.Challenger()
	if by == nil || by.Digest == p.Digest || by.Model.Name != p.Model {
		return
	}
	if s.stopped.Load() || len(s.queue) == cap(s.queue) {
		s.metrics.dropped.Inc()
		return
	}
	o := s.offers.Get().(*offer)
	o.by, o.served, o.row = by, *p, row
	o.names = append(o.names[:0], p.Features.Names...)
	o.values = append(o.values[:0], p.Features.Values...)
	o.served.Features = predlog.Features{Names: o.names, Values: o.values}
	select {
	case s.queue <- o:
	default:
		s.metrics.dropped.Inc()
		s.free(o)
	}
}

// free keeps an offer's memory for the next one, and nothing else alive.
func (s *Shadow) free(o *offer) {
	o.by, o.served, o.row = nil, predlog.Prediction{}, nil
	clear(o.names)
	s.offers.Put(o)
}

// Start begins to score. A second call, and one after Stop, does nothing.
func (s *Shadow) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started || s.stopped.Load() {
		return
	}
	s.started = true
	go s.run()
}

// Stop takes no more offers and waits until those that wait are logged, or ctx
// ends. A second call waits for the first.
func (s *Shadow) Stop(ctx context.Context) error {
	s.mu.Lock()
	if !s.stopped.Swap(true) {
		close(s.stopping)
		if !s.started {
			close(s.done)
		}
	}
	s.mu.Unlock()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("shadow: %d predictions were not scored before it had to stop: %w", len(s.queue), ctx.Err())
	}
}
