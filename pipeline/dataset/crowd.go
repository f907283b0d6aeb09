package dataset

import (
	"context"
	"fmt"
	"slices"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// crowd is what Live remembers of all stations of one network, for one task.
type crowd struct {
	task    features.Task
	network observation.Network
	readAt  time.Time // when it was last read as a whole
	askedAt time.Time

	tracker   *features.Tracker
	asOf      time.Time             // of the newest snapshot that was taken in
	weatherAt time.Time             // of the newest weather, zero for none
	placed    []observation.Station // as the tracker has them
	states    []observation.State
	changedAt []time.Time
	rows      *StationRows
}

// readCrowd reads the past of a network's stations as a whole.
func readCrowd(ctx context.Context, s Store, task features.Task, n observation.Network, now time.Time) (*crowd, error) {
	// A state that held when the history begins was first seen before.
	from := now.Add(-task.History() - time.Duration(task.StateTTLMinutes)*time.Minute)
	c := &crowd{task: task, network: n, readAt: now}
	var h features.History
	var err error
	h.Place = features.PlaceOf(n)
	if h.Series.Points, err = s.Totals(ctx, n.ID, from, now); err != nil {
		return nil, err
	}
	if len(h.Series.Points) == 0 {
		return nil, (&past{}).fresh(task, n.ID, now)
	}
	newest := lastAt(h.Series.Points)
	if h.Series.Weather, err = s.Weather(ctx, n.ID, from, newest); err != nil {
		return nil, err
	}
	var g gatherer
	if err := s.Changes(ctx, n.ID, from, newest, g.add); err != nil {
		return nil, err
	}
	known, err := s.Stations(ctx, n.ID)
	if err != nil {
		return nil, err
	}
	if h.Stations, err = g.among(known); err != nil {
		return nil, err
	}
	c.follow(known)
	if c.tracker, err = features.NewTracker(task, h); err != nil {
		return nil, err
	}
	return c, c.take(known, h)
}

// advance takes in what is new in the store.
func (c *crowd) advance(ctx context.Context, s Store, now time.Time) error {
	var h features.History
	var err error
	news := &h.Series
	if news.Points, err = s.Totals(ctx, c.network.ID, c.asOf.Add(time.Second), now); err != nil || len(news.Points) == 0 {
		return err
	}
	newest := lastAt(news.Points)
	var weatherFrom time.Time
	if !c.weatherAt.IsZero() {
		weatherFrom = c.weatherAt.Add(time.Second)
	}
	if news.Weather, err = s.Weather(ctx, c.network.ID, weatherFrom, newest); err != nil {
		return err
	}
	var g gatherer
	if err := s.Changes(ctx, c.network.ID, c.asOf.Add(time.Second), newest, g.add); err != nil {
		return err
	}
	known, err := s.Stations(ctx, c.network.ID)
	if err != nil {
		return err
	}
	if h.Stations, err = g.among(known); err != nil {
		return err
	}
	h.Stations.List = c.follow(known)
	for i := range h.Stations.Past {
		c.dropFirst(i, &h.Stations.Past[i])
	}
	readAt := c.readAt
	c.readAt = time.Time{} // whatever fails from here on, all is read again
	if err := c.tracker.Observe(h); err != nil {
		return err
	}
	c.readAt = readAt
	return c.take(known, h)
}

// follow keeps up with the list of stations, and gives them as the tracker is
// to have them: at the place of before where they have not moved, for it walks
// the whole past again where a place is another one. Small shifts count when
// all is read again.
func (c *crowd) follow(known []observation.Station) []observation.Station {
	placed := slices.Clone(known)
	states, changedAt := make([]observation.State, len(known)), make([]time.Time, len(known))
	for i, s := range known {
		states[i] = observation.Gone
		k, found := find(c.placed, s.ID)
		if !found {
			continue
		}
		states[i], changedAt[i] = c.states[k], c.changedAt[k]
		if was := c.placed[k]; was.MovedAt.Equal(s.MovedAt) && located(was) && located(s) {
			placed[i].Latitude, placed[i].Longitude = was.Latitude, was.Longitude
		}
	}
	c.placed, c.states, c.changedAt = placed, states, changedAt // those of before are somebody's answer
	return placed
}

// dropFirst drops a change that says again what held before.
func (c *crowd) dropFirst(station int, ch *features.Changes) {
	if ch.Len() > 0 && !c.changedAt[station].IsZero() && stateOf(ch, 0) == c.states[station] {
		*ch = features.Changes{At: ch.At[1:], FreeBikes: ch.FreeBikes[1:], EmptySlots: ch.EmptySlots[1:], InService: ch.InService[1:]}
	}
}

// take makes the rows as of the newest snapshot, once the tracker has it.
func (c *crowd) take(known []observation.Station, news features.History) error {
	c.asOf = lastAt(news.Series.Points)
	if n := len(news.Series.Weather); n > 0 {
		c.weatherAt = news.Series.Weather[n-1].At
	}
	for i := range news.Stations.Past {
		if p := &news.Stations.Past[i]; p.Len() > 0 {
			last := p.Len() - 1
			c.states[i], c.changedAt[i] = stateOf(p, last), time.Unix(p.At[last], 0).UTC()
		}
	}
	f := copyOf(c.tracker.Rows())
	if f.Rows() != len(known) {
		return fmt.Errorf("there are %d rows of %d stations", f.Rows(), len(known))
	}
	c.rows = &StationRows{
		Network: c.network, AsOf: c.asOf, Stations: known, States: c.states, ChangedAt: c.changedAt,
		Frame: f, Missing: c.tracker.Missing(),
	}
	if !c.weatherAt.IsZero() && c.asOf.Sub(c.weatherAt) <= weatherTTL(c.task) {
		c.rows.WeatherAt = c.weatherAt
	}
	return nil
}

// copyOf keeps a frame that the tracker will overwrite.
func copyOf(f *features.Frame) *features.Frame {
	columns := make([][]float64, len(f.Names()))
	for i, name := range f.Names() {
		columns[i] = slices.Clone(f.Column(name))
	}
	c := features.NewFrame(f.Task, slices.Clone(f.At), slices.Clone(f.Short), slices.Clone(f.ShortNow), slices.Clone(f.Names()), columns)
	c.Entity = slices.Clone(f.Entity)
	return c
}

func stateOf(c *features.Changes, i int) observation.State {
	return observation.State{FreeBikes: c.FreeBikes[i], EmptySlots: c.EmptySlots[i], InService: c.InService[i]}
}

func located(s observation.Station) bool {
	return s.Latitude == s.Latitude && s.Longitude == s.Longitude
}
