package sim

import (
	"math"
	"time"

	"livelab/pipeline/detmath"
	"livelab/pipeline/observation"
)

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
)

// climate makes the weather of one city.
type climate struct {
	fronts, warmth, wetDays, wetHours, wind source
}

func newClimate(seed uint64) climate {
	return climate{
		fronts:   newSource(seed, "weather/fronts"),
		warmth:   newSource(seed, "weather/warmth"),
		wetDays:  newSource(seed, "weather/wet-days"),
		wetHours: newSource(seed, "weather/wet-hours"),
		wind:     newSource(seed, "weather/wind"),
	}
}

// at is the weather as the city's people feel it, unrounded.
func (c climate) at(sec int64) observation.Weather {
	wetness := float64(0.65*c.wetDays.noise(sec, 40*hour)) + float64(0.76*c.wetHours.noise(sec, 3*hour))
	rain := float64(2.4 * max(0, wetness-0.95))
	front := c.fronts.noise(sec, 48*hour)
	temperature := usualTemperature(sec) + float64(3.8*front) +
		float64(1.2*c.warmth.noise(sec, 9*hour)) - float64(2.5*min(1, rain))
	wind := usualWind + float64(5.5*c.wind.noise(sec, 8*hour)) + float64(2.5*math.Abs(front)) + float64(1.5*rain)
	return observation.Weather{
		At:            time.Unix(sec, 0).UTC(),
		Temperature:   temperature,
		Precipitation: rain,
		WindSpeed:     max(0.5, wind),
	}
}

// forecast is the weather foretold for a time that lies ahead: skill fades
// with the lead, towards what is usual.
func (c *City) forecast(at time.Time, lead time.Duration) observation.Weather {
	w := c.climate.at(at.Unix())
	skill := detmath.Exp(-lead.Hours() / 36)
	usual := usualTemperature(at.Unix())
	w.Temperature = usual + float64(skill*(w.Temperature-usual))
	w.Precipitation = float64(skill * w.Precipitation)
	w.WindSpeed = usualWind + float64(skill*(w.WindSpeed-usualWind))
	return measured(w)
}

// usualWind is the wind of a quiet day in km/h.
const usualWind = 12

// usualTemperature is the course of the year and of the day, without weather.
func usualTemperature(sec int64) float64 {
	season := seasonAt(sec)
	hours := float64(sec-floorDiv(sec, day)*day) / hour
	swing := 3.5 + float64(1.5*season)
	return 11 + float64(8*season) + float64(swing*detmath.Cos(2*math.Pi/24*(hours-15)))
}

// seasonAt is 1 in the middle of July and -1 in the middle of January.
func seasonAt(sec int64) float64 {
	const year, midJuly = 365.25 * day, 196 * day // 196 days after the new year of 1970
	return detmath.Cos(float64(2*math.Pi/year) * float64(sec-midJuly))
}

// measured is the weather as a station reports it: to a tenth of a unit.
func measured(w observation.Weather) observation.Weather {
	w.Temperature = tenths(w.Temperature)
	w.Precipitation = tenths(w.Precipitation)
	w.WindSpeed = tenths(w.WindSpeed)
	return w
}

func tenths(x float64) float64 { return math.Floor(float64(x*10)+0.5) / 10 }
