package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"livelab/pipeline/observation"
)

// BikeSource says what a network shows now. *CityBikes is one.
type BikeSource interface {
	Bikes(ctx context.Context, network string) (observation.Payload, error)
}

// WeatherSource says what the weather is now. *OpenMeteo is one.
type WeatherSource interface {
	Current(ctx context.Context, at Place) (observation.Payload, error)
}

var (
	_ BikeSource    = (*CityBikes)(nil)
	_ WeatherSource = (*OpenMeteo)(nil)
)

// CollectorConfig says what to collect and where to put it.
type CollectorConfig struct {
	Networks []string // at least one
	Bikes    BikeSource
	Weather  WeatherSource // nil: no weather is collected
	Recorder *Recorder

	// Latitude and Longitude, where both are set, are where the weather is
	// asked for. Default: the network's own coordinates.
	Latitude, Longitude *float64
	// WeatherEvery is how long the weather of a network is good. Default
	// 15 min.
	WeatherEvery time.Duration
	// Parallel is how many networks are asked at the same time. Default 4.
	Parallel int
	// Jitter spreads the cycles of Run, as a part of their interval. Default
	// 0.1; negative for none.
	Jitter float64

	// Stored is told of each network of which something new was stored. It
	// must not wait for anything. May be nil.
	Stored func(network string)

	Logger *slog.Logger // default: silent
	Now    func() time.Time
	Sleep  func(context.Context, time.Duration) error
	Random func() float64 // in [0, 1)
}

// Collector asks the sources again and again and records what they answer.
// Status may be called while it runs; Collect and Run may not be called at
// the same time.
type Collector struct {
	cfg CollectorConfig

	mu     sync.Mutex
	status map[string]NetworkStatus
	places map[string]Place // where the weather is asked for, once known
	still  map[string]bool  // networks whose feed stood still when last asked
}

// NewCollector checks the configuration and fills in the defaults.
func NewCollector(cfg CollectorConfig) (*Collector, error) {
	switch {
	case len(cfg.Networks) == 0:
		return nil, errors.New("collect: no network is named; give one such as oslo-bysykkel")
	case cfg.Bikes == nil || cfg.Recorder == nil:
		return nil, errors.New("collect: a bike source and a recorder are needed")
	case (cfg.Latitude == nil) != (cfg.Longitude == nil):
		return nil, errors.New("collect: latitude and longitude must be given together")
	}
	for i, network := range cfg.Networks {
		if slices.Contains(cfg.Networks[:i], network) {
			return nil, fmt.Errorf("collect: network %q is named twice", network)
		}
	}
	cfg.WeatherEvery = cmp.Or(cfg.WeatherEvery, 15*time.Minute)
	cfg.Parallel = cmp.Or(cfg.Parallel, 4)
	cfg.Jitter = cmp.Or(cfg.Jitter, 0.1)
	cfg.Jitter = max(cfg.Jitter, 0)
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Sleep == nil {
		cfg.Sleep = sleep
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	c := &Collector{cfg: cfg, status: map[string]NetworkStatus{}, places: map[string]Place{}, still: map[string]bool{}}
	for _, network := range cfg.Networks {
		c.status[network] = NetworkStatus{Network: network}
		if cfg.Latitude != nil {
			c.places[network] = Place{Network: network, Latitude: *cfg.Latitude, Longitude: *cfg.Longitude}
		}
	}
	return c, nil
}

// NetworkResult is what one cycle brought of one network.
type NetworkResult struct {
	Network   string
	Bikes     Recorded
	Weather   Recorded
	Freshness time.Time     // the stations' own newest time; zero where the fetch failed
	Stale     time.Duration // the age of Freshness where that is more than an hour, else 0
	Oddities  Oddities      // of bikes and weather

	BikesErr   error
	WeatherErr error
}

// Err is both errors in one, nil where all went well.
func (r NetworkResult) Err() error { return errors.Join(r.BikesErr, r.WeatherErr) }

// Cycle is the result of asking for every network once.
type Cycle struct {
	Networks []NetworkResult // in the order of the configuration
}

// Err joins the errors of all networks.
func (c Cycle) Err() error {
	var errs []error
	for _, n := range c.Networks {
		if err := n.Err(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", n.Network, err))
		}
	}
	return errors.Join(errs...)
}

// Collect runs one cycle. A source that fails does not keep the others from
// being asked; the errors are in the result.
func (c *Collector) Collect(ctx context.Context) Cycle {
	cycle := Cycle{Networks: make([]NetworkResult, len(c.cfg.Networks))}
	slots := make(chan struct{}, c.cfg.Parallel)
	var wg sync.WaitGroup
	for i, network := range c.cfg.Networks {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			cycle.Networks[i] = c.collect(ctx, network)
		})
	}
	wg.Wait()
	return cycle
}

