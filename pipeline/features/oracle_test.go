package features_test

import (
	"math"
	"slices"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// monday is when the golden series begins.
var monday = time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC)

// golden is 22 days of a point every ten minutes, the i-th with 100 + i² mod
// 701 bikes, and hourly weather. Every seventh point is seen again four minutes
// later, every 97th shows no docks, and on the 20th day five hours are missing.
func golden() features.Series {
	var s features.Series
	for i := range 22 * 144 {
		at := monday.Add(time.Duration(i) * 10 * time.Minute)
		if at.Day() == 21 && at.Hour() >= 6 && at.Hour() < 11 {
			continue
		}
		p := observation.Totals{At: at, Stations: int32(40 + i%5), FreeBikes: int32(100 + i*i%701)}
		p.EmptySlots = 1000 - p.FreeBikes
		if i%97 == 96 {
			p = observation.Totals{At: at}
		}
		s.Points = append(s.Points, p)
		if i%7 == 0 {
			p.At = at.Add(4 * time.Minute)
			p.FreeBikes, p.EmptySlots = p.EmptySlots, p.FreeBikes
			s.Points = append(s.Points, p)
		}
		if i%6 == 0 && at.Day() != 22 {
			s.Weather = append(s.Weather, observation.Weather{At: at, Temperature: float64(i % 30), Precipitation: float64(i % 11), WindSpeed: float64(i % 23)})
		}
	}
	return s
}

// oracle works out rows.
type oracle struct {
	task       features.Task
	s          features.Series
	rows       []observation.Totals // what rows are taken from, see firstOfSlots
	thresholds map[time.Time]float64
}

// pointAt is the newest point that is not after t and no older than an hour.
func (o *oracle) pointAt(t time.Time) (observation.Totals, bool) {
	var newest observation.Totals
	found := false
	for _, p := range o.s.Points {
		if !p.At.After(t) && t.Sub(p.At) <= 60*time.Minute {
			newest, found = p, true
		}
	}
	return newest, found
}

func ratio(p observation.Totals) float64 {
	return float64(p.FreeBikes) / float64(p.FreeBikes+p.EmptySlots) // NaN for 0/0
}

func (o *oracle) ratioAt(t time.Time) float64 {
	if p, ok := o.pointAt(t); ok {
		return ratio(p)
	}
	return math.NaN()
}

func newOracle(task features.Task, s features.Series) *oracle {
	return &oracle{task: task, s: s, rows: firstOfSlots(s), thresholds: map[time.Time]float64{}}
}

// firstOfSlots are the points that rows are taken from: the first with docks
// in each ten minutes.
func firstOfSlots(s features.Series) []observation.Totals {
	seen := map[time.Time]bool{}
	var first []observation.Totals
	for _, p := range s.Points {
		slot := p.At.Truncate(10 * time.Minute)
		if !seen[slot] && p.FreeBikes+p.EmptySlots > 0 {
			seen[slot] = true
			first = append(first, p)
		}
	}
	return first
}

// threshold is the 0.20 quantile of the window (t-14d, t], by linear
// interpolation; there is none of fewer than 20 values.
func (o *oracle) threshold(t time.Time) float64 {
	if o.task.Target.Kind != features.BelowQuantile {
		return math.NaN()
	}
	if q, ok := o.thresholds[t]; ok {
		return q
	}
	var values []float64
	for _, p := range o.rows {
		if p.At.After(t.AddDate(0, 0, -14)) && !p.At.After(t) {
			values = append(values, ratio(p))
		}
	}
	q := math.NaN()
	if len(values) >= 20 {
		slices.Sort(values)
		below, part := math.Modf(0.20 * float64(len(values)-1))
		q = values[int(below)]*(1-part) + values[int(below)+1]*part
	}
	o.thresholds[t] = q
	return q
}

// later is the point nearest to t+h, at most 15 minutes off and, where h is
// not 0, after t.
func (o *oracle) later(t time.Time) (observation.Totals, bool) {
	h := o.task.Horizon()
	var nearest observation.Totals
	found := false
	for _, p := range o.s.Points {
		off := p.At.Sub(t.Add(h)).Abs()
		if off > 15*time.Minute || h > 0 && !p.At.After(t) {
			continue
		}
		if !found || off < nearest.At.Sub(t.Add(h)).Abs() {
			nearest, found = p, true
		}
	}
	return nearest, found
}

