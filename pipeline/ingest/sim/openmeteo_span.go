package sim

import (
	"net/url"
	"strconv"
	"time"

	"livelab/pipeline/observation"
)

// span is the hours from one time to another, the end excluded, of which
// those after known are foretold.
type span struct {
	from, to, known time.Time
	foretell        bool // else hours after known are null
}

// told is the weather that the API tells for an hour, if it does.
func (c *City) told(at time.Time, s span) (observation.Weather, bool) {
	if !at.After(s.known) {
		return c.Weather(at), true
	}
	return c.forecast(at, at.Sub(s.known)), s.foretell
}

// forecastHours reads past_days and forecast_days.
func forecastHours(q url.Values, now time.Time) (span, error) {
	past, err := days(q, "past_days", 0, 92)
	if err != nil {
		return span{}, err
	}
	ahead, err := days(q, "forecast_days", 7, 16)
	if err != nil {
		return span{}, err
	}
	today := now.Truncate(24 * time.Hour)
	return span{from: today.AddDate(0, 0, -past), to: today.AddDate(0, 0, ahead), known: now, foretell: true}, nil
}

func days(q url.Values, name string, usual, most int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > most {
		return 0, refuse("Parameter '%s' must be a whole number in range of 0 to %d. Given: '%s'.", name, most, text)
	}
	return n, nil
}

// archiveHours reads start_date and end_date, both included.
func archiveHours(q url.Values, now time.Time) (span, error) {
	earliest := time.Date(1940, 1, 1, 0, 0, 0, 0, time.UTC)
	today := now.Truncate(24 * time.Hour)
	var at [2]time.Time
	for i, name := range [...]string{"start_date", "end_date"} {
		t, err := time.Parse(time.DateOnly, q.Get(name))
		if err != nil {
			return span{}, refuse("Parameter '%s' is required and must be a date like 2026-01-31. Given: '%s'.", name, q.Get(name))
		}
		if t.Before(earliest) || t.After(today) {
			return span{}, refuse("Parameter '%s' is out of allowed range from %s to %s",
				name, earliest.Format(time.DateOnly), today.Format(time.DateOnly))
		}
		at[i] = t
	}
	if at[1].Before(at[0]) {
		return span{}, refuse("Parameter 'end_date' must not lie before 'start_date'")
	}
	return span{from: at[0], to: at[1].AddDate(0, 0, 1), known: now}, nil
}
