package quality

import (
	"math"
	"slices"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// weather gives the weather without values that cannot be true, which are
// missing then.
func (in *inspection) weather() []observation.Weather {
	clean := slices.Clone(in.d.Series.Weather)
	impossible := 0
	for i := range clean {
		for _, x := range []struct {
			name  string
			value *float64
		}{
			{"temp_2m", &clean[i].Temperature},
			{"precipitation", &clean[i].Precipitation},
			{"wind_speed_10m", &clean[i].WindSpeed},
		} {
			least, greatest := features.Bounds(x.name)
			if !math.IsNaN(*x.value) && !(*x.value >= least && *x.value <= greatest) {
				*x.value = math.NaN()
				impossible++
			}
		}
	}
	in.report.Impossible.Weather = impossible
	in.exclude(impossible, "value", "of the weather: they cannot be true")
	in.report.Weather = Weather{Readings: len(clean), Missing: in.withoutWeather(clean)}
	return clean
}

// withoutWeather is the share of the snapshots without any.
func (in *inspection) withoutWeather(known []observation.Weather) float64 {
	points := in.d.Series.Points
	if len(points) == 0 {
		return 0
	}
	ttl := time.Duration(in.task.WeatherTTLMinutes) * time.Minute
	missing, next := 0, 0
	for _, p := range points {
		for next < len(known) && !known[next].At.After(p.At) {
			next++
		}
		if next == 0 || p.At.Sub(known[next-1].At) > ttl {
			missing++
		}
	}
	return float64(missing) / float64(len(points))
}
