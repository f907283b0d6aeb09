package sim

import (
	"time"

	"livelab/pipeline/detmath"
	"livelab/pipeline/observation"
)

// moment is a time as the city's people see it.
type moment struct {
	sec    int64
	hour   float64 // 3 to 27: the city's day begins at 03:00, when hardly anyone rides
	free   bool    // Saturday or Sunday
	summer float64 // 0 in the middle of January, 1 in the middle of July
}

func momentAt(sec int64) moment {
	sinceThree := sec - 3*hour
	days := floorDiv(sinceThree, day)
	weekday := (days%7 + 7 + int64(time.Thursday)) % 7 // the epoch was a Thursday
	return moment{
		sec:    sec,
		hour:   3 + float64(sinceThree-days*day)/hour,
		free:   weekday == int64(time.Saturday) || weekday == int64(time.Sunday),
		summer: (1 + seasonAt(sec)) / 2,
	}
}

// demand makes the city's appetite for riding.
type demand struct {
	mood, errands, jitter source
}

func newDemand(seed uint64) demand {
	return demand{
		mood:    newSource(seed, "demand/day"),
		errands: newSource(seed, "demand/hours"),
		jitter:  newSource(seed, "demand/minutes"),
	}
}

// ridden is the share of the working bikes that are under way.
func (d demand) ridden(m moment, w observation.Weather) float64 {
	appeal := appealOf(w)
	usual := float64(commuting(m)*appeal) + float64(leisure(m)*float64(appeal*appeal))
	surprise := float64(0.18*d.mood.noise(m.sec, day)) +
		float64(0.20*d.errands.noise(m.sec, 4*hour)) +
		float64(0.12*d.jitter.noise(m.sec, 45*minute))
	odds := float64(0.45 * float64(usual*detmath.Exp(surprise)))
	return odds / (1 + odds)
}

// commuting is what the way to work and back asks for, 1 at the evening's peak.
func commuting(m moment) float64 {
	if m.free {
		return 0.02
	}
	return 0.02 + float64(0.80*bump(m.hour, 7.9, 0.9)) + float64(0.95*bump(m.hour, 17.3, 1.4))
}

// leisure is what everything else asks for, in the same unit.
func leisure(m moment) float64 {
	evening := float64(0.45 * float64(m.summer*bump(m.hour, 20.6, 1.8)))
	if m.free {
		return 0.02 + float64(1.05*bump(m.hour, 14.8, 2.8)) + evening
	}
	return 0.02 + float64(0.30*bump(m.hour, 13, 2)) + evening
}

// appealOf says how the weather changes the wish to ride: 1 in fine weather,
// towards 0 in cold, rain and storm.
func appealOf(w observation.Weather) float64 {
	warm := detmath.Sigmoid(w.Temperature / 6)
	dry := 1 / (1 + float64(1.8*w.Precipitation))
	gusts := w.WindSpeed / 38
	calm := 1 / (1 + float64(gusts*gusts))
	return float64(float64(warm*dry) * calm)
}

// bump is a bell of height 1 and the given standard deviation, in hours.
func bump(hour, centre, deviation float64) float64 {
	d := (hour - centre) / deviation
	return detmath.Exp(float64(float64(-0.5*d) * d))
}

// atWork is the share of the commuters who are where they work.
func atWork(m moment) float64 {
	if m.free {
		return 0
	}
	return detmath.Sigmoid((m.hour-8.1)/0.45) - detmath.Sigmoid((m.hour-17.4)/0.7)
}
