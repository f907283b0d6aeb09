package features

import (
	"math"
	"time"
)

// Feature is one column of the catalogue.
type Feature struct {
	Name string
	Unit string
	Doc  string

	// Classic features are the eight that every client sends. The others are
	// optional: what is missing is derived or imputed.
	Classic bool

	// Input features are what a model reads unless it is told otherwise.
	Input bool

	// Of names the column that this one is derived from, together with the
	// threshold; see Derive. Empty for what is not derived.
	Of string

	// Else names the column that stands in for Of where that is missing: a lag
	// that nobody knows is taken to be as now. Empty for none.
	Else string

	// Min and Max bound what can be true, both included. Both zero bound
	// nothing.
	Min, Max float64
}

// Threshold is the column that holds q_t.
const Threshold = "shortage_threshold"

// lags are how far back the recent past is looked up.
var lags = []struct {
	name string
	ago  time.Duration
}{
	{"free_ratio_lag_30m", 30 * time.Minute},
	{"free_ratio_lag_60m", 60 * time.Minute},
	{"free_ratio_lag_120m", 120 * time.Minute},
	{"free_ratio_lag_180m", 180 * time.Minute},
}

const (
	day  = 24 * time.Hour
	week = 7 * day
)

var catalogue = []Feature{
	{Name: "stations_count", Unit: "stations", Doc: "stations in service whose counts are known", Classic: true, Min: 0, Max: 1e9},
	{Name: "free_bikes", Unit: "bikes", Doc: "bikes to take", Classic: true, Min: 0, Max: 1e9},
	{Name: "empty_slots", Unit: "docks", Doc: "docks to return to", Classic: true, Min: 0, Max: 1e9},
	{Name: "total_slots", Unit: "docks", Doc: "free_bikes + empty_slots", Classic: true, Min: 0, Max: 1e9},
	{Name: "free_ratio", Unit: "ratio", Doc: "free_bikes / total_slots", Classic: true, Min: 0, Max: 1},
	{Name: "temp_2m", Unit: "°C", Doc: "air temperature at 2 m", Classic: true, Input: true, Min: -100, Max: 70},
	{Name: "precipitation", Unit: "mm/h", Doc: "rain and snow", Classic: true, Input: true, Min: 0, Max: 1000},
	{Name: "wind_speed_10m", Unit: "km/h", Doc: "wind speed at 10 m", Classic: true, Input: true, Min: 0, Max: 600},

	{Name: "free_ratio_lag_30m", Unit: "ratio", Doc: "free_ratio 30 minutes before t", Min: 0, Max: 1},
	{Name: "free_ratio_lag_60m", Unit: "ratio", Doc: "free_ratio 60 minutes before t", Min: 0, Max: 1},
	{Name: "free_ratio_lag_120m", Unit: "ratio", Doc: "free_ratio 120 minutes before t", Min: 0, Max: 1},
	{Name: "free_ratio_lag_180m", Unit: "ratio", Doc: "free_ratio 180 minutes before t", Min: 0, Max: 1},
	{Name: "free_ratio_yesterday", Unit: "ratio", Doc: "free_ratio a day before t", Min: 0, Max: 1},
	{Name: "free_ratio_yesterday_ahead", Unit: "ratio", Doc: "free_ratio a day before t+h", Min: 0, Max: 1},
	{Name: "free_ratio_last_week", Unit: "ratio", Doc: "free_ratio a week before t", Min: 0, Max: 1},
	{Name: "free_ratio_last_week_ahead", Unit: "ratio", Doc: "free_ratio a week before t+h", Min: 0, Max: 1},
	{Name: Threshold, Unit: "ratio", Doc: "q_t, under which free_ratio is a shortage", Min: 0, Max: 1},

	// A fleet grows and shrinks, and the threshold with it, so models read
	// how far a ratio is from the threshold and not the ratio itself.
	{Name: "margin", Unit: "ratio", Doc: "free_ratio less the threshold", Input: true, Of: "free_ratio"},
	{Name: "margin_lag_30m", Unit: "ratio", Doc: "free_ratio_lag_30m less the threshold", Input: true, Of: "free_ratio_lag_30m", Else: "free_ratio"},
	{Name: "margin_lag_60m", Unit: "ratio", Doc: "free_ratio_lag_60m less the threshold", Input: true, Of: "free_ratio_lag_60m", Else: "free_ratio"},
	{Name: "margin_lag_120m", Unit: "ratio", Doc: "free_ratio_lag_120m less the threshold", Input: true, Of: "free_ratio_lag_120m", Else: "free_ratio"},
	{Name: "margin_lag_180m", Unit: "ratio", Doc: "free_ratio_lag_180m less the threshold", Input: true, Of: "free_ratio_lag_180m", Else: "free_ratio"},
	{Name: "margin_yesterday", Unit: "ratio", Doc: "free_ratio_yesterday less the threshold", Input: true, Of: "free_ratio_yesterday"},
	{Name: "margin_yesterday_ahead", Unit: "ratio", Doc: "free_ratio_yesterday_ahead less the threshold", Input: true, Of: "free_ratio_yesterday_ahead"},
	{Name: "margin_last_week", Unit: "ratio", Doc: "free_ratio_last_week less the threshold", Input: true, Of: "free_ratio_last_week"},
	{Name: "margin_last_week_ahead", Unit: "ratio", Doc: "free_ratio_last_week_ahead less the threshold", Input: true, Of: "free_ratio_last_week_ahead"},
	{Name: shortNow, Unit: "0 or 1", Doc: "whether t itself is short", Input: true, Of: "free_ratio"},

	{Name: "climatology", Unit: "probability", Doc: "how often the hour of the week of t+h was short, from labels observed before t", Input: true, Min: 0, Max: 1},
	{Name: "typical_change", Unit: "ratio", Doc: "mean change of free_ratio over the horizon that ended in the hour of the week of t+h, before t", Input: true, Min: -1, Max: 1},

	{Name: "hour_sin", Unit: "1", Doc: "sine of the hour of t+h, period 24 h, UTC", Input: true, Min: -1, Max: 1},
	{Name: "hour_cos", Unit: "1", Doc: "cosine of the hour of t+h, period 24 h, UTC", Input: true, Min: -1, Max: 1},
	{Name: "half_day_sin", Unit: "1", Doc: "sine of the hour of t+h, period 12 h, UTC", Input: true, Min: -1, Max: 1},
	{Name: "half_day_cos", Unit: "1", Doc: "cosine of the hour of t+h, period 12 h, UTC", Input: true, Min: -1, Max: 1},
	{Name: "weekend", Unit: "0 or 1", Doc: "whether t+h is a Saturday or Sunday, UTC", Input: true, Min: 0, Max: 1},

	{Name: "unix_time", Unit: "s", Doc: "t in seconds since 1970-01-01 UTC, for transforms to read"},
	{Name: "unix_time_ahead", Unit: "s", Doc: "t+h in seconds since 1970-01-01 UTC, for transforms to read"},
	{Name: "latitude", Unit: "°", Doc: "of the place, WGS 84, north is positive, for transforms to read", Min: -90, Max: 90},
	{Name: "longitude", Unit: "°", Doc: "of the place, WGS 84, east is positive, for transforms to read", Min: -180, Max: 180},
}

