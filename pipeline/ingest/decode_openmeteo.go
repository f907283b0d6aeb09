package ingest

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"livelab/pipeline/observation"
)

// Weather is a decoded Open-Meteo payload.
type Weather struct {
	Rows     []observation.Weather // ascending, each time once, none of them all missing
	Oddities Oddities
}

// weatherBody is the answer of /v1/forecast and /v1/archive.
type weatherBody struct {
	Error     json.RawMessage `json:"error"`
	Reason    text            `json:"reason"`
	UTCOffset number          `json:"utc_offset_seconds"`
	Timezone  text            `json:"timezone"`

	CurrentUnits object[map[string]text] `json:"current_units"`
	Current      *struct {
		Time          text   `json:"time"`
		Interval      number `json:"interval"`
		Temperature   number `json:"temperature_2m"`
		Precipitation number `json:"precipitation"`
		WindSpeed     number `json:"wind_speed_10m"`
	} `json:"current"`

	HourlyUnits object[map[string]text] `json:"hourly_units"`
	Hourly      *struct {
		Time          []text   `json:"time"`
		Temperature   []number `json:"temperature_2m"`
		Precipitation []number `json:"precipitation"`
		WindSpeed     []number `json:"wind_speed_10m"`
	} `json:"hourly"`
}

// DecodeWeather decodes the answer of Open-Meteo, current or hourly or both,
// fetched at the given time. Hours that lie after it are forecasts, not
// observations, and are dropped. What cannot be read is a *DecodeError.
func DecodeWeather(body []byte, fetchedAt time.Time) (Weather, error) {
	body = trimBody(body)
	fail := func(problem, hint string) (Weather, error) {
		return Weather{}, &DecodeError{Source: "Open-Meteo", Problem: problem, Excerpt: excerpt(body), Hint: hint}
	}
	if problem, hint := checkJSON(body); problem != "" {
		return fail(problem, hint)
	}
	var parsed weatherBody
	if err := json.Unmarshal(body, &parsed); err != nil {
		return fail("its JSON has another shape than expected: "+err.Error(), "check the base URL in the configuration")
	}
	if parsed.Reason != "" || string(parsed.Error) == "true" {
		return fail(fmt.Sprintf("it refuses: %q", string(parsed.Reason)), "ask again later where a limit is named, else correct the request")
	}
	if parsed.Current == nil && parsed.Hourly == nil {
		return fail("it has neither current nor hourly weather", "ask with current=… or hourly=…, and check the base URL")
	}
	d := weatherDecoder{fetchedAt: fetchedAt, loc: time.UTC}
	if err := d.decode(&parsed); err != nil {
		return fail(err.Error(), "ask for timezone=UTC and metric units; where it stays so, the source has changed")
	}
	return Weather{Rows: tidyWeather(d.rows), Oddities: d.odd}, nil
}

type weatherDecoder struct {
	fetchedAt time.Time
	loc       *time.Location // of times without a zone
	rows      []observation.Weather
	odd       Oddities
}

func (d *weatherDecoder) decode(b *weatherBody) (err error) {
	if d.loc, err = weatherZone(b); err != nil {
		return err
	}
	if err := d.hourly(b); err != nil {
		return err
	}
	return d.current(b)
}

// weatherZone is the zone of the payload's times. We ask for UTC; a payload
// that comes in another zone is believed when it says so.
func weatherZone(b *weatherBody) (*time.Location, error) {
	const day = 24 * 3600
	if b.UTCOffset.ok {
		if math.Abs(b.UTCOffset.value) > day {
			return nil, fmt.Errorf("its utc_offset_seconds is %v, more than a day", b.UTCOffset.value)
		}
		return time.FixedZone("", int(b.UTCOffset.value)), nil
	}
	if b.Timezone == "" || b.Timezone == "Local" {
		return time.UTC, nil
	}
	loc, err := time.LoadLocation(string(b.Timezone))
	if err != nil {
		return nil, fmt.Errorf("its timezone %q is not known here", string(b.Timezone))
	}
	return loc, nil
}

