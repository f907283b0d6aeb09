package sim

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"livelab/pipeline/observation"
)

// weatherBody is the shape of Open-Meteo's answers.
type weatherBody struct {
	Latitude         float64           `json:"latitude"`
	Longitude        float64           `json:"longitude"`
	GenerationTime   float64           `json:"generationtime_ms"`
	UTCOffset        int               `json:"utc_offset_seconds"`
	Timezone         string            `json:"timezone"`
	TimezoneShort    string            `json:"timezone_abbreviation"`
	Elevation        float64           `json:"elevation"`
	CurrentUnits     map[string]string `json:"current_units,omitempty"`
	Current          map[string]any    `json:"current,omitempty"`
	HourlyUnits      map[string]string `json:"hourly_units,omitempty"`
	HourlyByVariable map[string]any    `json:"hourly,omitempty"`
}

type weatherError struct {
	Error  bool   `json:"error"`
	Reason string `json:"reason"`
}

// refusal is the reason for a bad request, worded as Open-Meteo does.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// variable is one of the weather variables that the simulator knows.
type variable struct {
	unit string
	of   func(observation.Weather) float64
}

var variables = map[string]variable{
	"temperature_2m": {"°C", func(w observation.Weather) float64 { return w.Temperature }},
	"precipitation":  {"mm", func(w observation.Weather) float64 { return w.Precipitation }},
	"wind_speed_10m": {"km/h", func(w observation.Weather) float64 { return w.WindSpeed }},
}

const (
	meteoTime = "2006-01-02T15:04"
	// currentInterval is how long a stretch the current weather stands for;
	// its precipitation is the sum over it.
	currentInterval = 15 * time.Minute
)

// weather makes a handler of the hours that a query asks for.
func (s *Server) weather(hours func(url.Values, time.Time) (span, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := s.weatherOf(r.URL.Query(), hours)
		if err != nil {
			writeJSON(w, http.StatusBadRequest, weatherError{true, err.Error()})
			return
		}
		writeJSON(w, http.StatusOK, body)
	}
}

func (s *Server) weatherOf(q url.Values, hours func(url.Values, time.Time) (span, error)) (*weatherBody, error) {
	c, err := s.nearest(q)
	if err != nil {
		return nil, err
	}
	if zone := q.Get("timezone"); zone != "" && zone != "UTC" && zone != "GMT" {
		return nil, refuse("Invalid timezone %q: the simulator knows UTC only", zone)
	}
	now := s.now()
	span, err := hours(q, now)
	if err != nil {
		return nil, err
	}
	body := &weatherBody{
		Latitude: c.network.Latitude, Longitude: c.network.Longitude,
		GenerationTime: 0.05, // always, so that the same moment gives the same bytes
		Timezone:       "UTC", TimezoneShort: "UTC", Elevation: 12,
	}
	if err := body.addCurrent(c, list(q, "current"), now); err != nil {
		return nil, err
	}
	return body, body.addHourly(c, list(q, "hourly"), span)
}

// nearest is the city nearest to the coordinates asked for.
func (s *Server) nearest(q url.Values) (*City, error) {
	lat, err := coordinate(q, "latitude", 90)
	if err != nil {
		return nil, err
	}
	lon, err := coordinate(q, "longitude", 180)
	if err != nil {
		return nil, err
	}
	best, distance := s.cfg.Cities[0], math.Inf(1)
	for _, c := range s.cfg.Cities {
		east := math.Abs(c.network.Longitude - lon)
		if d := math.Hypot(c.network.Latitude-lat, min(east, 360-east)); d < distance {
			best, distance = c, d
		}
	}
	return best, nil
}

func coordinate(q url.Values, name string, limit float64) (float64, error) {
	v, err := strconv.ParseFloat(q.Get(name), 64)
	if err != nil {
		return 0, refuse("Parameter '%s' is required and must be a number. Given: '%s'.", name, q.Get(name))
	}
	if !(math.Abs(v) <= limit) {
		return 0, refuse("Parameter '%s' must be in range of -%v to %v°. Given: %v.", name, limit, limit, v)
	}
	return v, nil
}

// list gives the items of a parameter that may hold commas, be repeated, or
// both.
func list(q url.Values, name string) []string {
	var items []string
	for _, v := range q[name] {
		for item := range strings.SplitSeq(v, ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, item)
			}
		}
	}
	return items
}

func (b *weatherBody) addCurrent(c *City, names []string, now time.Time) error {
	if len(names) == 0 {
		return nil
	}
	at := now.Truncate(currentInterval)
	w := c.Weather(at)
	w.Precipitation /= float64(time.Hour / currentInterval)
	b.CurrentUnits = map[string]string{"time": "iso8601", "interval": "seconds"}
	b.Current = map[string]any{"time": at.Format(meteoTime), "interval": currentInterval / time.Second}
	for _, name := range names {
		v, err := lookUp(name, "current")
		if err != nil {
			return err
		}
		b.CurrentUnits[name] = v.unit
		b.Current[name] = v.of(w)
	}
	return nil
}

func (b *weatherBody) addHourly(c *City, names []string, s span) error {
	if len(names) == 0 {
		return nil
	}
	columns := make([][]*float64, len(names))
	vars := make([]variable, len(names))
	for i, name := range names {
		v, err := lookUp(name, "hourly")
		if err != nil {
			return err
		}
		vars[i] = v
	}
	times := []string{}
	for at := s.from; at.Before(s.to); at = at.Add(time.Hour) {
		times = append(times, at.Format(meteoTime))
		w, ok := c.told(at, s)
		for i, v := range vars {
			var cell *float64
			if ok {
				value := v.of(w)
				cell = &value
			}
			columns[i] = append(columns[i], cell)
		}
	}
	b.HourlyUnits = map[string]string{"time": "iso8601"}
	b.HourlyByVariable = map[string]any{"time": times}
	for i, name := range names {
		b.HourlyUnits[name] = vars[i].unit
		b.HourlyByVariable[name] = columns[i]
	}
	return nil
}

func lookUp(name, key string) (variable, error) {
	v, ok := variables[name]
	if !ok {
		return v, refuse("Cannot initialize WeatherVariable from invalid String value %s for key %s", name, key)
	}
	return v, nil
}
