package ingest

import (
	"context"
	"fmt"
	"time"

	"livelab/pipeline/observation"
)

// WeatherHistory has the hours of the past. *OpenMeteo is one.
type WeatherHistory interface {
	// Recent gives the hours of the last days and of today.
	Recent(ctx context.Context, at Place, days int) (observation.Payload, error)
	// Archive gives the hours of whole days in UTC, both ends included.
	Archive(ctx context.Context, at Place, from, to time.Time) (observation.Payload, error)
}

var _ WeatherHistory = (*OpenMeteo)(nil)

// archiveDays is how many days one request asks the archive for.
const archiveDays = 366

const day = 24 * time.Hour

// weather records the hours of the run. Only the store's errors and the end
// of the context end the run; those of the source are noted.
func (r *backfill) weather(ctx context.Context) error {
	defer r.progress("weather")
	place, err := r.place(ctx)
	if err != nil {
		r.failed = append(r.failed, err)
		return ctx.Err()
	}
	young := r.cfg.Now().UTC().Truncate(day).AddDate(0, 0, -r.cfg.ArchiveLag)
	for start := r.from.Truncate(day); start.Before(young) && start.Before(r.to); start = start.AddDate(0, 0, archiveDays) {
		last := start.AddDate(0, 0, archiveDays-1)
		for _, bound := range []time.Time{young.AddDate(0, 0, -1), r.to} {
			if last.After(bound) {
				last = bound
			}
		}
		payload, err := r.cfg.Weather.Archive(ctx, place, start, last)
		if err := r.recordWeather(ctx, payload, err); err != nil {
			return err
		}
	}
	if !r.to.After(young) {
		return nil
	}
	start := young
	if r.from.After(start) {
		start = r.from
	}
	days := int(r.cfg.Now().UTC().Truncate(day).Sub(start.Truncate(day)) / day)
	payload, err := r.cfg.Weather.Recent(ctx, place, days)
	return r.recordWeather(ctx, payload, err)
}

// place is where the weather is asked for.
func (r *backfill) place(ctx context.Context) (Place, error) {
	n := r.network
	if !n.Located() {
		found, err := r.cfg.History.Network(ctx, n.ID)
		if err != nil {
			return Place{}, fmt.Errorf("weather: where is the network? %w", err)
		}
		n = found
	}
	if !n.Located() {
		return Place{}, fmt.Errorf("weather: the coordinates of %s are not known; set LAT and LON", n.ID)
	}
	return Place{Network: r.network.ID, Latitude: n.Latitude, Longitude: n.Longitude}, nil
}

// recordWeather records what a request brought, as far as it belongs to the
// run.
func (r *backfill) recordWeather(ctx context.Context, payload observation.Payload, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var decoded Weather
	if err == nil {
		decoded, err = DecodeWeather(payload.Body, payload.FetchedAt)
	}
	if err != nil {
		r.failed = append(r.failed, fmt.Errorf("weather: %w", err))
		return nil
	}
	var rows []observation.Weather
	for _, w := range decoded.Rows {
		if !w.At.Before(r.from) && w.At.Before(r.to) {
			rows = append(rows, w)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	recorded, err := r.cfg.Recorder.RecordWeatherRows(ctx, r.network.ID, rows)
	r.result.add(recorded)
	return err
}
