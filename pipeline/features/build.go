package features

import (
	"fmt"
	"math"
	"time"

	"livelab/pipeline/observation"
)

// RowTimes gives the times that training takes rows at: those of the first
// point with docks in service in each slot of the task's step. Slots count
// from the epoch, so that a longer series has the same rows.
func RowTimes(task Task, s Series) []time.Time {
	points := thin(task, s.Points)
	at := make([]time.Time, len(points))
	for i, p := range points {
		at[i] = p.At
	}
	return at
}

// thin keeps the points that RowTimes names.
func thin(task Task, points []observation.Totals) []observation.Totals {
	step := int64(task.StepMinutes) * 60
	kept := make([]observation.Totals, 0, len(points))
	last := int64(math.MinInt64)
	for _, p := range points {
		slot := floorDiv(p.At.Unix(), step)
		if slot != last && p.FreeBikes+p.EmptySlots > 0 {
			kept = append(kept, p)
			last = slot
		}
	}
	return kept
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Build makes the rows of a network at the given times, which must ascend, from
// its place and past; those of stations come from a Source or a Tracker.
// Training gives RowTimes, serving the present. Rows whose label cannot be known
// have the label Unlabelled. The features of a row are a function of what the
// series holds up to its time, and no further.
func Build(task Task, place Place, s Series, at []time.Time) (*Frame, error) {
	if err := task.Validate(); err != nil {
		return nil, err
	}
	if task.Entity == EntityStation {
		return nil, fmt.Errorf("task %q is about stations, whose rows are not made from a network's series alone", task.Name)
	}
	if err := ascending(s, at); err != nil {
		return nil, err
	}
	b := newBuilder(task, s, at)
	b.present()
	b.past()
	b.outcomes()
	b.derived()
	b.calendar()
	b.place(place)
	return b.frame(), nil
}

func ascending(s Series, at []time.Time) error {
	for i := 1; i < len(s.Points); i++ {
		if !s.Points[i].At.After(s.Points[i-1].At) {
			return fmt.Errorf("build features: points are not in ascending order at %s", s.Points[i].At.Format(time.RFC3339))
		}
	}
	for i := 1; i < len(s.Weather); i++ {
		if !s.Weather[i].At.After(s.Weather[i-1].At) {
			return fmt.Errorf("build features: weather is not in ascending order at %s", s.Weather[i].At.Format(time.RFC3339))
		}
	}
	for i := 1; i < len(at); i++ {
		if !at[i].After(at[i-1]) {
			return fmt.Errorf("build features: rows are not in ascending order at %s", at[i].Format(time.RFC3339))
		}
	}
	return nil
}

// builder fills a frame column by column.
type builder struct {
	task     Task
	s        Series
	at       []time.Time
	rowAt    []nanos   // at, again
	pointAt  []nanos   // when each point of the series was
	ratio    []float64 // and its free ratio
	short    []Label
	shortNow []Label
	columns  map[string][]float64
}

func newBuilder(task Task, s Series, at []time.Time) *builder {
	b := &builder{task: task, s: s, at: at, columns: make(map[string][]float64, len(catalogue))}
	names := columnsOf(EntityNetwork)
	flat := make([]float64, len(names)*len(at))
	for i, name := range names {
		b.columns[name] = flat[i*len(at) : (i+1)*len(at) : (i+1)*len(at)]
	}
	b.rowAt = make([]nanos, len(at))
	for i, t := range at {
		b.rowAt[i] = t.UnixNano()
	}
	b.pointAt = make([]nanos, len(s.Points))
	b.ratio = make([]float64, len(s.Points))
	for i, p := range s.Points {
		b.pointAt[i], b.ratio[i] = p.At.UnixNano(), p.FreeRatio()
	}
	b.short = make([]Label, len(at))
	b.shortNow = make([]Label, len(at))
	return b
}

func (b *builder) frame() *Frame {
	f := &Frame{Task: b.task, At: b.at, Short: b.short, ShortNow: b.shortNow}
	for _, name := range columnsOf(EntityNetwork) {
		f.add(name, b.columns[name])
	}
	return f
}

// present fills what the newest point and the newest weather show.
func (b *builder) present() {
	stations, free, empty := b.columns["stations_count"], b.columns["free_bikes"], b.columns["empty_slots"]
	total, ratio := b.columns["total_slots"], b.columns["free_ratio"]
	points, ttl := newCursor(b.pointAt), minutes(b.task.BikesTTLMinutes)
	for i, t := range b.rowAt {
		j := points.asOf(t, ttl)
		if j < 0 {
			stations[i], free[i], empty[i], total[i] = math.NaN(), math.NaN(), math.NaN(), math.NaN()
		} else {
			p := &b.s.Points[j]
			stations[i], free[i], empty[i] = float64(p.Stations), float64(p.FreeBikes), float64(p.EmptySlots)
			total[i] = free[i] + empty[i]
		}
		ratio[i] = b.ratioOf(j)
	}
	b.weather()
}

func (b *builder) weather() {
	at := make([]nanos, len(b.s.Weather))
	for i, w := range b.s.Weather {
		at[i] = w.At.UnixNano()
	}
	temperature, precipitation, wind := b.columns["temp_2m"], b.columns["precipitation"], b.columns["wind_speed_10m"]
	known, ttl := newCursor(at), minutes(b.task.WeatherTTLMinutes)
	for i, t := range b.rowAt {
		w := observation.Weather{Temperature: math.NaN(), Precipitation: math.NaN(), WindSpeed: math.NaN()}
		if j := known.asOf(t, ttl); j >= 0 {
			w = b.s.Weather[j]
		}
		temperature[i], precipitation[i], wind[i] = w.Temperature, w.Precipitation, w.WindSpeed
	}
}

// past fills the lags. A lag looks up the point that stood for its time, as
// present does.
func (b *builder) past() {
	h := b.task.Horizon()
	for _, lag := range lags {
		b.ratioAgo(lag.name, lag.ago)
	}
	b.ratioAgo("free_ratio_yesterday", day)
	b.ratioAgo("free_ratio_yesterday_ahead", day-h)
	b.ratioAgo("free_ratio_last_week", week)
	b.ratioAgo("free_ratio_last_week_ahead", week-h)
}

func (b *builder) ratioAgo(name string, ago time.Duration) {
	column, ttl := b.columns[name], minutes(b.task.BikesTTLMinutes)
	points := newCursor(b.pointAt)
	for i, t := range b.rowAt {
		column[i] = b.ratioOf(points.asOf(t-int64(ago), ttl))
	}
}

func (b *builder) ratioOf(point int) float64 {
	if point < 0 {
		return math.NaN()
	}
	return b.ratio[point]
}

// derived fills what follows from the other columns; see Derive.
func (b *builder) derived() {
	threshold := b.columns[Threshold]
	for _, f := range catalogue {
		if f.Of == "" || f.Network == Absent {
			continue
		}
		of, otherwise, column := b.columns[f.Of], b.columns[f.Else], b.columns[f.Name]
		for i := range column {
			v := of[i]
			if math.IsNaN(v) && otherwise != nil {
				v = otherwise[i]
			}
			column[i] = b.task.Derive(f.Name, v, threshold[i])
		}
	}
}

// calendar fills what the clock knows about t+h.
func (b *builder) calendar() {
	hourSin, hourCos := b.columns["hour_sin"], b.columns["hour_cos"]
	halfDaySin, halfDayCos := b.columns["half_day_sin"], b.columns["half_day_cos"]
	weekend, unix, unixAhead := b.columns["weekend"], b.columns["unix_time"], b.columns["unix_time_ahead"]
	for i, t := range b.at {
		c := calendarOf(t.Add(b.task.Horizon()))
		hourSin[i], hourCos[i] = c.hourSin, c.hourCos
		halfDaySin[i], halfDayCos[i] = c.halfDaySin, c.halfDayCos
		weekend[i], unix[i], unixAhead[i] = c.weekend, float64(t.Unix()), c.unixAhead
	}
}

// place fills where the entity is, the same in every row.
func (b *builder) place(p Place) {
	latitude, longitude := b.columns["latitude"], b.columns["longitude"]
	for i := range b.at {
		latitude[i], longitude[i] = p.Latitude, p.Longitude
	}
}
