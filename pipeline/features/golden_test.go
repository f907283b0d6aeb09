package features_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// The tests of this file know the package from outside only: what a row must
// hold is worked out again, from what the catalogue promises, by loops over all
// of the past.

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
		"weekend": 0, "unix_time": float64(t.Unix()),
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
	angle := 2 * math.Pi * (float64(ahead.Hour()) + float64(ahead.Minute())/60) / 24
	r["hour_sin"], r["hour_cos"] = math.Sin(angle), math.Cos(angle)
	r["half_day_sin"], r["half_day_cos"] = math.Sin(2*angle), math.Cos(2*angle)
	if day := ahead.Weekday(); day == time.Saturday || day == time.Sunday {
		r["weekend"] = 1
	}
	return r
}

func equal(a, b float64) bool { return math.Abs(a-b) < 1e-9 || math.IsNaN(a) && math.IsNaN(b) }

// TestRowsHoldWhatTheCatalogueSays compares rows with the oracle's, column by
// column: weekdays and weekends, with weather and without, and around the gap.
func TestRowsHoldWhatTheCatalogueSays(t *testing.T) {
	t.Parallel()
	at := []time.Time{
		time.Date(2026, 2, 17, 17, 30, 0, 0, time.UTC), // Tuesday
		time.Date(2026, 2, 20, 12, 5, 0, 0, time.UTC),  // Friday
		time.Date(2026, 2, 20, 23, 30, 0, 0, time.UTC), // an hour on it is Saturday
		time.Date(2026, 2, 21, 8, 0, 0, 0, time.UTC),   // in the gap: nothing stands for now
		time.Date(2026, 2, 21, 11, 0, 0, 0, time.UTC),  // after it: no lag is known
		time.Date(2026, 2, 21, 13, 10, 0, 0, time.UTC), // a lag of three hours is not
		time.Date(2026, 2, 22, 2, 0, 0, 0, time.UTC),   // the weather of 23:00 still stands
		time.Date(2026, 2, 22, 2, 10, 0, 0, time.UTC),  // and no longer
		time.Date(2026, 2, 22, 11, 0, 0, 0, time.UTC),  // the day before, there was the gap
		time.Date(2026, 2, 22, 23, 10, 0, 0, time.UTC), // an hour on it is Monday
	}
	tasks := map[string]func(*features.Task){
		"h=60":          func(*features.Task) {},
		"h=0":           func(task *features.Task) { task.HorizonMinutes = 0 },
		"h=1440":        func(task *features.Task) { task.HorizonMinutes = 1440 },
		"at most bikes": func(task *features.Task) { task.Target = features.Target{Kind: features.AtMost, Bikes: 250} },
	}
	for name, change := range tasks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			task := features.NetworkShortage()
			task.ClimatologyDays = 7 // so that its window begins within the series
			change(&task)
			o := newOracle(task, golden())
			f, err := features.Build(o.task, o.s, at)
			if err != nil {
				t.Fatal(err)
			}
			for i, when := range at {
				o.compare(t, f, i, when)
			}
		})
	}
}

func (o *oracle) compare(t *testing.T, f *features.Frame, i int, at time.Time) {
	t.Helper()
	want := o.row(at)
	if len(want) != len(features.Catalogue()) || len(want) != len(f.Names()) {
		t.Errorf("%d columns are expected, the catalogue has %d and the frame %d", len(want), len(features.Catalogue()), len(f.Names()))
	}
	for _, c := range features.Catalogue() {
		v, ok := want[c.Name]
		if got := f.Value(c.Name, i); !ok || !equal(got, v) {
			t.Errorf("%s at %s is %v, want %v (known: %v)", c.Name, at.Format(time.DateTime), got, v, ok)
		}
	}
	now, hasNow := o.pointAt(at)
	then, hasThen := o.later(at)
	q := o.threshold(at)
	if got, want := f.ShortNow[i], o.label(now, hasNow, q); got != want {
		t.Errorf("short now at %s is %v, want %v", at.Format(time.DateTime), got, want)
	}
	if got, want := f.Short[i], o.label(then, hasThen, q); got != want {
		t.Errorf("short at %s is %v, want %v", at.Format(time.DateTime), got, want)
	}
}

