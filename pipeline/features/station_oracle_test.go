package features_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// stationOracle works rows of stations out again, from what the catalogue
// promises, by loops over all of the past.
type stationOracle struct {
	task features.Task
	h    features.History
}

// shows is what a station showed in the newest snapshot of an hour up to at, as
// a row of another time may know it.
func (o *stationOracle) shows(s int, at, row time.Time) (observation.State, time.Time, bool) {
	var snapshot time.Time
	for _, p := range o.h.Series.Points {
		if !p.At.After(at) && at.Sub(p.At) <= 60*time.Minute {
			snapshot = p.At
		}
	}
	if snapshot.IsZero() {
		return observation.State{}, time.Time{}, false
	}
	return o.state(s, snapshot, row)
}

// state is what a station showed in a snapshot.
func (o *stationOracle) state(s int, snapshot, row time.Time) (observation.State, time.Time, bool) {
	var state observation.State
	var seen time.Time
	c := o.h.Stations.Past[s]
	for i, at := range c.At {
		if at <= snapshot.Unix() {
			state = observation.State{FreeBikes: c.FreeBikes[i], EmptySlots: c.EmptySlots[i], InService: c.InService[i]}
			seen = time.Unix(at, 0).UTC()
		}
	}
	moved := o.h.Stations.List[s].MovedAt
	if !moved.IsZero() && snapshot.Before(moved) != row.Before(moved) {
		return state, seen, false
	}
	if !snapshot.Before(moved) && seen.Before(moved) && !seen.IsZero() {
		seen = moved
	}
	closed := state.FreeBikes == 0 && state.EmptySlots == 0
	ok := !seen.IsZero() && state.InService && state.FreeBikes >= 0 && !closed && snapshot.Sub(seen) <= time.Duration(o.task.StateTTLMinutes)*time.Minute
	return state, seen, ok
}

func (o *stationOracle) bikes(s int, at, row time.Time) float64 {
	if state, _, ok := o.shows(s, at, row); ok {
		return float64(state.FreeBikes)
	}
	return math.NaN()
}

// later is the snapshot that the label of t is seen in.
func (o *stationOracle) later(t time.Time) (time.Time, bool) {
	p, ok := (&oracle{task: o.task, s: o.h.Series}).later(t)
	return p.At, ok
}

// before is an outcome that was observed before a row.
type before struct {
	station   int
	end       time.Time // t+h
	now, then float64
}

// outcomes are those of the window of a row, of stations that had not moved
// meanwhile.
func (o *stationOracle) outcomes(t time.Time) []before {
	var all []before
	slots := map[int64]bool{}
	for _, p := range o.h.Series.Points {
		slot := p.At.Unix() / int64(o.task.StepMinutes*60)
		if slots[slot] || p.At.After(t) {
			continue
		}
		slots[slot] = true
		then, ok := o.later(p.At)
		if !ok || !then.Before(t) || t.Sub(p.At) > time.Duration(o.task.ClimatologyDays)*24*time.Hour {
			continue
		}
		for s := range o.h.Stations.List {
			a, _, okA := o.state(s, p.At, then)
			b, _, okB := o.state(s, then, then)
			if okA && okB {
				all = append(all, before{s, p.At.Add(o.task.Horizon()), float64(a.FreeBikes), float64(b.FreeBikes)})
			}
		}
	}
	return all
}

func weekend(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }

// group sorts bikes by how many more there are than k.
func (o *stationOracle) group(bikes float64) int {
	more := int(bikes) - o.task.Target.Bikes
	return slices.IndexFunc([]int{0, 1, 2, 4, 7, 11, math.MaxInt}, func(most int) bool { return more <= most })
}

// rates counts outcomes and those that were short.
func (o *stationOracle) rates(all []before, keep func(before) bool) (n, short, change, then float64) {
	for _, b := range all {
		if !keep(b) {
			continue
		}
		n, change, then = n+1, change+b.then-b.now, then+b.then
		if b.then <= float64(o.task.Target.Bikes) {
			short++
		}
	}
	return n, short, change, then
}