const shortNow = "short_now"

// Catalogue lists every column that Build makes, in its order.
func Catalogue() []Feature { return append([]Feature(nil), catalogue...) }

// Inputs lists what a model reads unless it is told otherwise.
func Inputs() []string { return names(func(f Feature) bool { return f.Input }) }

// ClassicInputs lists the eight classic inputs.
func ClassicInputs() []string { return names(func(f Feature) bool { return f.Classic }) }

// Classic reports whether name is one of the eight classic inputs.
func Classic(name string) bool {
	return lookup(name).Classic
}

// DerivedFrom names the column that a derived column is made from, together
// with the threshold, and the one that stands in for it where it is missing.
// Both are empty for a column that is not derived, the latter also where there
// is none.
func DerivedFrom(name string) (of, otherwise string) {
	f := lookup(name)
	return f.Of, f.Else
}

// Bounds gives the least and the greatest value that a column can truly have,
// infinite where there is no bound.
func Bounds(name string) (least, greatest float64) {
	f := lookup(name)
	if f.Min == 0 && f.Max == 0 {
		return math.Inf(-1), math.Inf(1)
	}
	return f.Min, f.Max
}

// Derive computes a derived column from the value that it is made from and
// the threshold. It is NaN where one of them is.
func Derive(name string, of, threshold float64) float64 {
	if name != shortNow {
		return of - threshold
	}
	switch {
	case math.IsNaN(of) || math.IsNaN(threshold):
		return math.NaN()
	case of < threshold:
		return 1
	}
	return 0
}

func lookup(name string) Feature {
	for _, f := range catalogue {
		if f.Name == name {
			return f
		}
	}
	return Feature{}
}

func names(keep func(Feature) bool) []string {
	var ns []string
	for _, f := range catalogue {
		if keep(f) {
			ns = append(ns, f.Name)
		}
	}
	return ns
}
