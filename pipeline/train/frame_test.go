package train

import (
	"math"
	"slices"
	"time"

	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
	"livelab/pipeline/train/traintest"
)

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// cityFrame is a made-up city of 20 docks at each of 50 stations, seen every
// ten minutes. Its share of free bikes follows the hour, the weather and a
// walk that returns to the middle. The label is free_ratio below its 0.20
// quantile, the classic rule, a horizon ahead.
func cityFrame(rows, horizonMinutes int, seed uint64) *features.Frame {
	const docks = 1000
	task := features.NetworkShortage()
	task.HorizonMinutes = horizonMinutes
	ahead := horizonMinutes / task.StepMinutes
	g := traintest.Random(seed)

	c := make(map[string][]float64)
	at := make([]time.Time, rows)
	walk, rain := 0.0, 0.0
	for i := range rows + ahead {
		hour := float64(i) / 6
		day := detmath.Sin(float64(hour * (math.Pi / 12)))
		walk = float64(0.97*walk) + float64(0.25*g.Centred())
		rain = max(0, float64(0.9*rain)+float64(0.3*g.Centred())-0.1)
		bikes := math.Round(docks * detmath.Sigmoid(float64(0.9*day)+walk+float64(0.3*rain)))
		stations := 50 - math.Floor(g.Unit()*3)
		for name, v := range map[string]float64{
			"stations_count": stations, "free_bikes": bikes, "empty_slots": docks - bikes,
			"total_slots": docks, "free_ratio": bikes / docks,
			"temp_2m": 10 + float64(6*day) + g.Centred(), "precipitation": rain,
			"wind_speed_10m": 12 + float64(4*g.Centred()), "hour_sin": day,
		} {
			c[name] = append(c[name], v)
		}
		if i < rows {
			at[i] = start.Add(time.Duration(i*task.StepMinutes) * time.Minute)
		}
	}
	for i := 40; i < rows; i += 97 {
		c["temp_2m"][i] = math.NaN()
	}
	sorted := slices.Sorted(slices.Values(c["free_ratio"]))
	short := labelsBelow(c["free_ratio"], sorted[len(sorted)/5])
	names := append(features.ClassicInputs(), "hour_sin", "climatology")
	c["climatology"] = hourlyRate(short[:rows])
	columns := make([][]float64, len(names))
	for j, name := range names {
		columns[j] = c[name][:rows]
	}
	return features.NewFrame(task, at, short[ahead:], short[:rows], names, columns)
}

func labelsBelow(values []float64, threshold float64) []features.Label {
	labels := make([]features.Label, len(values))
	for i, v := range values {
		labels[i] = features.NotShort
		if v < threshold {
			labels[i] = features.Short
		}
	}
	return labels
}

// hourlyRate is the share of shortages at the same hour of earlier days, NaN
// on the first.
func hourlyRate(short []features.Label) []float64 {
	var seen, hits [24]float64
	rates := make([]float64, len(short))
	for i := range short {
		hour := i / 6 % 24
		rates[i] = hits[hour] / seen[hour]
		// A day of 144 rows counts once it is over.
		if i%144 == 143 {
			for k := i - 143; k <= i; k++ {
				seen[k/6%24]++
				if short[k] == features.Short {
					hits[k/6%24]++
				}
			}
		}
	}
	return rates
}

// plainFrame has one column x, rows ten minutes apart and the labels given.
func plainFrame(x []float64, short []features.Label) *features.Frame {
	at := make([]time.Time, len(short))
	now := make([]features.Label, len(short))
	for i := range at {
		at[i] = start.Add(time.Duration(i) * 10 * time.Minute)
		now[i] = features.NotShort
	}
	return features.NewFrame(features.NetworkShortage(), at, short, now, []string{"x"}, [][]float64{x})
}

// alternating labels every k-th row short.
func alternating(rows, k int) []features.Label {
	labels := make([]features.Label, rows)
	for i := range labels {
		labels[i] = features.NotShort
		if i%k == 0 {
			labels[i] = features.Short
		}
	}
	return labels
}