// collect asks for one network and notes the outcome.
func (c *Collector) collect(ctx context.Context, network string) NetworkResult {
	r := NetworkResult{Network: network}
	r.BikesErr = c.bikes(ctx, network, &r)
	c.tell(network, r.Bikes.Snapshots)
	c.watch(ctx, &r)
	c.note(network, func(s *NetworkStatus) { s.Bikes.note(c.cfg.Now(), r.BikesErr, r.Freshness) })
	if !c.weatherDue(network) {
		return r
	}
	var at time.Time
	at, r.WeatherErr = c.weather(ctx, network, &r)
	c.tell(network, r.Weather.Weather)
	c.note(network, func(s *NetworkStatus) { s.Weather.note(c.cfg.Now(), r.WeatherErr, at) })
	return r
}

// tell says that so much new was stored of a network.
func (c *Collector) tell(network string, stored int) {
	if c.cfg.Stored != nil && stored > 0 {
		c.cfg.Stored(network)
	}
}

func (c *Collector) bikes(ctx context.Context, network string, r *NetworkResult) error {
	payload, err := c.cfg.Bikes.Bikes(ctx, network)
	if err != nil {
		return err
	}
	bikes, err := DecodeBikes(payload.Body, payload.FetchedAt)
	if err != nil {
		return err
	}
	if bikes.Network.Located() {
		c.locate(Place{Network: network, Latitude: bikes.Network.Latitude, Longitude: bikes.Network.Longitude})
	}
	r.Freshness, r.Oddities = bikes.Snapshot.At, bikes.Oddities
	r.Bikes, err = c.cfg.Recorder.RecordBikes(ctx, payload, bikes)
	return err
}

// weather records the weather and answers the time that it is of.
func (c *Collector) weather(ctx context.Context, network string, r *NetworkResult) (time.Time, error) {
	place, ok := c.place(network)
	if !ok {
		return time.Time{}, fmt.Errorf("fetch weather: the coordinates of %s are not known; set LAT and LON", network)
	}
	payload, err := c.cfg.Weather.Current(ctx, place)
	if err != nil {
		return time.Time{}, err
	}
	weather, err := DecodeWeather(payload.Body, payload.FetchedAt)
	if err != nil {
		return time.Time{}, err
	}
	for kind, n := range weather.Oddities {
		r.Oddities[kind] += n
	}
	if r.Weather, err = c.cfg.Recorder.RecordWeather(ctx, payload, weather); err != nil || len(weather.Rows) == 0 {
		return time.Time{}, err
	}
	return weather.Rows[len(weather.Rows)-1].At, nil
}

// Run collects until the context ends, first at once and then every interval,
// which must be positive. It answers the context's error; errors of sources
// and of the store are logged and do not end it.
func (c *Collector) Run(ctx context.Context, every time.Duration) error {
	if every <= 0 {
		return fmt.Errorf("collect: the interval must be positive, it is %s", every)
	}
	for {
		start := c.cfg.Now()
		cycle := c.Collect(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.log(ctx, cycle)
		// The jitter goes both ways, so that the interval holds on average.
		spread := c.cfg.Jitter * (2*c.cfg.Random() - 1)
		wait := time.Duration(float64(every)*(1+spread)) - c.cfg.Now().Sub(start)
		if err := c.cfg.Sleep(ctx, max(wait, min(every, time.Second))); err != nil {
			return err
		}
	}
}

// log writes one line for each network and one for each error.
func (c *Collector) log(ctx context.Context, cycle Cycle) {
	for _, r := range cycle.Networks {
		for _, err := range []error{r.BikesErr, r.WeatherErr} {
			if err != nil {
				c.cfg.Logger.ErrorContext(ctx, "collecting failed", "network", r.Network, "error", err)
			}
		}
		if r.BikesErr == nil {
			c.logCollected(ctx, r)
		}
	}
}

// logCollected keeps cycles that brought nothing new out of the usual log.
func (c *Collector) logCollected(ctx context.Context, r NetworkResult) {
	level := slog.LevelInfo
	if r.Bikes.Snapshots == 0 && r.Weather.Weather == 0 {
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{
		slog.String("network", r.Network), slog.Int("snapshots", r.Bikes.Snapshots), slog.Int("changes", r.Bikes.Changes),
		slog.Int("weather", r.Weather.Weather), slog.Time("freshness", r.Freshness),
	}
	if r.Oddities.Total() > 0 {
		attrs = append(attrs, slog.String("oddities", r.Oddities.String()))
	}
	c.cfg.Logger.LogAttrs(ctx, level, "collected", attrs...)
}
