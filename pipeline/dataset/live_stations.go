package dataset

import (
	"context"
	"fmt"
	"math"
	"time"

	"livelab/pipeline/features"
)

// refreshStationsAfter is as refreshAfter, for all stations: their past is a
// hundred times as much to read.
const refreshStationsAfter = time.Hour

// crowdAnswer is what was answered for all stations, and as of when.
type crowdAnswer struct {
	rows *StationRows
	now  time.Time
}

// AllStations gives what the store knows of all stations of a network as of
// its newest snapshot that is not ahead of the clock, with a row of each for a
// task about stations. An empty network stands for the only one in the store.
// The caller must not change what it gets. The error is a *NetworkError or a
// *MissingError where the store cannot answer.
//
// The past that rows look back to is kept in memory for each task and network
// that was asked for within the last hour, and only what a new snapshot brings
// is read. It is read anew each hour, so that data filled in behind counts then.
// The five weeks of 2,000 stations that are seen every ten minutes take about
// 170 MiB; reading them anew takes seconds, in which the others wait.
func (l *Live) AllStations(ctx context.Context, task features.Task, network string) (*StationRows, error) {
	if err := l.crowdTurn.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("wait for the store: %w", err)
	}
	defer l.crowdTurn.Release(1)
	now := l.now().UTC()
	rows, err := l.readCrowd(ctx, question{task, network}, now)
	if err != nil {
		return nil, err
	}
	l.crowdAnswers.Store(question{task, network}, crowdAnswer{rows, now})
	return rows, nil
}

// NewestOf gives the row of one station out of AllStations, which is asked for
// once a second at most. The error is a *NetworkError, a *StationError where
// there is no such station, or a *MissingError where it has no forecast.
func (l *Live) NewestOf(ctx context.Context, task features.Task, network, station string) (Row, error) {
	rows, err := l.recentCrowd(ctx, question{task, network})
	if err != nil {
		return Row{}, err
	}
	i, found := find(rows.Stations, station)
	if !found {
		return Row{}, rows.unknown(station)
	}
	if why := rows.Missing[i]; why != "" {
		return Row{}, &MissingError{Network: rows.Network.ID, Station: station, Missing: []string{why}}
	}
	r := Row{Network: rows.Network.ID, AsOf: rows.AsOf, WeatherAt: rows.WeatherAt, builtAt: rows.AsOf, Values: make(map[string]float64)}
	for _, name := range rows.Frame.Names() {
		if v := rows.Frame.Value(name, i); !math.IsNaN(v) {
			r.Values[name] = v
		}
	}
	return r, nil
}

func (l *Live) recentCrowd(ctx context.Context, q question) (*StationRows, error) {
	if v, ok := l.crowdAnswers.Load(q); ok {
		a := v.(crowdAnswer)
		if age := l.now().Sub(a.now); age >= 0 && age < askAfter {
			return a.rows, nil
		}
	}
	return l.AllStations(ctx, q.task, q.network)
}

// readCrowd asks the store. The caller has the turn.
func (l *Live) readCrowd(ctx context.Context, q question, now time.Time) (*StationRows, error) {
	n, err := FindNetwork(ctx, l.store, q.network)
	if err != nil {
		return nil, err
	}
	q.network = n.ID
	l.forgetCrowds(now)
	c := l.crowds[q]
	if c == nil || now.Before(c.readAt) || now.Sub(c.readAt) >= refreshStationsAfter {
		delete(l.crowds, q) // two pasts at a time would be twice the memory
		c, err = readCrowd(ctx, l.store, q.task, n, now)
	} else {
		err = c.advance(ctx, l.store, now)
	}
	if err != nil {
		return nil, fmt.Errorf("read the stations of %s: %w", n.ID, err)
	}
	c.askedAt, l.crowds[q] = now, c
	return c.rows, nil
}

// forgetCrowds drops the pasts that nobody has asked for in a while.
func (l *Live) forgetCrowds(now time.Time) {
	for q, c := range l.crowds {
		if now.Sub(c.askedAt) >= refreshStationsAfter {
			delete(l.crowds, q)
		}
	}
	l.crowdAnswers.Range(func(q, a any) bool {
		if now.Sub(a.(crowdAnswer).now) >= refreshStationsAfter {
			l.crowdAnswers.Delete(q)
		}
		return true
	})
}
