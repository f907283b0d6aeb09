package plugins_test

import (
	"math"
	"time"
)

// What the shipped transforms compute, written down a second time, in Go and
// by other means where there are any. The tests compare with it, and the
// benchmark takes it for the native loop.

var none = math.NaN()

// within gives x where it lies in the bounds, else a missing value.
func within(x, low, high float64) float64 {
	if x >= low && x <= high {
		return x
	}
	return none
}

// calendarOracle is calendar.row by the standard library's calendar. It
// computes each harmonic by itself.
func calendarOracle(in, out []float64) {
	t, longitude := in[0], in[1]
	if !(math.Abs(t) <= 1<<40) {
		fill(out, none)
		return
	}
	seconds := t
	if math.Abs(longitude) <= 180 {
		seconds += longitude * 240
	}
	whole := math.Floor(seconds)
	at := time.Unix(int64(whole), 0).UTC()
	h, m, s := at.Clock()
	day := (float64(h*3600+m*60+s) + seconds - whole) / 86400
	monday := float64((int(at.Weekday()) + 6) % 7)
	weekend, workday := 0.0, 1.0
	if monday >= 5 {
		weekend, workday = 1, 0
	}
	bump := func(hour float64, power int) float64 {
		return math.Pow(math.Cos(math.Pi*(day-hour/24)), float64(2*power))
	}
	out[0] = weekend
	out[1] = workday * bump(8, 32)
	out[2] = workday * bump(17, 16)
	out[3] = weekend * bump(15, 4)
	for k := range 3 {
		sin, cos := math.Sincos(2 * math.Pi * day * float64(k+1))
		out[4+2*k], out[5+2*k] = workday*sin, workday*cos
		if k < 2 {
			out[10+2*k], out[11+2*k] = weekend*sin, weekend*cos
		}
	}
	out[14], out[15] = math.Sincos(2 * math.Pi * (monday + day) / 7)
}

func fill(xs []float64, x float64) {
	for i := range xs {
		xs[i] = x
	}
}

// comfortOracle is comfort's ll_row.
func comfortOracle(in, out []float64) {
	air, rain, wind := within(in[0], -100, 70), within(in[1], 0, 1000), within(in[2], 0, 600)
	felt := air
	switch {
	case math.IsNaN(wind):
		felt = none
	case air <= 10 && wind > 4.8:
		v := math.Pow(wind, 0.16)
		felt = 13.12 + 0.6215*air - 11.37*v + 0.3965*air*v
	}
	warm := max(0, min(1, (felt+10)/25, (40-felt)/15))
	out[0] = felt
	out[1] = class(rain, rainLimits)
	out[2] = class(wind, windLimits)
	out[3] = warm * (1 / (1 + rain/2.5)) * (1 / (1 + float64((wind/39)*(wind/39))))
	out[4] = out[3] * within(in[3], -1, 1)
}

var (
	rainLimits = []float64{0.1, 2.5, 10, 50}
	windLimits = []float64{1, 6, 12, 20, 29, 39, 50, 62, 75, 89, 103, 118}
)

// class counts the limits that x has reached.
func class(x float64, limits []float64) float64 {
	if math.IsNaN(x) {
		return none
	}
	for i, limit := range limits {
		if x < limit {
			return float64(i)
		}
	}
	return float64(len(limits))
}

// momentumOracle is momentum's row.
func momentumOracle(in, out []float64) {
	var r [8]float64
	for i := range r {
		r[i] = within(in[i], 0, 1)
	}
	now, threshold := r[0], r[5]
	ago30, ago60, ago120, ago180 := r[1], r[2], r[3], r[4]
	margin := now - threshold
	rate := now - ago60
	for _, lag := range []struct{ ago, hours float64 }{{ago30, 0.5}, {ago120, 2}, {ago180, 3}} {
		if math.IsNaN(rate) {
			rate = (now - lag.ago) / lag.hours
		}
	}
	projected := max(0, min(1, now+rate))
	out[0] = (now - ago30) / 0.5
	out[1] = now - ago60
	out[2] = (now - ago180) / 3
	out[3] = ((now-ago30)/0.5 - (ago30-ago60)/0.5) / 0.5
	out[4] = (now - ago60) - (ago60 - ago120)
	switch {
	case margin > 0:
		out[5] = -rate
	case margin < 0:
		out[5] = rate
	default:
		out[5] = 0 * margin * rate
	}
	out[6] = projected
	out[7] = soften(projected - threshold)
	out[8] = soften(margin + (r[7] - r[6]))
}

// soften squeezes a margin into (-1, 1).
func soften(margin float64) float64 { return margin / (0.05 + math.Abs(margin)) }

// pressureOracle is pressure's row.
func pressureOracle(in, out []float64) {
	now, ago30, ago60 := within(in[0], 0, 1), within(in[1], 0, 1), within(in[2], 0, 1)
	threshold, change := within(in[3], 0, 1), within(in[4], -1, 1)
	unit := max(threshold, 0.01)
	clamped := max(0.001, min(0.999, now))
	rate := now - ago60
	if math.IsNaN(rate) {
		rate = (now - ago30) / 0.5
	}
	out[0] = math.Log(clamped / (1 - clamped))
	out[1] = now / unit
	out[2] = (now + change) / unit
	out[3] = reach(now, -rate)
	out[4] = reach(1-now, rate)
	out[5] = reach(max(0, now-threshold), -rate)
}

// reach is after how many minutes a distance is gone, at a rate per hour.
func reach(distance, rate float64) float64 {
	switch {
	case math.IsNaN(distance) || math.IsNaN(rate):
		return none
	case distance == 0:
		return 0
	case rate <= 0 || distance >= rate*6:
		return 360
	}
	return distance / rate * 60
}
