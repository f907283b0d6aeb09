package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"livelab/pipeline/observation"
)

// HistorySource has the past of networks. *CityBikes is one.
type HistorySource interface {
	// History writes the Parquet file of the month that t lies in. The error
	// is ErrNoHistory where there is none.
	History(ctx context.Context, network string, t time.Time, to File) error
	// StationIDs gives the IDs that the live data has for the names that the
	// history has. What is not in it has the same in both.
	StationIDs(ctx context.Context, network string) (map[string]string, error)
	// Network tells where a network is.
	Network(ctx context.Context, network string) (observation.Network, error)
}

var _ HistorySource = (*CityBikes)(nil)

// BackfillConfig says how to turn history into observations.
type BackfillConfig struct {
	History  HistorySource
	Weather  WeatherHistory // nil: no weather is fetched
	Recorder *Recorder

	// Step is the distance of snapshots. Default 10 min.
	Step time.Duration
	// MaxAge is how long a station's last change counts; without a newer one
	// the station is absent. Default 24 h.
	MaxAge time.Duration
	// MaxQuiet is how long the network counts as seen after the last change
	// of any station; then there are no snapshots until the next, for the
	// recording may have stood still. Default 6 h.
	MaxQuiet time.Duration
	// ArchiveLag is how many days the weather archive is behind. Younger
	// days come from the forecast service. Default 5.
	ArchiveLag int
	// TempDir is where downloads go. Default os.TempDir.
	TempDir string
	// Progress, where set, hears of each finished month of bikes and of the
	// weather. It is called from the goroutine of Backfill.
	Progress func(BackfillProgress)
	Logger   *slog.Logger     // default: silent
	Now      func() time.Time // default time.Now
}

// BackfillProgress is how far a backfill has come.
type BackfillProgress struct {
	Step  string // what was finished: "2026-05" or "weather"
	Done  int    // steps
	Total int
	Rows  int64 // of history read so far
}

// BackfillResult says what a backfill stored.
type BackfillResult struct {
	Recorded
	Rows    int64    // of history read
	Dropped int64    // rows without a station ID or a time of their month
	Missing []string // months that have no history, e.g. "2026-05"
}

// Backfiller records the past of networks.
type Backfiller struct{ cfg BackfillConfig }

// NewBackfiller checks the configuration and fills in the defaults.
func NewBackfiller(cfg BackfillConfig) (*Backfiller, error) {
	if cfg.History == nil || cfg.Recorder == nil {
		return nil, errors.New("backfill: a source of history and a recorder are needed")
	}
	cfg.Step = cmp.Or(cfg.Step, 10*time.Minute)
	cfg.MaxAge = cmp.Or(cfg.MaxAge, 24*time.Hour)
	cfg.MaxQuiet = cmp.Or(cfg.MaxQuiet, 6*time.Hour)
	cfg.ArchiveLag = cmp.Or(cfg.ArchiveLag, 5)
	if cfg.Step < time.Second || cfg.Step%time.Second != 0 {
		return nil, fmt.Errorf("backfill: the step must be whole seconds, it is %s", cfg.Step)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Backfiller{cfg: cfg}, nil
}

// backfill is one run.
type backfill struct {
	*Backfiller
	network  observation.Network
	from, to time.Time
	ids      map[string]string // see HistorySource.StationIDs
	result   BackfillResult
	done     int
	total    int
	failed   []error // what did not work, while the rest did
}

// Backfill records the history of a network and its weather, from included,
// to not. A month without history is skipped and named in the result; a
// month or weather that cannot be fetched or read is skipped too, and part
// of the error, which comes when the rest is done. What is stored already
// stays as it is, so that a second run adds nothing.
func (b *Backfiller) Backfill(ctx context.Context, network observation.Network, from, to time.Time) (BackfillResult, error) {
	if now := b.cfg.Now(); to.After(now) {
		to = now
	}
	if !from.Before(to) {
		return BackfillResult{}, fmt.Errorf("backfill %s: nothing lies between %s and %s", network.ID, from.Format(time.RFC3339), to.Format(time.RFC3339))
	}
	run := &backfill{Backfiller: b, network: network, from: from.UTC(), to: to.UTC()}
	if err := run.bikes(ctx); err != nil {
		return run.result, fmt.Errorf("backfill %s: %w", network.ID, err)
	}
	if b.cfg.Weather != nil {
		if err := run.weather(ctx); err != nil {
			return run.result, fmt.Errorf("backfill %s: %w", network.ID, err)
		}
	}
	if err := errors.Join(run.failed...); err != nil {
		return run.result, fmt.Errorf("backfill %s: %w", network.ID, err)
	}
	return run.result, nil
}

// months lists the months that the run needs. It begins early enough for the
// first snapshot to know what stations showed up to MaxAge before.
func (r *backfill) months() []time.Time {
	var out []time.Time
	for m := monthOf(r.from.Add(-r.cfg.MaxAge)); m.Before(r.to); m = m.AddDate(0, 1, 0) {
		out = append(out, m)
	}
	return out
}

func monthOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// bikes records month after month. Its error ends the run.
func (r *backfill) bikes(ctx context.Context) error {
	var err error
	if r.ids, err = r.cfg.History.StationIDs(ctx, r.network.ID); err != nil {
		return fmt.Errorf("ask for the stations' IDs: %w", err)
	}
	months := r.months()
	r.total = len(months)
	if r.cfg.Weather != nil {
		r.total++
	}
	g := newGrid(r.from, r.to, r.cfg)
	for _, month := range months {
		history, err := r.fetchMonth(ctx, month)
		if err != nil {
			return err
		}
		series := Series{Network: r.network.ID, Snapshots: g.month(month, history)}
		if history != nil {
			series.Stations = history.describedStations()
			series.SeenAt = month.AddDate(0, 1, 0).Add(-time.Second)
			if r.to.Before(series.SeenAt) {
				series.SeenAt = r.to
			}
		}
		recorded, err := r.cfg.Recorder.Record(ctx, series)
		if err != nil {
			return err
		}
		r.result.add(recorded)
		r.progress(month.Format("2006-01"))
	}
	return nil
}

// fetchMonth gives a month's history, nil where there is none or it cannot be
// read, which is noted. Its error ends the run.
func (r *backfill) fetchMonth(ctx context.Context, month time.Time) (*monthHistory, error) {
	name := month.Format("2006-01")
	f, err := os.CreateTemp(r.cfg.TempDir, "livelab-history-*.parquet")
	if err != nil {
		return nil, fmt.Errorf("temporary file for history: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	history, err := r.downloadMonth(ctx, month, f)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, ErrNoHistory) && !month.AddDate(0, 1, 0).After(r.from):
		// The month is only wanted for what it carries into the next.
	case errors.Is(err, ErrNoHistory):
		r.cfg.Logger.WarnContext(ctx, "no history", "network", r.network.ID, "month", name)
		r.result.Missing = append(r.result.Missing, name)
	case err != nil:
		r.failed = append(r.failed, fmt.Errorf("history of %s: %w", name, err))
	default:
		r.result.Rows += history.rows
		r.result.Dropped += history.dropped
	}
	return history, nil
}

func (r *backfill) downloadMonth(ctx context.Context, month time.Time, f *os.File) (*monthHistory, error) {
	if err := r.cfg.History.History(ctx, r.network.ID, month, f); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return readHistory(ctx, f, info.Size(), month, r.ids)
}

func (r *backfill) progress(step string) {
	r.done++
	if r.cfg.Progress != nil {
		r.cfg.Progress(BackfillProgress{Step: step, Done: r.done, Total: r.total, Rows: r.result.Rows})
	}
}
