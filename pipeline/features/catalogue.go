package features

import "time"

// Feature is one column of the catalogue.
type Feature struct {
	Name string
	Unit string
	Doc  string

	// Classic features are the eight that every client sends. The others are
	// optional: where they are missing, the model imputes them.
	Classic bool

	// TransformOnly columns are there for transforms to read, and are no
	// model's input of themselves.
	TransformOnly bool
}

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
	{Name: "temp_2m", Unit: "°C", Doc: "air temperature at 2 m", Classic: true},
	{Name: "precipitation", Unit: "mm/h", Doc: "rain and snow", Classic: true},
	{Name: "wind_speed_10m", Unit: "km/h", Doc: "wind speed at 10 m", Classic: true},

	{Name: "free_ratio_lag_30m", Unit: "ratio", Doc: "free_ratio 30 minutes before t"},
	{Name: "free_ratio_lag_60m", Unit: "ratio", Doc: "free_ratio 60 minutes before t"},
	{Name: "free_ratio_lag_120m", Unit: "ratio", Doc: "free_ratio 120 minutes before t"},
	{Name: "free_ratio_lag_180m", Unit: "ratio", Doc: "free_ratio 180 minutes before t"},
	{Name: "free_ratio_yesterday", Unit: "ratio", Doc: "free_ratio a day before t"},
	{Name: "free_ratio_yesterday_ahead", Unit: "ratio", Doc: "free_ratio a day before t+h"},
	{Name: "free_ratio_last_week", Unit: "ratio", Doc: "free_ratio a week before t"},
	{Name: "free_ratio_last_week_ahead", Unit: "ratio", Doc: "free_ratio a week before t+h"},

	{Name: "shortage_threshold", Unit: "ratio", Doc: "q_t, under which free_ratio is a shortage"},
	{Name: "free_ratio_margin", Unit: "ratio", Doc: "free_ratio - shortage_threshold"},
	{Name: "short_now", Unit: "0 or 1", Doc: "whether t itself is short"},

	{Name: "climatology", Unit: "probability", Doc: "how often the hour of the week of t+h was short, from labels observed before t"},
	{Name: "typical_change", Unit: "ratio", Doc: "mean change of free_ratio over the horizon that ended in the hour of the week of t+h, before t"},

	{Name: "hour_sin", Unit: "1", Doc: "sine of the hour of t+h, period 24 h, UTC"},
	{Name: "hour_cos", Unit: "1", Doc: "cosine of the hour of t+h, period 24 h, UTC"},
	{Name: "half_day_sin", Unit: "1", Doc: "sine of the hour of t+h, period 12 h, UTC"},
	{Name: "half_day_cos", Unit: "1", Doc: "cosine of the hour of t+h, period 12 h, UTC"},
	{Name: "weekend", Unit: "0 or 1", Doc: "whether t+h is a Saturday or Sunday, UTC"},

	{Name: "unix_time", Unit: "s", Doc: "t in seconds since 1970-01-01 UTC", TransformOnly: true},
}

// Catalogue lists every column that Build makes, in its order.
func Catalogue() []Feature { return append([]Feature(nil), catalogue...) }

// Inputs lists the names of the columns that a model may read, in the order of
// the catalogue.
func Inputs() []string { return names(func(f Feature) bool { return !f.TransformOnly }) }

// ClassicInputs lists the eight classic inputs.
func ClassicInputs() []string { return names(func(f Feature) bool { return f.Classic }) }

// Classic reports whether name is one of the eight classic inputs.
func Classic(name string) bool {
	for _, f := range catalogue {
		if f.Name == name {
			return f.Classic
		}
	}
	return false
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
