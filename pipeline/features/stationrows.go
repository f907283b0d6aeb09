package features

import (
	"math"
	"time"
)

// stationColumns are the columns of a block of rows of stations, by name and
// with their places in a frame.
type stationColumns struct {
	at              []time.Time
	entity          []int32
	short, shortNow []Label
	names           []string
	columns         [][]float64

	stations, free, empty, total, ratio, capacity, latitude, longitude []float64
	temperature, precipitation, wind                                   []float64
	lag30, lag60, lag120, lag180, change30, change60, change120        []float64
	yesterday, yesterdayAhead, lastWeek, lastWeekAhead                 []float64
	sinceChange, sinceShort, sinceNot, isShort                         []float64
	nearFree, nearRatio, nearShort, nearChange, nearest                []float64
	networkRatio, networkRatioChange, networkShort, networkShortChange []float64
	rate, climatology, climatologyDay, onset, onsetDay                 []float64
	change, changeDay, typical, atBikes, networkAtBikes, atBikesHour   []float64
	hourSin, hourCos, halfDaySin, halfDayCos, weekend, hour, weekday   []float64
	unix, unixAhead                                                    []float64
}

// newStationColumns has room for rows.
func newStationColumns(rows int) *stationColumns {
	c := &stationColumns{
		at: make([]time.Time, rows), entity: make([]int32, rows), short: make([]Label, rows), shortNow: make([]Label, rows),
		names: columnsOf(EntityStation),
	}
	named := map[string]*[]float64{
		"stations_count": &c.stations, "free_bikes": &c.free, "empty_slots": &c.empty, "total_slots": &c.total, "free_ratio": &c.ratio,
		"temp_2m": &c.temperature, "precipitation": &c.precipitation, "wind_speed_10m": &c.wind,
		"capacity": &c.capacity, "latitude": &c.latitude, "longitude": &c.longitude,
		"free_bikes_lag_30m": &c.lag30, "free_bikes_lag_60m": &c.lag60, "free_bikes_lag_120m": &c.lag120, "free_bikes_lag_180m": &c.lag180,
		"free_bikes_change_30m": &c.change30, "free_bikes_change_60m": &c.change60, "free_bikes_change_120m": &c.change120,
		"free_bikes_yesterday": &c.yesterday, "free_bikes_yesterday_ahead": &c.yesterdayAhead,
		"free_bikes_last_week": &c.lastWeek, "free_bikes_last_week_ahead": &c.lastWeekAhead,
		"minutes_since_change": &c.sinceChange, "minutes_since_short": &c.sinceShort, "minutes_since_not_short": &c.sinceNot, shortNow: &c.isShort,
		"neighbours_free_bikes": &c.nearFree, "neighbours_free_ratio": &c.nearRatio, "neighbours_short_share": &c.nearShort,
		"neighbours_change_60m": &c.nearChange, "nearest_free_bikes": &c.nearest,
		"network_free_ratio": &c.networkRatio, "network_free_ratio_change_60m": &c.networkRatioChange,
		"network_short_share": &c.networkShort, "network_short_share_change_60m": &c.networkShortChange,
		"shortage_rate": &c.rate, "climatology": &c.climatology, "climatology_of_day": &c.climatologyDay, "onset_rate": &c.onset, "onset_rate_of_day": &c.onsetDay,
		"typical_bikes_change": &c.change, "typical_bikes_change_of_day": &c.changeDay, "typical_free_bikes": &c.typical,
		"rate_at_bikes": &c.atBikes, "network_rate_at_bikes": &c.networkAtBikes, "rate_at_bikes_and_hour": &c.atBikesHour,
		"hour_sin": &c.hourSin, "hour_cos": &c.hourCos, "half_day_sin": &c.halfDaySin, "half_day_cos": &c.halfDayCos,
		"weekend": &c.weekend, "hour_ahead": &c.hour, "day_of_week_ahead": &c.weekday, "unix_time": &c.unix, "unix_time_ahead": &c.unixAhead,
	}
	flat := make([]float64, rows*len(c.names))
	for i, name := range c.names {
		column := flat[i*rows : (i+1)*rows : (i+1)*rows]
		c.columns = append(c.columns, column)
		*named[name] = column
	}
	return c
}