// current adds the current weather. Its precipitation is the sum over the
// interval that the payload names.
func (d *weatherDecoder) current(b *weatherBody) error {
	c := b.Current
	if c == nil {
		return nil
	}
	at, ok := parseTime(string(c.Time), d.loc)
	if !ok {
		return fmt.Errorf("its current time %q cannot be read", string(c.Time))
	}
	if at.After(d.fetchedAt.Add(futureSlack)) {
		return fmt.Errorf("its current time %s lies in the future, it was fetched at %s",
			at.Format(time.RFC3339), d.fetchedAt.UTC().Format(time.RFC3339))
	}
	if !c.Temperature.ok && !c.Precipitation.ok && !c.WindSpeed.ok {
		return fmt.Errorf("its current weather has none of temperature_2m, precipitation, wind_speed_10m")
	}
	units, err := unitsOf("current_units", b.CurrentUnits.v)
	if err != nil {
		return err
	}
	if c.Interval.ok && c.Interval.value > 0 {
		units.precipitation.scale = float64(units.precipitation.scale*3600) / c.Interval.value
	} else if c.Precipitation.ok {
		d.odd[OddUnreadable]++ // a sum over nobody knows how long
		c.Precipitation = number{}
	}
	d.add(at, units, c.Temperature, c.Precipitation, c.WindSpeed)
	return nil
}

// hourly adds the hours that lie behind us. The precipitation of an hour is
// the sum over the hour that ends then.
func (d *weatherDecoder) hourly(b *weatherBody) error {
	h := b.Hourly
	if h == nil {
		return nil
	}
	units, err := unitsOf("hourly_units", b.HourlyUnits.v)
	if err != nil {
		return err
	}
	for _, v := range []struct {
		name   string
		values []number
	}{{"temperature_2m", h.Temperature}, {"precipitation", h.Precipitation}, {"wind_speed_10m", h.WindSpeed}} {
		if len(v.values) != 0 && len(v.values) != len(h.Time) {
			return fmt.Errorf("its hourly %s has %d values for %d times", v.name, len(v.values), len(h.Time))
		}
	}
	for i, s := range h.Time {
		at, ok := parseTime(string(s), d.loc)
		if !ok {
			return fmt.Errorf("its hourly time %q cannot be read", string(s))
		}
		if !at.After(d.fetchedAt) {
			d.add(at, units, nth(h.Temperature, i), nth(h.Precipitation, i), nth(h.WindSpeed, i))
		}
	}
	return nil
}

// nth is the i-th value of a variable, missing where the payload lacks it.
func nth(values []number, i int) number {
	if i >= len(values) {
		return number{}
	}
	return values[i]
}

// add converts and checks one row. A row without any value is left out.
func (d *weatherDecoder) add(at time.Time, u weatherUnits, temperature, precipitation, wind number) {
	row := observation.Weather{
		At:            at.Truncate(time.Second),
		Temperature:   d.within(u.temperature.apply(temperature), -95, 65),
		Precipitation: d.within(u.precipitation.apply(precipitation), 0, 1000),
		WindSpeed:     d.within(u.windSpeed.apply(wind), 0, 500),
	}
	if !math.IsNaN(row.Temperature) || !math.IsNaN(row.Precipitation) || !math.IsNaN(row.WindSpeed) {
		d.rows = append(d.rows, row)
	}
}

// within gives NaN for a value that the weather on Earth does not reach.
func (d *weatherDecoder) within(v, low, high float64) float64 {
	if v < low || v > high {
		d.odd[OddWeatherValue]++
		return math.NaN()
	}
	return v
}

// tidyWeather sorts by time and keeps the last row of each time.
func tidyWeather(rows []observation.Weather) []observation.Weather {
	slices.SortStableFunc(rows, func(a, b observation.Weather) int { return a.At.Compare(b.At) })
	out := rows[:0]
	for _, r := range rows {
		if n := len(out); n > 0 && out[n-1].At.Equal(r.At) {
			out[n-1] = r
			continue
		}
		out = append(out, r)
	}
	return out
}
