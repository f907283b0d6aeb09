// Command calendar is a transform for LiveLab that knows the clock: the cycles
// of the day and the week, rush hours and weekends, at the time that the
// forecast is for. Build it with `livelab plugin build .`.
package main

import (
	"math"

	"livelab/plugins/pdk"
)

var transform = pdk.Transform{
	Name:    "calendar",
	Version: "1.0.0",
	Doc:     "hour and weekday cycles, rush hours and weekend of t+h, in mean solar time",
	Inputs:  []string{"unix_time_ahead", "longitude"},
	Outputs: []pdk.Output{
		{Name: "weekend", Doc: "1 on Saturday and Sunday, else 0", Min: 0, Max: 1},
		{Name: "morning_rush", Doc: "1 at 08:00 of a workday, 0.58 an hour before and after", Min: 0, Max: 1},
		{Name: "evening_rush", Doc: "1 at 17:00 of a workday, 0.54 an hour and a half before and after", Min: 0, Max: 1},
		{Name: "weekend_afternoon", Doc: "1 at 15:00 of a weekend's day, 0.53 three hours before and after", Min: 0, Max: 1},
		{Name: "workday_sin_1", Doc: "sine of the hour, period 24 h, on workdays", Min: -1, Max: 1},
		{Name: "workday_cos_1", Doc: "cosine of the hour, period 24 h, on workdays", Min: -1, Max: 1},
		{Name: "workday_sin_2", Doc: "sine of the hour, period 12 h, on workdays", Min: -1, Max: 1},
		{Name: "workday_cos_2", Doc: "cosine of the hour, period 12 h, on workdays", Min: -1, Max: 1},
		{Name: "workday_sin_3", Doc: "sine of the hour, period 8 h, on workdays", Min: -1, Max: 1},
		{Name: "workday_cos_3", Doc: "cosine of the hour, period 8 h, on workdays", Min: -1, Max: 1},
		{Name: "weekend_sin_1", Doc: "sine of the hour, period 24 h, on weekends", Min: -1, Max: 1},
		{Name: "weekend_cos_1", Doc: "cosine of the hour, period 24 h, on weekends", Min: -1, Max: 1},
		{Name: "weekend_sin_2", Doc: "sine of the hour, period 12 h, on weekends", Min: -1, Max: 1},
		{Name: "weekend_cos_2", Doc: "cosine of the hour, period 12 h, on weekends", Min: -1, Max: 1},
		{Name: "week_sin", Doc: "sine of the time since Monday 00:00, period a week", Min: -1, Max: 1},
		{Name: "week_cos", Doc: "cosine of the time since Monday 00:00, period a week", Min: -1, Max: 1},
	},
	Row: row,
}

const (
	secondsOfDay = 86400

	// A day has as many seconds as a circle has degrees of longitude, 240 times.
	secondsPerDegree = secondsOfDay / 360

	// latest is the time up to which seconds have fractions to spare. No
	// forecast is for later; what is there is not a time.
	latest = 1 << 40
)

// row computes the outputs of one row. A model that adds up weighted columns
// cannot say "at eight, but not on Sundays" by itself: that is what columns
// that are zero on the other kind of day are for.
func row(in, out []float64) error {
	t, longitude := in[0], in[1]
	if !(math.Abs(t) <= latest) { // not known, then
		return nil
	}
	if math.Abs(longitude) <= 180 { // else the time of Greenwich has to do
		t += float64(longitude * secondsPerDegree)
	}
	days := math.Floor(t / secondsOfDay)
	day := (t - float64(days*secondsOfDay)) / secondsOfDay // passed, 0 to 1
	weekday := days + 3                                    // 0 is Monday: the epoch was a Thursday
	weekday -= float64(7 * math.Floor(weekday/7))
	weekend, workday := 0.0, 1.0
	if weekday >= 5 {
		weekend, workday = 1, 0
	}
	// The week turns once while the day turns seven times.
	week := turn(weekday/7 + day/7)
	one := turn(day)
	two := one.plus(one)
	three := two.plus(one)
	out[0] = weekend
	out[1] = workday * bell(one, eight, 5)
	out[2] = workday * bell(one, seventeen, 4)
	out[3] = weekend * bell(one, fifteen, 2)
	out[4], out[5] = workday*one.sin, workday*one.cos
	out[6], out[7] = workday*two.sin, workday*two.cos
	out[8], out[9] = workday*three.sin, workday*three.cos
	out[10], out[11] = weekend*one.sin, weekend*one.cos
	out[12], out[13] = weekend*two.sin, weekend*two.cos
	out[14], out[15] = week.sin, week.cos
	return nil
}

// An angle, as its sine and cosine.
type angle struct{ sin, cos float64 }

// turn is the angle of a number of full turns.
func turn(turns float64) angle {
	sin, cos := math.Sincos(float64(2 * math.Pi * turns))
	return angle{sin, cos}
}

// plus is the addition theorem, which costs less than a sine.
func (a angle) plus(b angle) angle {
	return angle{
		sin: unit(float64(a.sin*b.cos) + float64(a.cos*b.sin)),
		cos: unit(float64(a.cos*b.cos) - float64(a.sin*b.sin)),
	}
}

// unit takes back what rounding puts beyond 1. The functions min and max would
// do it, and be slow: in WebAssembly they are calls.
func unit(x float64) float64 {
	if x > 1 {
		return 1
	}
	if x < -1 {
		return -1
	}
	return x
}

// Hours of the day, on a clock's face of 24.
var eight, fifteen, seventeen = turn(8. / 24), turn(15. / 24), turn(17. / 24)

// bell is 1 at an angle, 0 across from it and a bell in between:
// ((1 + cos d)/2)^(2^squarings) for the angle d between the two. Its standard
// deviation is about 2^((1-squarings)/2) radians, of which an hour is 0.26. It
// needs no exponential and no care around midnight.
func bell(a, at angle, squarings int) float64 {
	x := (1 + unit(float64(a.sin*at.sin)+float64(a.cos*at.cos))) / 2
	for range squarings {
		x *= x
	}
	return x
}

func init() { pdk.Register(transform) }

func main() {}