// TestGoldenRow has the values of one row written down: Friday 2026-02-20
// 23:30, an hour before Saturday 00:30.
func TestGoldenRow(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 20, 23, 30, 0, 0, time.UTC)
	f, err := features.Build(features.NetworkShortage(), golden(), []time.Time{at})
	if err != nil {
		t.Fatal(err)
	}
	// It is the point i = 18·144 + 141 = 2733; what was n points before had
	// 100 + (2733-n)² mod 701 bikes of 1000.
	margin := 0.234 - f.Value(features.Threshold, 0)
	for name, want := range map[string]float64{
		"margin": margin, "margin_lag_180m": margin, "margin_lag_30m": margin + 0.435,
		"stations_count": 43, "free_bikes": 234, "empty_slots": 766, "total_slots": 1000, "free_ratio": 0.234,
		"free_ratio_lag_30m": 0.669, "free_ratio_lag_60m": 0.421, "free_ratio_lag_120m": 0.68, "free_ratio_lag_180m": math.NaN(), // i = 2715 showed no docks
		"free_ratio_yesterday": 0.76, "free_ratio_yesterday_ahead": 0.319,
		"free_ratio_last_week": 0.681, "free_ratio_last_week_ahead": 0.387,
		"temp_2m": 0, "precipitation": 2, "wind_speed_10m": 16, // of 23:00, i = 2730
		"short_now": 1, "weekend": 1, "unix_time": 1771630200,
		"hour_sin": 0.13052619222005157, "hour_cos": 0.9914448613738104,
		"half_day_sin": 0.25881904510252074, "half_day_cos": 0.9659258262890683,
	} {
		if got := f.Value(name, 0); !equal(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func TestCalendarIsOfTheTimeAhead(t *testing.T) {
	t.Parallel()
	root := math.Sqrt(0.5)
	tests := []struct {
		at                                 string
		horizon                            int
		hourSin, hourCos, halfSin, halfCos float64
		weekend                            float64
	}{
		{"2026-02-19T00:00:00Z", 0, 0, 1, 0, 1, 0},              // Thursday
		{"2026-02-20T02:00:00Z", 60, root, root, 1, 0, 0},       // Friday
		{"2026-02-20T06:00:00Z", 0, 1, 0, 0, -1, 0},             // Friday
		{"2026-02-20T23:00:00Z", 60, 0, 1, 0, 1, 1},             // Saturday, ahead
		{"2026-02-21T09:00:00Z", 0, root, -root, -1, 0, 1},      // Saturday
		{"2026-02-22T17:00:00Z", 60, -1, 0, 0, -1, 1},           // Sunday
		{"2026-02-22T12:00:00Z", 1440, 0, -1, 0, 1, 0},          // Monday, ahead
		{"2026-02-20T22:00:00+01:00", 0, -root, root, -1, 0, 0}, // 21:00 UTC
	}
	for _, tt := range tests {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		task := features.NetworkShortage()
		task.HorizonMinutes = tt.horizon
		f, err := features.Build(task, features.Series{}, []time.Time{at})
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]float64{
			"hour_sin": tt.hourSin, "hour_cos": tt.hourCos, "half_day_sin": tt.halfSin, "half_day_cos": tt.halfCos, "weekend": tt.weekend,
		} {
			if got := f.Value(name, 0); !equal(got, want) {
				t.Errorf("%s of %s + %d min is %v, want %v", name, tt.at, tt.horizon, got, want)
			}
		}
	}
}

// TestThresholdForgetsAtFourteenDays has a point of 0.10 and then 20 of 0.30 to
// 0.49. A second before it is 14 days old it still counts.
func TestThresholdForgetsAtFourteenDays(t *testing.T) {
	t.Parallel()
	s := features.Series{Points: []observation.Totals{{At: monday, Stations: 1, FreeBikes: 10, EmptySlots: 90}}}
	for k := range 20 {
		at := monday.Add(time.Duration(k+1) * time.Hour)
		s.Points = append(s.Points, observation.Totals{At: at, Stations: 1, FreeBikes: int32(30 + k), EmptySlots: int32(70 - k)})
	}
	old := monday.AddDate(0, 0, 14)
	f, err := features.Build(features.NetworkShortage(), s, []time.Time{old.Add(-time.Second), old, old.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	// Of 21 values the quantile is the fifth; of 20 it lies 0.8 of the way from
	// the fourth to the fifth; 19 are too few.
	for i, want := range []float64{0.33, 0.338, math.NaN()} {
		if got := f.Value(features.Threshold, i); !equal(got, want) {
			t.Errorf("%s: the threshold is %v, want %v", f.At[i], got, want)
		}
	}
}

func TestDerive(t *testing.T) {
	t.Parallel()
	nan := math.NaN()
	for _, tt := range []struct {
		name                string
		of, threshold, want float64
	}{
		{"short_now", 0.19, 0.20, 1},
		{"short_now", 0.20, 0.20, 0},
		{"short_now", 0.21, 0.20, 0},
		{"short_now", nan, 0.20, nan},
		{"short_now", 0.19, nan, nan},
		{"margin", 0.5, 0.2, 0.3},
		{"margin_lag_30m", 0.1, 0.2, -0.1},
		{"margin_yesterday", nan, 0.2, nan},
		{"margin_last_week", 0.1, nan, nan},
	} {
		if got := features.Derive(tt.name, tt.of, tt.threshold); !equal(got, tt.want) {
			t.Errorf("%s of %v and %v is %v, want %v", tt.name, tt.of, tt.threshold, got, tt.want)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		least, greatest float64
	}{
		{"free_ratio", 0, 1},
		{"typical_change", -1, 1},
		{"margin", math.Inf(-1), math.Inf(1)},
		{"unix_time", math.Inf(-1), math.Inf(1)},
		{"no such column", math.Inf(-1), math.Inf(1)},
	} {
		if least, greatest := features.Bounds(tt.name); least != tt.least || greatest != tt.greatest {
			t.Errorf("%s is bounded by %v and %v, want %v and %v", tt.name, least, greatest, tt.least, tt.greatest)
		}
	}
}

func TestTaskValidate(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*features.Task){
		"":                         func(*features.Task) {},
		`unknown entity "bike"`:    func(task *features.Task) { task.Entity = "bike" },
		`unknown target "above"`:   func(task *features.Task) { task.Target.Kind = "above" },
		"horizon is -1 minutes":    func(task *features.Task) { task.HorizonMinutes = -1 },
		"horizon is 1441 minutes":  func(task *features.Task) { task.HorizonMinutes = 1441 },
		"quantile is 0,":           func(task *features.Task) { task.Target.Quantile = 0 },
		"quantile is 1,":           func(task *features.Task) { task.Target.Quantile = 1 },
		"quantile is NaN":          func(task *features.Task) { task.Target.Quantile = math.NaN() },
		"window is 0 days":         func(task *features.Task) { task.Target.WindowDays = 0 },
		"bikes is -1":              func(task *features.Task) { task.Target = features.Target{Kind: features.AtMost, Bikes: -1} },
		"tolerance is -1 minutes":  func(task *features.Task) { task.ToleranceMinutes = -1 },
		"step is 0 minutes":        func(task *features.Task) { task.StepMinutes = 0 },
		"bikes TTL is 0 minutes":   func(task *features.Task) { task.BikesTTLMinutes = 0 },
		"weather TTL is 0 minutes": func(task *features.Task) { task.WeatherTTLMinutes = 0 },
		"climatology window is 0":  func(task *features.Task) { task.ClimatologyDays = 0 },
	} {
		task := features.NetworkShortage()
		change(&task)
		err := task.Validate()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