// historyColumns are made from outcomes.
var historyColumns = []string{
	"shortage_rate", "climatology", "climatology_of_day", "onset_rate", "onset_rate_of_day", "typical_bikes_change",
	"typical_bikes_change_of_day", "typical_free_bikes", "rate_at_bikes", "network_rate_at_bikes", "rate_at_bikes_and_hour",
}

// history is every column that is made from outcomes.
func (o *stationOracle) history(r map[string]float64, s int, t time.Time, now float64) {
	ahead, all := t.Add(o.task.Horizon()), o.outcomes(t)
	moved := o.h.Stations.List[s].MovedAt
	mine := func(b before) bool {
		start := b.end.Add(-o.task.Horizon())
		return b.station == s && start.Before(moved) == t.Before(moved)
	}
	anyone := func(before) bool { return true }
	hour := func(b before) bool { return b.end.Hour() == ahead.Hour() }
	weekHour := func(b before) bool { return hour(b) && b.end.Weekday() == ahead.Weekday() }
	kind := func(b before) bool { return hour(b) && weekend(b.end) == weekend(ahead) }
	third := func(b before) bool {
		return b.end.Hour()/3 == ahead.Hour()/3 && weekend(b.end) == weekend(ahead)
	}
	calm := func(b before) bool { return b.now > float64(o.task.Target.Bikes) }
	alike := func(b before) bool { return o.group(b.now) == o.group(now) }
	and := func(fs ...func(before) bool) func(before) bool {
		return func(b before) bool {
			return !slices.ContainsFunc(fs, func(f func(before) bool) bool { return !f(b) })
		}
	}
	rate := func(to, imagined float64, fs ...func(before) bool) float64 {
		n, short, _, _ := o.rates(all, and(fs...))
		return (short + imagined*to) / (n + imagined)
	}
	if len(all) == 0 { // nothing is known of any station
		for _, name := range historyColumns {
			r[name] = math.NaN()
		}
		r["typical_bikes_change"], r["typical_bikes_change_of_day"] = 0, 0
		return
	}
	n, short, _, _ := o.rates(all, anyone)
	overall := short / n
	r["shortage_rate"] = rate(overall, 50, mine)
	r["climatology_of_day"] = rate(rate(overall, 200, hour), 10, mine, hour)
	r["climatology"] = rate(r["climatology_of_day"], 6, mine, weekHour)
	onset := rate(0.5, 1, calm)
	r["onset_rate_of_day"] = rate(rate(onset, 200, hour, calm), 15, mine, hour, calm)
	r["onset_rate"] = rate(rate(onset, 200, weekHour, calm), 15, mine, weekHour, calm)
	n, _, change, then := o.rates(all, and(mine, hour))
	r["typical_bikes_change_of_day"], r["typical_free_bikes"] = change/(n+6), then/n
	n, _, change, _ = o.rates(all, and(mine, weekHour))
	r["typical_bikes_change"] = change / (n + 6)
	like := rate(0.5, 1, alike)
	r["network_rate_at_bikes"] = rate(like, 30, kind, alike)
	r["rate_at_bikes"] = rate(like, 10, mine, alike)
	odds := func(p float64) float64 { return p / (1 - p) }
	both := odds(r["rate_at_bikes"]) * odds(r["network_rate_at_bikes"]) / odds(like)
	r["rate_at_bikes_and_hour"] = rate(both/(1+both), 8, mine, third, alike)
}

// metres is the great-circle distance by the haversine formula.
func metres(a, b observation.Station) float64 {
	rad := math.Pi / 180
	h := math.Pow(math.Sin((b.Latitude-a.Latitude)*rad/2), 2) +
		math.Cos(a.Latitude*rad)*math.Cos(b.Latitude*rad)*math.Pow(math.Sin((b.Longitude-a.Longitude)*rad/2), 2)
	return 2 * 6371008.8 * math.Asin(math.Sqrt(h))
}

