package sim

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"livelab/pipeline/detmath"
	"livelab/pipeline/observation"
)

// Config says which city to make. The zero value is the default city.
type Config struct {
	Seed    uint64 // default 1
	ID      string // of the network; default "sim-city"
	Name    string // of the network; default "Sim City Bikes"
	City    string // default "Sim City"
	Country string // ISO 3166-1 alpha-2; default "XX", which no country has

	// Latitude and Longitude of the centre, WGS 84 degrees. Both zero stands
	// for 50 N 0 E, which is in the Channel: no real city is meant.
	Latitude, Longitude float64

	Stations int // default 60, at most 2000
}

func (c Config) withDefaults() Config {
	if c.Seed == 0 {
		c.Seed = 1
	}
	for _, d := range []struct {
		field *string
		value string
	}{{&c.ID, "sim-city"}, {&c.Name, "Sim City Bikes"}, {&c.City, "Sim City"}, {&c.Country, "XX"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if c.Latitude == 0 && c.Longitude == 0 {
		c.Latitude = 50
	}
	if c.Stations == 0 {
		c.Stations = 60
	}
	return c
}

func (c Config) validate() error {
	switch {
	case strings.ContainsAny(c.ID, "/?#% "):
		return fmt.Errorf("simulated city: ID %q must not hold any of / ? # %% or a space", c.ID)
	case !(math.Abs(c.Latitude) <= 89):
		return fmt.Errorf("simulated city %s: latitude is %v, must be -89 to 89", c.ID, c.Latitude)
	case !(math.Abs(c.Longitude) <= 180):
		return fmt.Errorf("simulated city %s: longitude is %v, must be -180 to 180", c.ID, c.Longitude)
	case c.Stations < 1 || c.Stations > 2000:
		return fmt.Errorf("simulated city %s: %d stations, must be 1 to 2000", c.ID, c.Stations)
	}
	return nil
}

// City is a simulated city. It has no state: whatever is asked is computed
// from the seed and the time. It is safe for concurrent use.
type City struct {
	network  observation.Network
	stations []station // sorted by ID
	docks    float64   // over all stations

	climate climate
	demand  demand
	months  source // slow drifts of the fleet
	weeks   source
	feed    source
}

// NewCity makes a city.
func NewCity(cfg Config) (*City, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	root := uint64(newSource(cfg.Seed, cfg.ID))
	c := &City{
		network: observation.Network{
			ID: cfg.ID, Name: cfg.Name, City: cfg.City, Country: cfg.Country,
			Latitude: cfg.Latitude, Longitude: cfg.Longitude,
		},
		climate: newClimate(root),
		demand:  newDemand(root),
		months:  newSource(root, "fleet/months"),
		weeks:   newSource(root, "fleet/weeks"),
		feed:    newSource(root, "feed"),
	}
	for i := range cfg.Stations {
		s := newStation(cfg, root, i)
		c.docks += float64(s.Capacity)
		c.stations = append(c.stations, s)
	}
	slices.SortFunc(c.stations, func(a, b station) int { return strings.Compare(a.ID, b.ID) })
	return c, nil
}

// Network describes the city's network.
func (c *City) Network() observation.Network { return c.network }

// Stations lists the stations, sorted by ID.
func (c *City) Stations() []observation.Station {
	all := make([]observation.Station, len(c.stations))
	for i, s := range c.stations {
		all[i] = s.Station
	}
	return all
}

// Snapshot is what the network shows at a time, cut to whole seconds. A
// station that is offline has no bikes and no slots and is not in service; one
// whose feed is broken has an unknown number of empty slots.
func (c *City) Snapshot(t time.Time) observation.Snapshot {
	sec := t.Unix()
	m := momentAt(sec)
	fills := c.fills(m)
	mute := c.mute(sec)
	readings := make([]observation.Reading, len(c.stations))
	for i := range c.stations {
		s := &c.stations[i]
		readings[i].StationID = s.ID
		if s.offline(sec) {
			continue
		}
		bikes := int32(math.Floor(float64(float64(s.Capacity)*fills[i]) + 0.5))
		readings[i].State = observation.State{FreeBikes: bikes, EmptySlots: s.Capacity - bikes, InService: true}
		if i == mute {
			readings[i].EmptySlots = observation.Unknown
		}
	}
	return observation.Snapshot{At: time.Unix(sec, 0).UTC(), Readings: readings}
}

// docked is the number of bikes at the stations: the working fleet less what
// is being ridden.
func (c *City) docked(m moment) float64 {
	drift := float64(0.032*c.months.noise(m.sec, 26*day)) + float64(0.015*c.weeks.noise(m.sec, 5*day))
	fleet := float64(float64(0.56*c.docks) * (1 + min(0.1, max(-0.1, drift))))
	return float64(fleet * (1 - c.demand.ridden(m, c.climate.at(m.sec-decision))))
}

// decision is how long, in seconds, the weather that riders decide by lies
// back: a ride seen now began a while ago.
const decision = 40 * minute

// fills shares the docked bikes out among the stations: the fill of each, 0 to
// 1, is the logistic function of its draw and of one level common to all, and
// Newton's method finds the level at which the sum is right.
func (c *City) fills(m moment) []float64 {
	tides := tide(m)
	weight := make([]float64, len(c.stations))
	level := 0.0 // to begin with, that of a station of average draw, half full
	for i := range c.stations {
		s := &c.stations[i]
		draw := s.draw(m, &tides)
		weight[i] = detmath.Exp(draw)
		level -= float64(draw*float64(s.Capacity)) / c.docks
	}
	target := c.docked(m)
	fill := make([]float64, len(c.stations))
	for range newtonSteps {
		x := detmath.Exp(level)
		sum, slope := 0.0, 0.0
		for i, w := range weight {
			f := float64(w*x) / (1 + float64(w*x))
			fill[i] = f
			f *= float64(c.stations[i].Capacity)
			sum += f
			slope += float64(f * (1 - fill[i]))
		}
		level += min(1, max(-1, (target-sum)/slope))
	}
	return fill
}

// newtonSteps is enough for the sum to be right to a hundredth of a bike.
const newtonSteps = 7

// History gives the snapshots from one time to another, both included, a step
// apart.
func (c *City) History(from, to time.Time, step time.Duration) iter.Seq[observation.Snapshot] {
	if step < time.Second {
		panic(fmt.Sprintf("sim: step of history is %v, must be at least a second", step))
	}
	return func(yield func(observation.Snapshot) bool) {
		for t := from; !t.After(to); t = t.Add(step) {
			if !yield(c.Snapshot(t)) {
				return
			}
		}
	}
}

// Weather is the weather as measured at a time, to a tenth of a unit. The API
// gives the precipitation of a full hour, its rate then, for the hour's sum.
func (c *City) Weather(t time.Time) observation.Weather {
	return measured(c.climate.at(t.Unix()))
}

// WeatherHistory gives the weather at each full hour from one time to
// another, both included.
func (c *City) WeatherHistory(from, to time.Time) []observation.Weather {
	var all []observation.Weather
	at := from.UTC().Truncate(time.Hour)
	if at.Before(from) {
		at = at.Add(time.Hour)
	}
	for ; !at.After(to); at = at.Add(time.Hour) {
		all = append(all, c.Weather(at))
	}
	return all
}
