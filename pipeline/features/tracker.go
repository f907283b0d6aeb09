package features

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"livelab/pipeline/observation"
)

// Tracker follows a network's stations as its snapshots come, and has the row
// of each as of the newest one: the very row that a Source makes of that time,
// if both know the past that Task.History asks for. A step costs as much as
// there are stations. It is not safe for concurrent use.
type Tracker struct {
	task    Task
	history History
	walk    *walk
	moment  moment
	out     *stationColumns
	made    int // points that the rows are as of
}

// NewTracker follows on from a history, which it may append to.
func NewTracker(task Task, h History) (*Tracker, error) {
	if err := task.Validate(); err != nil {
		return nil, err
	}
	if task.Entity != EntityStation {
		return nil, fmt.Errorf("task %q is not about stations", task.Name)
	}
	t := &Tracker{task: task, history: History{Place: h.Place, Stations: &Stations{}}}
	return t, t.Observe(h)
}

// Observe takes in what is new: points, weather and changes that are later
// than all before. Stations.List is the whole list as it is now; a history
// without Stations leaves it as it was. After an error the tracker is of no
// more use.
func (t *Tracker) Observe(next History) error {
	h := &t.history
	if next.Stations == nil {
		next.Stations = &Stations{List: h.Stations.List, Past: make([]Changes, len(h.Stations.List))}
	}
	h.Series.Points = append(h.Series.Points, next.Series.Points...)
	h.Series.Weather = append(h.Series.Weather, next.Series.Weather...)
	if err := checkStations(t.task, History{Series: h.Series, Stations: next.Stations}); err != nil {
		return err
	}
	again := t.walk == nil || !slices.EqualFunc(h.Stations.List, next.Stations.List, sameStation)
	h.Stations = joined(h.Stations, next.Stations)
	if again {
		w, err := startWalk(t.task, t.history)
		t.walk, t.out, t.made = w, newStationColumns(len(h.Stations.List)), 0
		return err
	}
	t.walk.timeline.extend(next.Series)
	for s := range next.Stations.Past {
		if err := t.walk.shown[s].extend(&next.Stations.Past[s]); err != nil {
			return err
		}
	}
	return nil
}

// sameStation compares what rows depend on.
func sameStation(a, b observation.Station) bool {
	place := func(s observation.Station) Place { return Place{s.Latitude, s.Longitude} }
	return a.ID == b.ID && a.Capacity == b.Capacity && a.MovedAt.Equal(b.MovedAt) &&
		(place(a) == place(b) || place(a) != place(a) && place(b) != place(b)) // NaN is NaN
}

// joined appends the changes of each station to those before.
func joined(before, next *Stations) *Stations {
	j := &Stations{List: next.List, Past: make([]Changes, len(next.List))}
	for i, s := range next.List {
		if k, ok := slices.BinarySearchFunc(before.List, s.ID, func(s observation.Station, id string) int {
			return strings.Compare(s.ID, id)
		}); ok {
			j.Past[i] = before.Past[k]
		}
		c, n := &j.Past[i], &next.Past[i]
		c.At = append(c.At, n.At...)
		c.FreeBikes = append(c.FreeBikes, n.FreeBikes...)
		c.EmptySlots = append(c.EmptySlots, n.EmptySlots...)
		c.InService = append(c.InService, n.InService...)
	}
	return j
}

// AsOf is the time of the newest snapshot, zero where there is none.
func (t *Tracker) AsOf() time.Time {
	if n := len(t.history.Series.Points); n > 0 {
		return t.history.Series.Points[n-1].At
	}
	return time.Time{}
}

// Entities lists the stations by ID.
func (t *Tracker) Entities() []string {
	return (&Source{task: t.task, history: t.history}).Entities()
}

// Rows gives one row for each station as of the newest snapshot, without the
// outputs of transforms. It has no rows where there is no snapshot. The next
// Rows overwrites it.
func (t *Tracker) Rows() *Frame {
	points := len(t.history.Series.Points)
	if points == 0 || len(t.history.Stations.List) == 0 {
		return t.out.frame(t.task, 0)
	}
	if t.made < points {
		t.moment = t.walk.timeline.moment(points - 1)
		if t.made == 0 {
			t.walk.catchUp(t.moment)
		}
		t.walk.advance([]moment{t.moment}, t.out)
		t.made = points
	}
	return t.out.frame(t.task, len(t.history.Stations.List))
}

// Missing says why a station has no forecast as of the newest snapshot, e.g.
// "it is out of service"; empty where it has one. It is in the order of
// Entities.
func (t *Tracker) Missing() []string {
	why := make([]string, len(t.history.Stations.List))
	at := t.AsOf().Unix()
	for s := range why {
		if len(t.history.Series.Points) == 0 {
			why[s] = "it has not been seen yet"
			continue
		}
		why[s] = t.missing(t.walk.shown[s], &t.history.Stations.Past[s], at)
	}
	return why
}

func (t *Tracker) missing(x *shown, c *Changes, at int64) string {
	var p place
	i := x.seek(&p, at)
	switch {
	case i < 0:
		return "it has not been seen yet"
	case !c.InService[i]:
		return "it is out of service"
	case c.FreeBikes[i] == 0 && c.EmptySlots[i] == 0:
		return "it is closed: it shows neither bikes nor docks"
	case c.FreeBikes[i] < 0:
		return "its number of bikes is unknown"
	case at-x.from(i, at) > x.ttl:
		return fmt.Sprintf("it has shown nothing new since %s, for longer than %.3g days",
			time.Unix(x.from(i, at), 0).UTC().Format(time.RFC3339), minutes(t.task.StateTTLMinutes).Hours()/24)
	}
	return ""
}