// neighbours are the columns about other stations.
func (o *stationOracle) neighbours(r map[string]float64, s int, t time.Time) {
	list := o.h.Stations.List
	var near []int
	for j := range list {
		if j != s && metres(list[s], list[j]) <= 2000 && !math.IsNaN(o.bikes(j, t, t)) && !t.Before(list[j].MovedAt) && !t.Before(list[s].MovedAt) {
			near = append(near, j)
		}
	}
	slices.SortFunc(near, func(a, b int) int {
		if metres(list[s], list[a]) < metres(list[s], list[b]) {
			return -1
		}
		return 1
	})
	near = near[:min(5, len(near))]
	mean := func(of func(j int) float64) float64 {
		var n, sum float64
		for _, j := range near {
			if v := of(j); !math.IsNaN(v) {
				n, sum = n+1, sum+v
			}
		}
		return sum / n
	}
	r["nearest_free_bikes"] = math.NaN()
	if len(near) > 0 {
		r["nearest_free_bikes"] = o.bikes(near[0], t, t)
	}
	r["neighbours_free_bikes"] = mean(func(j int) float64 { return o.bikes(j, t, t) })
	r["neighbours_free_ratio"] = mean(func(j int) float64 { _, _, _, ratio := o.docks(j, t); return ratio })
	r["neighbours_short_share"] = mean(func(j int) float64 { return o.isShort(o.bikes(j, t, t)) })
	r["neighbours_change_60m"] = mean(func(j int) float64 { return o.bikes(j, t, t) - o.bikes(j, t.Add(-time.Hour), t) })
	share := func(ago time.Duration) float64 {
		var n, short float64
		for j := range list {
			if v := o.isShort(o.bikes(j, t.Add(-ago), t)); !math.IsNaN(v) {
				n, short = n+1, short+v
			}
		}
		return short / n
	}
	r["network_short_share"] = share(0)
	r["network_short_share_change_60m"] = share(0) - share(time.Hour)
	network := &oracle{task: o.task, s: o.h.Series}
	r["network_free_ratio"] = network.ratioAt(t)
	r["network_free_ratio_change_60m"] = network.ratioAt(t) - network.ratioAt(t.Add(-time.Hour))
}

func (o *stationOracle) isShort(bikes float64) float64 {
	switch {
	case math.IsNaN(bikes):
		return bikes
	case bikes <= float64(o.task.Target.Bikes):
		return 1
	}
	return 0
}

func (o *stationOracle) docks(s int, t time.Time) (free, empty, total, ratio float64) {
	state, _, ok := o.shows(s, t, t)
	free, empty, total = math.NaN(), math.NaN(), math.NaN()
	if ok {
		free = float64(state.FreeBikes)
		if state.EmptySlots >= 0 {
			empty = float64(state.EmptySlots)
			total = free + empty
		} else if c := o.h.Stations.List[s].Capacity; c > 0 {
			total = float64(max(c, state.FreeBikes))
		}
	}
	return free, empty, total, free / total
}

// since are the minutes since the station was last so at its place of t, at
// most a day. A state holds until the next change.
func (o *stationOracle) since(s int, t time.Time, so func(free float64) bool) float64 {
	least, c, moved := 1440.0, o.h.Stations.Past[s], o.h.Stations.List[s].MovedAt
	for i := range c.At {
		began, end := c.At[i], int64(math.MaxInt64)
		if i+1 < c.Len() {
			end = c.At[i+1]
		}
		known := c.InService[i] && c.FreeBikes[i] >= 0 && (c.FreeBikes[i] > 0 || c.EmptySlots[i] != 0)
		elsewhere := !moved.IsZero() && !t.Before(moved) && end <= moved.Unix()
		if known && !elsewhere && so(float64(c.FreeBikes[i])) && began <= t.Unix() {
			least = min(least, max(0, float64(t.Unix()-end)/60))
		}
	}
	return least
}

