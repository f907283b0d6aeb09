package dataset

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// refreshAfter is how long the past is kept in memory before it is read again
// as a whole. In between only what is newer is read, so that data filled in
// behind counts after this time.
const refreshAfter = 10 * time.Minute

// Live answers with the newest row of a network. It keeps the past that the
// features look back to in memory. It is safe for concurrent use.
type Live struct {
	store Store
	now   func() time.Time

	mu    sync.Mutex
	pasts map[string]*past
}

// past is what Live remembers of one network.
type past struct {
	mu      sync.Mutex
	history time.Duration
	readAt  time.Time // when it was last read as a whole
	series  features.Series
	rows    map[features.Task]Row // made from series
}

// NewLive reads from the store as of now, which tells the time.
func NewLive(s Store, now func() time.Time) *Live {
	return &Live{store: s, now: now, pasts: make(map[string]*past)}
}

// Newest gives the newest row of a network for a task, as of now to the
// minute. An empty network stands for the only one in the store. The error is
// a *NetworkError or a *MissingError where the store cannot answer. Weather
// that is missing is absent from the row and no error.
func (l *Live) Newest(ctx context.Context, task features.Task, network string) (Row, error) {
	n, err := FindNetwork(ctx, l.store, network)
	if err != nil {
		return Row{}, err
	}
	l.mu.Lock()
	p := l.pasts[n.ID]
	if p == nil {
		p = new(past)
		l.pasts[n.ID] = p
	}
	l.mu.Unlock()

	p.mu.Lock()
	defer p.mu.Unlock()
	now := l.now().UTC()
	if err := p.read(ctx, l.store, n.ID, task.History(), now); err != nil {
		return Row{}, fmt.Errorf("read the newest data of %s: %w", n.ID, err)
	}
	return p.row(task, n.ID, now)
}

// read brings the series up to now.
func (p *past) read(ctx context.Context, s Store, network string, history time.Duration, now time.Time) error {
	whole := now.Sub(p.readAt) >= refreshAfter || now.Before(p.readAt) || history > p.history
	points, weather := p.series.Points, p.series.Weather
	pointsFrom, weatherFrom := p.readAt, p.readAt
	if whole {
		points, weather = nil, nil
		pointsFrom, weatherFrom = now.Add(-history), now.Add(-history)
	}
	if n := len(points); n > 0 {
		pointsFrom = points[n-1].At.Add(time.Second)
	}
	if n := len(weather); n > 0 {
		weatherFrom = weather[n-1].At.Add(time.Second)
	}
	newPoints, err := s.Totals(ctx, network, pointsFrom, now)
	if err != nil {
		return err
	}
	newWeather, err := s.Weather(ctx, network, weatherFrom, now)
	if err != nil {
		return err
	}
	if whole {
		p.readAt, p.history = now, history
	}
	if whole || len(newPoints) > 0 || len(newWeather) > 0 {
		p.rows = make(map[features.Task]Row)
	}
	p.series = features.Series{Points: append(points, newPoints...), Weather: append(weather, newWeather...)}
	return nil
}

func (p *past) row(task features.Task, network string, now time.Time) (Row, error) {
	minute := now.Truncate(time.Minute)
	if n := len(p.series.Points); n > 0 && p.series.Points[n-1].At.After(minute) {
		minute = p.series.Points[n-1].At
	}
	if err := p.fresh(task, network, minute); err != nil {
		return Row{}, err
	}
	if r, ok := p.rows[task]; ok && r.builtAt.Equal(minute) {
		return r, nil
	}
	f, err := features.Build(task, p.series, []time.Time{minute})
	if err != nil {
		return Row{}, err
	}
	r := Row{Network: network, AsOf: lastAt(p.series.Points), builtAt: minute, Values: make(map[string]float64)}
	for _, name := range f.Names() {
		if v := f.Value(name, 0); !math.IsNaN(v) {
			r.Values[name] = v
		}
	}
	if n := len(p.series.Weather); n > 0 && minute.Sub(p.series.Weather[n-1].At) <= weatherTTL(task) {
		r.WeatherAt = p.series.Weather[n-1].At
	}
	p.rows[task] = r
	return r, nil
}

// fresh says what is missing where the newest point cannot stand for now.
func (p *past) fresh(task features.Task, network string, now time.Time) error {
	last := lastAt(p.series.Points)
	ttl := time.Duration(task.BikesTTLMinutes) * time.Minute
	switch {
	case last.IsZero():
		return &MissingError{Network: network, Missing: []string{
			fmt.Sprintf("no observation of the last %d days is stored; run `livelab ingest` or `livelab import`", int(task.History().Hours()/24)),
		}}
	case now.Sub(last) > ttl:
		return &MissingError{Network: network, Missing: []string{
			fmt.Sprintf("the newest observation is of %s, %s before now, and stands for %s; run `livelab ingest`",
				last.Format(time.RFC3339), now.Sub(last).Round(time.Minute), ttl),
		}}
	}
	return nil
}

func lastAt(points []observation.Totals) time.Time {
	if len(points) == 0 {
		return time.Time{}
	}
	return points[len(points)-1].At
}

func weatherTTL(task features.Task) time.Duration {
	return time.Duration(task.WeatherTTLMinutes) * time.Minute
}