// frame gives the first rows, which share their memory.
func (c *stationColumns) frame(task Task, rows int) *Frame {
	columns := make([][]float64, len(c.columns))
	for i := range columns {
		columns[i] = c.columns[i][:rows:rows]
	}
	f := NewFrame(task, c.at[:rows], c.short[:rows], c.shortNow[:rows], c.names[:len(c.names):len(c.names)], columns)
	f.Entity = c.entity[:rows]
	return f
}

// bikesOf is a number of bikes, NaN for unknown.
func bikesOf(n int32) float64 {
	if n < 0 {
		return math.NaN()
	}
	return float64(n)
}

// label applies the target's rule to a number of bikes.
func (t *Task) label(bikes int32) Label {
	switch {
	case bikes < 0:
		return Unlabelled
	case int(bikes) <= t.Target.Bikes:
		return Short
	}
	return NotShort
}

// present fills what a station itself shows and has shown, and what came.
func (w *walk) present(s int, ms []moment, out *stationColumns) {
	x, wk, n := w.shown[s], &w.walkers[s], len(w.shown)
	lags := [looks][]float64{
		look30: out.lag30, look60: out.lag60, look120: out.lag120, look180: out.lag180, lookYesterday: out.yesterday,
		lookYesterdayAhead: out.yesterdayAhead, lookLastWeek: out.lastWeek, lookLastWeekAhead: out.lastWeekAhead,
	}
	for i := range ms {
		m, r := &ms[i], i*n+s
		now := x.bikes(&wk.look[lookNow], m.look[lookNow], m.unix)
		for k := lookNow + 1; k < looks; k++ {
			lags[k][r] = bikesOf(x.bikes(&wk.look[k], m.look[k], m.unix))
		}
		out.free[r] = bikesOf(now)
		w.docks(x, wk, now, r, out)
		out.change30[r], out.change60[r], out.change120[r] = out.free[r]-out.lag30[r], out.free[r]-out.lag60[r], out.free[r]-out.lag120[r]
		out.at[r], out.entity[r] = m.at, int32(s)
		out.shortNow[r], out.short[r] = w.task.label(now), Unlabelled
		if ahead := x.bikes(&wk.label, m.label, m.unix); now >= 0 {
			out.short[r] = w.task.label(ahead)
		}
		w.spells(x, wk, now, m, r, out)
		w.place(x, m, r, out)
	}
}

// docks fills what follows from the bikes and the empty slots.
func (w *walk) docks(x *shown, wk *walker, now int32, r int, out *stationColumns) {
	nan := math.NaN()
	out.stations[r], out.empty[r], out.total[r], out.ratio[r], out.isShort[r] = nan, nan, nan, nan, nan
	if now < 0 {
		return
	}
	out.stations[r] = 1
	out.isShort[r] = w.task.Derive(shortNow, float64(now), nan)
	if empty := x.empty[wk.look[lookNow]-1]; empty >= 0 {
		out.empty[r], out.total[r] = float64(empty), float64(now)+float64(empty)
	} else if x.station.Capacity > 0 {
		out.total[r] = float64(max(x.station.Capacity, now))
	}
	out.ratio[r] = out.free[r] / out.total[r]
}

// spells fills for how long the station has been as it is.
func (w *walk) spells(x *shown, wk *walker, now int32, m *moment, r int, out *stationColumns) {
	out.sinceChange[r], out.sinceShort[r], out.sinceNot[r] = math.NaN(), math.NaN(), math.NaN()
	wk.spells.follow(x, m.unix, int32(w.task.Target.Bikes))
	if now < 0 {
		return
	}
	floor := int64(never)
	if m.unix >= x.since {
		floor = x.since // what ended as it came was at another place
	}
	out.sinceChange[r] = minutesSince(x.from(int(wk.look[lookNow])-1, m.unix), m.unix, never)
	out.sinceShort[r] = minutesSince(wk.spells.short, m.unix, floor)
	out.sinceNot[r] = minutesSince(wk.spells.not, m.unix, floor)
	if wk.spells.isShort {
		out.sinceShort[r] = 0
	}
	if wk.spells.isNot {
		out.sinceNot[r] = 0
	}
}