func (o *stationOracle) row(s int, t time.Time) map[string]float64 {
	r := (&oracle{task: o.task, s: o.h.Series}).row(t) // the calendar and the weather are the network's
	station := o.h.Stations.List[s]
	free, empty, total, ratio := o.docks(s, t)
	r["stations_count"], r["free_bikes"], r["empty_slots"], r["total_slots"], r["free_ratio"] = 1+0*free, free, empty, total, ratio
	r["short_now"], r["capacity"] = o.isShort(free), math.NaN()
	if station.Capacity > 0 {
		r["capacity"] = float64(station.Capacity)
	}
	r["latitude"], r["longitude"] = station.Latitude, station.Longitude
	if t.Before(station.MovedAt) {
		r["latitude"], r["longitude"] = math.NaN(), math.NaN()
	}
	h := o.task.Horizon()
	for name, ago := range map[string]time.Duration{
		"lag_30m": 30 * time.Minute, "lag_60m": time.Hour, "lag_120m": 2 * time.Hour, "lag_180m": 3 * time.Hour,
		"yesterday": 24 * time.Hour, "yesterday_ahead": 24*time.Hour - h, "last_week": 168 * time.Hour, "last_week_ahead": 168*time.Hour - h,
	} {
		r["free_bikes_"+name] = o.bikes(s, t.Add(-ago), t)
	}
	for _, ago := range []string{"30m", "60m", "120m"} {
		r["free_bikes_change_"+ago] = free - r["free_bikes_lag_"+ago]
	}
	o.neighbours(r, s, t)
	ahead := t.Add(h)
	r["hour_ahead"] = ahead.Sub(ahead.Truncate(24 * time.Hour)).Hours()
	r["day_of_week_ahead"] = float64((ahead.Weekday() + 6) % 7)
	if math.IsNaN(free) {
		return r
	}
	_, seen, _ := o.shows(s, t, t)
	r["minutes_since_change"] = min(t.Sub(seen).Minutes(), 1440)
	k := float64(o.task.Target.Bikes)
	r["minutes_since_short"] = o.since(s, t, func(free float64) bool { return free <= k })
	r["minutes_since_not_short"] = o.since(s, t, func(free float64) bool { return free > k })
	o.history(r, s, t, free)
	return r
}

// TestStationRowsHoldWhatTheCatalogueSays compares rows of random pasts with
// the oracle's, column by column, and more of those in which a station has just
// moved.
func TestStationRowsHoldWhatTheCatalogueSays(t *testing.T) {
	t.Parallel()
	for seed, horizon := range []int{0, 60, 1440} {
		t.Run(time.Duration(horizon*int(time.Minute)).String(), func(t *testing.T) {
			t.Parallel()
			task := features.StationShortage(1)
			task.HorizonMinutes, task.ClimatologyDays, task.StateTTLMinutes = horizon, 5, 2*24*60
			o := &stationOracle{task, features.StationWorld(uint64(seed), 9, 13)}
			source, err := features.NewSource(task, o.h, nil)
			if err != nil {
				t.Fatal(err)
			}
			n, moved := 0, 0
			if err := source.Blocks(t.Context(), time.Time{}, time.Time{}, func(f *features.Frame) error {
				for i, at := range f.At {
					there := at.Sub(o.h.Stations.List[f.Entity[i]].MovedAt)
					recently := there >= 0 && there < 24*time.Hour
					if recently {
						moved++
					}
					if n++; n%331 == 0 || recently && moved%3 == 0 {
						o.compare(t, f, i)
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if moved < 90 {
				t.Errorf("there are %d rows of stations that have just moved", moved)
			}
		})
	}
}

func (o *stationOracle) compare(t *testing.T, f *features.Frame, i int) {
	t.Helper()
	s, at := int(f.Entity[i]), f.At[i]
	want := o.row(s, at)
	for _, name := range f.Names() {
		v, ok := want[name]
		if !ok {
			if math.IsNaN(want["free_bikes"]) {
				v = math.NaN()
			} else {
				t.Errorf("the oracle has no %s", name)
			}
		}
		if got := f.Value(name, i); !equal(got, v) {
			t.Errorf("%s of station %d at %s is %v, want %v", name, s, at, got, v)
		}
	}
	now := o.bikes(s, at, at)
	then := math.NaN()
	if snapshot, ok := o.later(at); ok && !math.IsNaN(now) {
		if state, _, ok := o.state(s, snapshot, at); ok {
			then = float64(state.FreeBikes)
		}
	}
	label := func(bikes float64) features.Label {
		switch v := o.isShort(bikes); {
		case math.IsNaN(v):
			return features.Unlabelled
		case v == 1:
			return features.Short
		}
		return features.NotShort
	}
	if f.ShortNow[i] != label(now) || f.Short[i] != label(then) {
		t.Errorf("station %d at %s is short now %v and then %v, want %v and %v", s, at, f.ShortNow[i], f.Short[i], label(now), label(then))
	}
}
