package forecast

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/observation"
	"livelab/runtime/loader"
)

// Rows gives the rows of all stations of a network as of its newest snapshot.
// *dataset.Live is one.
type Rows interface {
	AllStations(ctx context.Context, task features.Task, network string) (*dataset.StationRows, error)
}

// Store is asked what is new, often and briefly.
type Store interface {
	Networks(ctx context.Context) ([]observation.Network, error)
	Newest(ctx context.Context, network string) (snapshot, weather time.Time, err error)
	Totals(ctx context.Context, network string, from, to time.Time) ([]observation.Totals, error)
}

// Config says what a Keeper works with. Zero fields take their default.
type Config struct {
	Rows  Rows
	Store Store

	// Model is what answers about stations, nil while there is none. It is
	// asked at each look, and so must be quick.
	Model func() *loader.Loaded

	// DataNow tells the time at the source of the data, which for a replay is
	// in the past. Default time.Now.
	DataNow func() time.Time

	// Every is how often the store and the model are looked at, beside what
	// Notify says. Default 2 s.
	Every time.Duration

	// Timeout bounds one forecast of one network. Default 2 min: the first
	// one reads weeks of the past.
	Timeout time.Duration

	// RetryAfter is how long a network of which no forecast could be made is
	// left alone while nothing new comes. Default 30 s.
	RetryAfter time.Duration

	Logger     *slog.Logger          // nil logs nothing
	Now        func() time.Time      // nil is time.Now
	Registerer prometheus.Registerer // nil shows no metrics
}

func (c *Config) setDefaults() {
	c.Every = cmp.Or(c.Every, 2*time.Second)
	c.Timeout = cmp.Or(c.Timeout, 2*time.Minute)
	c.RetryAfter = cmp.Or(c.RetryAfter, 30*time.Second)
	if c.DataNow == nil {
		c.DataNow = time.Now
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// Keeper keeps the current forecast of each network in the store: one, and
// while the next one is made that, too. It is safe for concurrent use; Run may
// run once at a time.
type Keeper struct {
	cfg     Config
	news    chan struct{}
	board   atomic.Pointer[board] // nil before the first look
	metrics *metrics
}

// New makes a keeper that has no forecast yet: Run makes them.
func New(cfg Config) (*Keeper, error) {
	if cfg.Rows == nil || cfg.Store == nil || cfg.Model == nil {
		return nil, errors.New("forecast: rows, a store and a model are needed")
	}
	cfg.setDefaults()
	k := &Keeper{cfg: cfg, news: make(chan struct{}, 1)}
	var err error
	k.metrics, err = newMetrics(k, cfg.Registerer)
	return k, err
}

// Notify says that something new was stored. It never waits.
func (k *Keeper) Notify() {
	select {
	case k.news <- struct{}{}:
	default: // it is about to look
	}
}

// Run keeps the forecasts current until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	tick := time.NewTicker(k.cfg.Every)
	defer tick.Stop()
	for ctx.Err() == nil {
		k.Refresh(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-k.news:
		}
	}
}

// Now is the time at the source of the data: what the age of a forecast is
// told by.
func (k *Keeper) Now() time.Time { return k.cfg.DataNow() }