// place fills where the station is. Where it was before it moved is not known.
func (w *walk) place(x *shown, m *moment, r int, out *stationColumns) {
	out.latitude[r], out.longitude[r] = x.station.Latitude, x.station.Longitude
	if m.unix < x.since {
		out.latitude[r], out.longitude[r] = math.NaN(), math.NaN()
	}
	out.capacity[r] = math.NaN()
	if x.station.Capacity > 0 {
		out.capacity[r] = float64(x.station.Capacity)
	}
}

// past fills what a station's outcomes tell.
func (c *stationColumns) past(r int, t *ofStation, m *moment, short int32) {
	nan := math.NaN()
	p := past{nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan}
	if bikes := c.free[r]; !math.IsNaN(bikes) {
		p = t.past(&m.prior, m.hours, bikeGroup(int32(bikes)-short))
	}
	c.rate[r], c.climatologyDay[r], c.climatology[r] = p.rate, p.day, p.week
	c.onsetDay[r], c.onset[r] = p.onsetDay, p.onsetWeek
	c.changeDay[r], c.change[r], c.typical[r] = p.changeDay, p.changeWeek, p.typical
	c.atBikes[r], c.networkAtBikes[r], c.atBikesHour[r] = p.bikes, p.hourBikes, p.ofThree
}

// around fills what a station has in common with others.
func (w *walk) around(s int, ms []moment, out *stationColumns) {
	n := len(w.shown)
	for i := range ms {
		m, r := &ms[i], i*n+s
		w.neighbours(s, m.unix, i*n, out)
		out.networkRatio[r], out.networkRatioChange[r] = m.ratio, m.ratio-m.ratio1
		out.networkShort[r], out.networkShortChange[r] = m.short, m.short-m.short1
		out.temperature[r], out.precipitation[r], out.wind[r] = m.weather.Temperature, m.weather.Precipitation, m.weather.WindSpeed
		out.hourSin[r], out.hourCos[r] = m.calendar.hourSin, m.calendar.hourCos
		out.halfDaySin[r], out.halfDayCos[r] = m.calendar.halfDaySin, m.calendar.halfDayCos
		out.weekend[r], out.hour[r], out.weekday[r] = m.calendar.weekend, m.calendar.hour, m.calendar.weekday
		out.unix[r], out.unixAhead[r] = float64(m.unix), m.calendar.unixAhead
	}
}

// neighbours fills what the nearest stations show, whose rows of the same time
// begin at first.
func (w *walk) neighbours(s int, unix int64, first int, out *stationColumns) {
	var known, changed int
	var free, ratio, rated, short, change float64
	r, nearest := first+s, math.NaN()
	for _, j := range w.near[s] {
		k := first + int(j)
		if known == mostNeighbours || unix < w.shown[s].since {
			break
		}
		if math.IsNaN(out.free[k]) || unix < w.shown[j].since {
			continue
		}
		if known == 0 {
			nearest = out.free[k]
		}
		known++
		free, short = free+out.free[k], short+out.isShort[k]
		if !math.IsNaN(out.ratio[k]) {
			ratio, rated = ratio+out.ratio[k], rated+1
		}
		if !math.IsNaN(out.change60[k]) {
			change, changed = change+out.change60[k], changed+1
		}
	}
	out.nearest[r] = nearest
	out.nearFree[r], out.nearShort[r] = free/float64(known), short/float64(known) // NaN for 0/0
	out.nearRatio[r], out.nearChange[r] = ratio/rated, change/float64(changed)
}