func (o *oracle) label(p observation.Totals, ok bool, q float64) features.Label {
	var short bool
	switch {
	case !ok:
		return features.Unlabelled
	case o.task.Target.Kind == features.AtMost:
		short = int(p.FreeBikes) <= o.task.Target.Bikes
	case math.IsNaN(ratio(p)) || math.IsNaN(q):
		return features.Unlabelled
	default:
		short = ratio(p) < q
	}
	if short {
		return features.Short
	}
	return features.NotShort
}

// climate is how often the hour of the week of t+h was short in seven days, and the mean
// change on the way there, each with six imagined rows at the overall mean.
func (o *oracle) climate(t time.Time) (rate, change float64) {
	hour := func(t time.Time) string { return t.Add(o.task.Horizon()).Format("Monday 15") }
	var n, short, sum, all, allShort, allSum float64
	for _, p := range o.rows {
		if t.Sub(p.At) > 7*24*time.Hour {
			continue
		}
		then, ok := o.later(p.At)
		label := o.label(then, ok, o.threshold(p.At))
		moved := ratio(then) - ratio(p)
		if label == features.Unlabelled || math.IsNaN(moved) || !then.At.Before(t) {
			continue
		}
		isShort := 0.0
		if label == features.Short {
			isShort = 1
		}
		all, allShort, allSum = all+1, allShort+isShort, allSum+moved
		if hour(p.At) == hour(t) {
			n, short, sum = n+1, short+isShort, sum+moved
		}
	}
	return (short + 6*allShort/all) / (n + 6), (sum + 6*allSum/all) / (n + 6)
}

// row is every column of the catalogue at t.
func (o *oracle) row(t time.Time) map[string]float64 {
	ahead, q := t.Add(o.task.Horizon()), o.threshold(t)
	ago := func(hours float64) float64 { return o.ratioAt(t.Add(-time.Duration(hours * float64(time.Hour)))) }
	h := o.task.Horizon().Hours()
	r := map[string]float64{
		"stations_count": math.NaN(), "free_bikes": math.NaN(), "empty_slots": math.NaN(), "total_slots": math.NaN(),
		"temp_2m": math.NaN(), "precipitation": math.NaN(), "wind_speed_10m": math.NaN(),
		"free_ratio": ago(0), "free_ratio_lag_30m": ago(0.5), "free_ratio_lag_60m": ago(1),
		"free_ratio_lag_120m": ago(2), "free_ratio_lag_180m": ago(3),
		"free_ratio_yesterday": ago(24), "free_ratio_yesterday_ahead": ago(24 - h),
		"free_ratio_last_week": ago(168), "free_ratio_last_week_ahead": ago(168 - h),
		"shortage_threshold": q, "margin": ago(0) - q, "short_now": math.NaN(),
		"margin_yesterday": ago(24) - q, "margin_yesterday_ahead": ago(24-h) - q,
		"margin_last_week": ago(168) - q, "margin_last_week_ahead": ago(168-h) - q,
		"weekend": 0, "unix_time": float64(t.Unix()), "unix_time_ahead": float64(ahead.Unix()),
		"latitude": 59.9139, "longitude": 10.7522,
	}
	if p, ok := o.pointAt(t); ok {
		r["stations_count"], r["free_bikes"], r["empty_slots"] = float64(p.Stations), float64(p.FreeBikes), float64(p.EmptySlots)
		r["total_slots"] = float64(p.FreeBikes + p.EmptySlots)
	}
	for _, w := range o.s.Weather {
		if !w.At.After(t) && t.Sub(w.At) <= 180*time.Minute {
			r["temp_2m"], r["precipitation"], r["wind_speed_10m"] = w.Temperature, w.Precipitation, w.WindSpeed
		}
	}
	for name, hours := range map[string]float64{"30m": 0.5, "60m": 1, "120m": 2, "180m": 3} {
		v := ago(hours)
		if math.IsNaN(v) {
			v = ago(0)
		}
		r["margin_lag_"+name] = v - q
	}
	switch {
	case ago(0) < q:
		r["short_now"] = 1
	case ago(0) >= q:
		r["short_now"] = 0
	}
	r["climatology"], r["typical_change"] = o.climate(t)
	angle := 2 * math.Pi * ahead.Sub(ahead.Truncate(24*time.Hour)).Hours() / 24
	r["hour_sin"], r["hour_cos"] = math.Sin(angle), math.Cos(angle)
	r["half_day_sin"], r["half_day_cos"] = math.Sin(2*angle), math.Cos(2*angle)
	if day := ahead.Weekday(); day == time.Saturday || day == time.Sunday {
		r["weekend"] = 1
	}
	return r
}
