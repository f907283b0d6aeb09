package ingest

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"livelab/pipeline/observation"
)

// OpenMeteoConfig says where Open-Meteo is.
type OpenMeteoConfig struct {
	// ForecastURL has the current weather and the last three months. Default
	// https://api.open-meteo.com/v1/forecast.
	ForecastURL string
	// ArchiveURL has everything older than a few days. Default
	// https://archive-api.open-meteo.com/v1/archive.
	ArchiveURL string
}

// OpenMeteo is the client of Open-Meteo.
type OpenMeteo struct {
	cfg    OpenMeteoConfig
	client *Client
}

// NewOpenMeteo fills in the defaults.
func NewOpenMeteo(cfg OpenMeteoConfig, client *Client) *OpenMeteo {
	cfg.ForecastURL = cmp.Or(cfg.ForecastURL, "https://api.open-meteo.com/v1/forecast")
	cfg.ArchiveURL = cmp.Or(cfg.ArchiveURL, "https://archive-api.open-meteo.com/v1/archive")
	return &OpenMeteo{cfg: cfg, client: client}
}

const (
	weatherVariables = "temperature_2m,precipitation,wind_speed_10m"
	// MaxPastDays is how far the forecast service looks back.
	MaxPastDays = 92
)

// Place is where the weather is asked for.
type Place struct {
	Network   string
	Latitude  float64 // WGS 84 degrees
	Longitude float64
}

// Current fetches the weather of now.
func (o *OpenMeteo) Current(ctx context.Context, at Place) (observation.Payload, error) {
	return o.fetch(ctx, o.cfg.ForecastURL, at, url.Values{"current": {weatherVariables}})
}

// Recent fetches the hours of the last days, at most MaxPastDays, and of
// today.
func (o *OpenMeteo) Recent(ctx context.Context, at Place, days int) (observation.Payload, error) {
	return o.fetch(ctx, o.cfg.ForecastURL, at, url.Values{
		"hourly":        {weatherVariables},
		"past_days":     {strconv.Itoa(min(max(days, 0), MaxPastDays))},
		"forecast_days": {"1"},
	})
}

// Archive fetches the hours of whole days in UTC, both ends included.
func (o *OpenMeteo) Archive(ctx context.Context, at Place, from, to time.Time) (observation.Payload, error) {
	return o.fetch(ctx, o.cfg.ArchiveURL, at, url.Values{
		"hourly":     {weatherVariables},
		"start_date": {from.UTC().Format(time.DateOnly)},
		"end_date":   {to.UTC().Format(time.DateOnly)},
	})
}

func (o *OpenMeteo) fetch(ctx context.Context, base string, at Place, query url.Values) (observation.Payload, error) {
	u, err := url.Parse(base)
	if err != nil || !overHTTP(u) {
		return observation.Payload{}, fmt.Errorf("fetch weather: the address %q must begin with http:// or https:// and name a host", base)
	}
	q := u.Query() // a base URL may bring parameters along, a key for instance
	q.Set("latitude", strconv.FormatFloat(at.Latitude, 'f', -1, 64))
	q.Set("longitude", strconv.FormatFloat(at.Longitude, 'f', -1, 64))
	q.Set("timezone", "UTC")
	for name, values := range query {
		q[name] = values
	}
	u.RawQuery = q.Encode()
	body, fetchedAt, err := o.client.Get(ctx, u.String())
	if err != nil {
		return observation.Payload{}, fmt.Errorf("fetch weather: %w", err)
	}
	return observation.Payload{Kind: observation.KindWeather, Network: at.Network, FetchedAt: fetchedAt, Body: body}, nil
}
