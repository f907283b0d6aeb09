package dataset

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

const (
	// askAfter is how long an answer stands before the store is asked what is
	// new. Sources are asked once in minutes, so nobody misses a second, and a
	// busy server puts a few queries a second to its store instead of a few
	// for each prediction.
	askAfter = time.Second

	// refreshAfter is how long the past is kept in memory before it is read
	// again as a whole. In between only what is newer is read, so that data
	// filled in behind counts after this time.
	refreshAfter = 10 * time.Minute
)

// Live answers with the newest row of a network. It keeps the past that the
// features look back to in memory, and its last answers for a second. It is
// safe for concurrent use; callers who come at once share one reading of the
// store.
type Live struct {
	store Store
	now   func() time.Time

	answers sync.Map            // from question to answer
	turn    *semaphore.Weighted // to read the store; a mutex that a context can leave
	pasts   map[string]*past    // by network, for who has the turn

	crowdAnswers sync.Map            // from question to crowdAnswer
	crowdTurn    *semaphore.Weighted // of its own: a first reading of all stations takes seconds
	crowds       map[question]*crowd // for who has the turn
}

// question is what Newest is asked.
type question struct {
	task    features.Task
	network string
}

// answer is what was read for a question, and as of when.
type answer struct {
	row Row
	now time.Time
}

// past is what Live remembers of one network.
type past struct {
	history time.Duration
	readAt  time.Time // when it was last read as a whole
	series  features.Series
	rows    map[features.Task]Row // made from series
}

// NewLive reads from the store as of now, which tells the time.
func NewLive(s Store, now func() time.Time) *Live {
	return &Live{
		store: s, now: now,
		turn: semaphore.NewWeighted(1), pasts: make(map[string]*past),
		crowdTurn: semaphore.NewWeighted(1), crowds: make(map[question]*crowd),
	}
}

// Newest gives the newest row of a network for a task, as of now to the
// minute; what was stored within the last second may be missing. An empty
// network stands for the only one in the store. The error is a *NetworkError
// or a *MissingError where the store cannot answer. Weather that is missing is
// absent from the row and no error.
func (l *Live) Newest(ctx context.Context, task features.Task, network string) (Row, error) {
	q := question{task, network}
	if row, ok := l.remembered(q); ok {
		return row, nil
	}
	if err := l.turn.Acquire(ctx, 1); err != nil {
		return Row{}, fmt.Errorf("wait for the store: %w", err)
	}
	defer l.turn.Release(1)
	if row, ok := l.remembered(q); ok { // who had the turn before has read it
		return row, nil
	}
	now := l.now().UTC()
	row, err := l.read(ctx, q, now)
	if err != nil {
		return Row{}, err
	}
	l.answers.Store(q, answer{row, now})
	return row, nil
}

// remembered gives the last answer while it stands: within the same minute,
// as a row is of a minute, and for askAfter. Errors are not remembered; that
// would let anybody fill the memory with names of networks.
func (l *Live) remembered(q question) (Row, bool) {
	v, ok := l.answers.Load(q)
	if !ok {
		return Row{}, false
	}
	a, now := v.(answer), l.now()
	age := now.Sub(a.now)
	same := now.Truncate(time.Minute).Equal(a.now.Truncate(time.Minute))
	return a.row, same && age >= 0 && age < askAfter
}

// read asks the store.
func (l *Live) read(ctx context.Context, q question, now time.Time) (Row, error) {
	n, err := FindNetwork(ctx, l.store, q.network)
	if err != nil {
		return Row{}, err
	}
	p := l.pasts[n.ID]
	if p == nil {
		p = new(past)
		l.pasts[n.ID] = p
	}
	if err := p.read(ctx, l.store, n.ID, q.task.History(), now); err != nil {
		return Row{}, fmt.Errorf("read the newest data of %s: %w", n.ID, err)
	}
	return p.row(q.task, n, now)
}

// read brings the series up to now.
func (p *past) read(ctx context.Context, s Store, network string, history time.Duration, now time.Time) error {
	whole := now.Sub(p.readAt) >= refreshAfter || now.Before(p.readAt) || history > p.history
	points, weather := p.series.Points, p.series.Weather
	if whole {
		points, weather = nil, nil
	} else {
		history = p.history
	}
	// Where there was nothing yet, what comes first may be older than the last
	// reading: a snapshot is of the stations' time.
	pointsFrom, weatherFrom := now.Add(-history), now.Add(-history)
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

func (p *past) row(task features.Task, n observation.Network, now time.Time) (Row, error) {
	minute := now.Truncate(time.Minute)
	if last := lastAt(p.series.Points); last.After(minute) {
		minute = last
	}
	if err := p.fresh(task, n.ID, minute); err != nil {
		return Row{}, err
	}
	if r, ok := p.rows[task]; ok && r.builtAt.Equal(minute) {
		return r, nil
	}
	f, err := features.Build(task, features.PlaceOf(n), p.series, []time.Time{minute})
	if err != nil {
		return Row{}, err
	}
	r := Row{Network: n.ID, AsOf: lastAt(p.series.Points), builtAt: minute, Values: make(map[string]float64)}
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
