package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"livelab/pipeline/dataset"
	"livelab/pipeline/ingest"
	"livelab/pipeline/ingest/sim"
	"livelab/pipeline/observation"
)

// The kinds of source.
const (
	sourceAuto   = "auto"
	sourceLive   = "live"
	sourceSim    = "sim"
	sourceReplay = "replay"
)

// defaultNetwork is what is asked for where neither the flags nor the store
// name a network.
const defaultNetwork = "oslo-bysykkel"

// sourceFlags say where data comes from.
type sourceFlags struct {
	source   string
	networks []string
	lat, lon degrees
	seed     uint64

	bikes, history, weather, archive string
}

func (f *sourceFlags) add(cmd *cobra.Command, source string) {
	fl := cmd.Flags()
	fl.StringVar(&f.source, "source", source, "auto (live where it answers, else the simulator), live, sim or replay (what the store holds, as if it were now)")
	fl.StringSliceVar(&f.networks, "network", nil, "CityBikes `networks`, comma-separated (also BIKE_NETWORK_ID; default: those of the store, else "+defaultNetwork+")")
	f.lat.limit, f.lon.limit = 90, 180
	fl.Var(&f.lat, "latitude", "where the weather is asked for, `degrees` (also LAT; default: the network's own)")
	fl.Var(&f.lon, "longitude", "where the weather is asked for, `degrees` (also LON; default: the network's own)")
	fl.Uint64Var(&f.seed, "seed", 1, "which city the simulator makes")
	fl.StringVar(&f.bikes, "citybikes-url", "", "other `base` of the CityBikes API (default https://api.citybik.es/v2)")
	fl.StringVar(&f.history, "citybikes-history-url", "", "other `base` of the CityBikes history (default https://data.citybik.es)")
	fl.StringVar(&f.weather, "openmeteo-url", "", "other `address` of Open-Meteo's forecast (default https://api.open-meteo.com/v1/forecast)")
	fl.StringVar(&f.archive, "openmeteo-archive-url", "", "other `address` of Open-Meteo's archive (default https://archive-api.open-meteo.com/v1/archive)")
}

// source is where data comes from and what time it is there.
type source struct {
	kind     string // live, sim or replay
	origin   observation.Origin
	networks []string
	bikes    *ingest.CityBikes
	weather  *ingest.OpenMeteo
	now      func() time.Time
	stop     func()
}

// shown is the word for the source that people read: live, replay or
// simulated, empty while there is no data. What is simulated is called so
// however it is played.
func (s *source) shown() string {
	if s.origin == observation.OriginSimulated {
		return "simulated"
	}
	return s.kind
}

// withSource opens the store and the source for work that fetches.
func (a *app) withSource(ctx context.Context, f sourceFlags, do func(store, *source) error) (err error) {
	if f.source == sourceReplay {
		return usageError("--source replay plays what is stored already; fetch from live or sim")
	}
	s, err := a.openStore(ctx)
	if err != nil {
		return err
	}
	defer closing(&err, s)
	src, err := a.openSource(ctx, s, f)
	if err != nil {
		return err
	}
	defer src.stop()
	return do(s, src)
}

// openSource chooses the source and sets up its clients. The caller calls stop.
func (a *app) openSource(ctx context.Context, s dataset.Store, f sourceFlags) (*source, error) {
	if err := f.validate(); err != nil {
		return nil, err
	}
	stored, err := s.Networks(ctx)
	if err != nil {
		return nil, err
	}
	origin, err := s.Origin(ctx)
	if err != nil {
		return nil, err
	}
	var held []string
	for _, n := range stored {
		held = append(held, n.ID)
	}
	if len(f.networks) == 0 {
		f.networks = held
	}
	if f.source == sourceAuto {
		f = a.choose(ctx, origin, held, f)
	}
	switch f.source {
	case sourceSim:
		return a.simulated(f)
	case sourceReplay:
		return replayed(ctx, s, f)
	}
	if len(f.networks) == 0 {
		f.networks = []string{defaultNetwork}
	}
	return a.live(f), nil
}

