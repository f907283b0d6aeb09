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
	{Name: "stations_count", Unit: "stations", Doc: "stations in service whose counts are known", Classic: true},
	{Name: "free_bikes", Unit: "bikes", Doc: "bikes to take", Classic: true},
	{Name: "empty_slots", Unit: "docks", Doc: "docks to return to", Classic: true},
	{Name: "total_slots", Unit: "docks", Doc: "free_bikes + empty_slots", Classic: true},
	{Name: "free_ratio", Unit: "ratio", Doc: "free_bikes / total_slots", Classic: true},
	{Name: "temp_2m", Unit: "°C", Doc: "air temperature at 2 m", Classic: true, Input: true},
	{Name: "precipitation", Unit: "mm/h", Doc: "rain and snow", Classic: true, Input: true},
	{Name: "wind_speed_10m", Unit: "km/h", Doc: "wind speed at 10 m", Classic: true, Input: true},

	{Name: "free_ratio_lag_30m", Unit: "ratio", Doc: "free_ratio 30 minutes before t"},
	{Name: "free_ratio_lag_60m", Unit: "ratio", Doc: "free_ratio 60 minutes before t"},
	{Name: "free_ratio_lag_120m", Unit: "ratio", Doc: "free_ratio 120 minutes before t"},
	{Name: "free_ratio_lag_180m", Unit: "ratio", Doc: "free_ratio 180 minutes before t"},
	{Name: "free_ratio_yesterday", Unit: "ratio", Doc: "free_ratio a day before t"},
	{Name: "free_ratio_yesterday_ahead", Unit: "ratio", Doc: "free_ratio a day before t+h"},
	{Name: "free_ratio_last_week", Unit: "ratio", Doc: "free_ratio a week before t"},
	{Name: "free_ratio_last_week_ahead", Unit: "ratio", Doc: "free_ratio a week before t+h"},
	{Name: Threshold, Unit: "ratio", Doc: "q_t, under which free_ratio is a shortage"},

	// A fleet grows and shrinks, and the threshold with it, so models read
	// how far a ratio is from the threshold and not the ratio itself.
	{Name: "margin", Unit: "ratio", Doc: "free_ratio less the threshold", Input: true, Of: "free_ratio"},
	{Name: "margin_lag_30m", Unit: "ratio", Doc: "free_ratio_lag_30m less the threshold", Input: true, Of: "free_ratio_lag_30m"},
	{Name: "margin_lag_60m", Unit: "ratio", Doc: "free_ratio_lag_60m less the threshold", Input: true, Of: "free_ratio_lag_60m"},
	{Name: "margin_lag_120m", Unit: "ratio", Doc: "free_ratio_lag_120m less the threshold", Input: true, Of: "free_ratio_lag_120m"},
	{Name: "margin_lag_180m", Unit: "ratio", Doc: "free_ratio_lag_180m less the threshold", Input: true, Of: "free_ratio_lag_180m"},
	{Name: "margin_yesterday", Unit: "ratio", Doc: "free_ratio_yesterday less the threshold", Input: true, Of: "free_ratio_yesterday"},
	{Name: "margin_yesterday_ahead", Unit: "ratio", Doc: "free_ratio_yesterday_ahead less the threshold", Input: true, Of: "free_ratio_yesterday_ahead"},
	{Name: "margin_last_week", Unit: "ratio", Doc: "free_ratio_last_week less the threshold", Input: true, Of: "free_ratio_last_week"},
	{Name: "margin_last_week_ahead", Unit: "ratio", Doc: "free_ratio_last_week_ahead less the threshold", Input: true, Of: "free_ratio_last_week_ahead"},
	{Name: shortNow, Unit: "0 or 1", Doc: "whether t itself is short", Input: true, Of: "free_ratio"},

	{Name: "climatology", Unit: "probability", Doc: "how often the hour of the week of t+h was short, from labels observed before t", Input: true},
	{Name: "typical_change", Unit: "ratio", Doc: "mean change of free_ratio over the horizon that ended in the hour of the week of t+h, before t", Input: true},

	{Name: "hour_sin", Unit: "1", Doc: "sine of the hour of t+h, period 24 h, UTC", Input: true},
	{Name: "hour_cos", Unit: "1", Doc: "cosine of the hour of t+h, period 24 h, UTC", Input: true},
	{Name: "half_day_sin", Unit: "1", Doc: "sine of the hour of t+h, period 12 h, UTC", Input: true},
	{Name: "half_day_cos", Unit: "1", Doc: "cosine of the hour of t+h, period 12 h, UTC", Input: true},
	{Name: "weekend", Unit: "0 or 1", Doc: "whether t+h is a Saturday or Sunday, UTC", Input: true},

	{Name: "unix_time", Unit: "s", Doc: "t in seconds since 1970-01-01 UTC, for transforms to read"},
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
// with the threshold; empty for a column that is not derived.
func DerivedFrom(name string) string {
	return lookup(name).Of
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