// choose settles what auto means: what the store holds already, else live
// where it answers. The networks and addresses that were given are those of
// the live source: the simulator that stands in for it is one of our own, with
// the networks that the store holds.
func (a *app) choose(ctx context.Context, origin observation.Origin, held []string, f sourceFlags) sourceFlags {
	live := f
	live.source = sourceLive
	simulated := sourceFlags{source: sourceSim, networks: held, seed: f.seed, lat: f.lat, lon: f.lon}
	switch origin {
	case observation.OriginSimulated:
		return simulated
	case observation.OriginReal:
		return live
	}
	network := defaultNetwork
	if len(f.networks) > 0 {
		network = f.networks[0]
	}
	client := ingest.NewClient(ingest.ClientConfig{UserAgent: userAgent(), Timeout: 4 * time.Second, Retries: -1})
	probe := ingest.NewCityBikes(ingest.CityBikesConfig{BaseURL: f.bikes, HistoryURL: f.history}, client)
	if _, err := probe.Network(ctx, network); err != nil {
		a.log.Info("CityBikes does not answer, so the simulator is the source", "error", err)
		return simulated
	}
	return live
}

func (a *app) live(f sourceFlags) *source {
	s := a.clients(f)
	s.kind, s.origin, s.networks = sourceLive, observation.OriginReal, f.networks
	return s
}

func (a *app) clients(f sourceFlags) *source {
	client := ingest.NewClient(ingest.ClientConfig{UserAgent: userAgent(), Logger: a.log})
	return &source{
		bikes:   ingest.NewCityBikes(ingest.CityBikesConfig{BaseURL: f.bikes, HistoryURL: f.history}, client),
		weather: ingest.NewOpenMeteo(ingest.OpenMeteoConfig{ForecastURL: f.weather, ArchiveURL: f.archive}, client),
		now:     time.Now,
		stop:    func() {},
	}
}

// simulated runs the simulator on a port of its own, and asks it as the real
// services are asked. Where another address is given, a simulator runs there.
func (a *app) simulated(f sourceFlags) (*source, error) {
	stop := func() {}
	city, err := sim.NewCity(sim.Config{Seed: f.seed})
	if err != nil {
		return nil, err
	}
	if f.bikes == "" {
		base, end, err := a.runSimulator(city)
		if err != nil {
			return nil, err
		}
		stop = end
		f.bikes, f.history, f.weather, f.archive = base+"/v2", base, base+"/v1/forecast", base+"/v1/archive"
	}
	if len(f.networks) == 0 {
		f.networks = []string{city.Network().ID}
	}
	s := a.clients(f)
	s.kind, s.origin, s.networks, s.stop = sourceSim, observation.OriginSimulated, f.networks, stop
	return s, nil
}

func (a *app) runSimulator(city *sim.City) (base string, stop func(), err error) {
	handler, err := sim.NewServer(sim.ServerConfig{Cities: []*sim.City{city}})
	if err != nil {
		return "", nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("start the simulator: %w", err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("the simulator ended", "error", err)
		}
	}()
	return "http://" + l.Addr().String(), func() { server.Close() }, nil
}

// replayed plays what the store holds as if it were now: the time is that of
// the record's last week in which the hour and the weekday are the present's.
// After a week the record plays again.
func replayed(ctx context.Context, s dataset.Store, f sourceFlags) (*source, error) {
	if len(f.networks) == 0 {
		return nil, errors.New("there is nothing to replay: the store is empty; run `livelab import FILE` first")
	}
	n, err := dataset.FindNetwork(ctx, s, f.networks[0])
	if err != nil {
		return nil, err
	}
	last, err := lastSnapshot(ctx, s, n.ID)
	if err != nil {
		return nil, err
	}
	origin, err := s.Origin(ctx)
	if err != nil {
		return nil, err
	}
	return &source{
		kind: sourceReplay, origin: origin, networks: f.networks, stop: func() {},
		now: func() time.Time { return replayTime(time.Now(), last) },
	}, nil
}

// replayTime is wall less as many whole weeks as it takes not to be after last.
func replayTime(wall, last time.Time) time.Time {
	const week = 7 * 24 * time.Hour
	behind := wall.Sub(last)
	if behind <= 0 {
		return wall
	}
	weeks := (behind + week - 1) / week
	return wall.Add(-weeks * week)
}

func lastSnapshot(ctx context.Context, s dataset.Store, network string) (time.Time, error) {
	totals, err := s.Totals(ctx, network, time.Time{}, time.Time{})
	if err != nil {
		return time.Time{}, err
	}
	if len(totals) == 0 {
		return time.Time{}, fmt.Errorf("there is nothing to replay of %s; run `livelab import FILE` first", network)
	}
	return totals[len(totals)-1].At, nil
}

func userAgent() string { return "livelab/" + version }
