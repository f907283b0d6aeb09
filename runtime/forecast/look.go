package forecast

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
	"livelab/runtime/loader"
)

// Refresh brings the forecast of each network up to date, one after the other,
// and shows each as soon as it is made. Run does it again and again; it must not
// be called beside that.
func (k *Keeper) Refresh(ctx context.Context) {
	defer k.survive()
	networks, err := k.cfg.Store.Networks(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		k.failed("", err)
		k.show(func(b *board) { b.failure = k.failure(err) })
		return
	}
	k.keepOnly(networks)
	by := k.cfg.Model()
	for _, n := range networks {
		if k.lookAt(ctx, n.ID, by); ctx.Err() != nil {
			return
		}
	}
}

// survive keeps a mistake in here from ending the program: what was forecast
// last stands, and grows old.
func (k *Keeper) survive() {
	if r := recover(); r != nil {
		k.failed("", fmt.Errorf("a mistake of the program: %v", r))
	}
}

// lookAt brings the forecast of one network up to date where it is not.
func (k *Keeper) lookAt(ctx context.Context, network string, by *loader.Loaded) {
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Timeout)
	defer cancel()
	before := k.board.Load().networks[network]
	now := entry{by: by}
	if before != nil {
		now.forecast = before.forecast
	}
	var err error
	if now.seen, err = k.newest(ctx, network); err == nil {
		if before.stands(now, k.cfg.Now().Add(-k.cfg.RetryAfter)) {
			return
		}
		var f *Forecast
		if f, err = k.make(ctx, network, by); err == nil {
			now.forecast = f
		}
	}
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			return // the end of the program is no failure
		}
		now.failure = k.failure(err)
		if before == nil || before.failure == nil || before.failure.Err.Error() != err.Error() {
			k.failed(network, err)
		} else {
			k.metrics.failures.Inc()
		}
	}
	k.show(func(b *board) { b.networks[network] = &now })
}

// stands reports whether nothing is new since the last attempt. One that failed
// is made again where it was made before again.
func (e *entry) stands(now entry, again time.Time) bool {
	return e != nil && e.seen == now.seen && e.by == now.by && (e.failure == nil || e.failure.At.After(again))
}

// make reads the rows and answers for them.
func (k *Keeper) make(ctx context.Context, network string, by *loader.Loaded) (*Forecast, error) {
	start := k.cfg.Now()
	task := observing
	if by != nil {
		task = by.Model.Task
	}
	rows, err := k.cfg.Rows.AllStations(ctx, task, network)
	if err != nil {
		return nil, err
	}
	f, err := forecastOf(rows, by)
	if err != nil {
		return nil, fmt.Errorf("forecast the stations of %s: %w", network, err)
	}
	f.ttl = time.Duration(task.BikesTTLMinutes) * time.Minute
	f.MadeAt = k.cfg.Now().UTC()
	f.Took = f.MadeAt.Sub(start)
	k.metrics.duration.Observe(f.Took.Seconds())
	return f, nil
}

// observing is the task whose rows are read while no model answers: only what
// is observed of them is shown, so they look back as little as they may. The
// rows of a model look further back and are read afresh, with what was filled
// in behind meanwhile.
var observing = func() features.Task {
	t := features.StationShortage(0)
	t.ClimatologyDays = 1
	return t
}()

// newest says how far the data of a network reaches. What lies ahead of the
// clock is not there yet: a record that is replayed.
func (k *Keeper) newest(ctx context.Context, network string) (mark, error) {
	snapshot, weather, err := k.cfg.Store.Newest(ctx, network)
	now := k.cfg.DataNow()
	if err != nil || !snapshot.After(now) {
		return mark{snapshot, weather}, err
	}
	totals, err := k.cfg.Store.Totals(ctx, network, now.Add(-time.Hour), now)
	if err != nil || len(totals) == 0 {
		return mark{}, err
	}
	return mark{snapshot: totals[len(totals)-1].At}, nil
}

// keepOnly forgets the networks that are not in the store any more.
func (k *Keeper) keepOnly(networks []observation.Network) {
	kept := make(map[string]*entry)
	if now := k.board.Load(); now != nil {
		for _, n := range networks {
			if e := now.networks[n.ID]; e != nil {
				kept[n.ID] = e
			}
		}
		if now.failure == nil && now.networks != nil && len(kept) == len(now.networks) {
			return
		}
	}
	k.board.Store(&board{networks: kept})
}

// show stores a board that is changed in one thing. Only Run does.
func (k *Keeper) show(change func(*board)) {
	next := new(board)
	if now := k.board.Load(); now != nil {
		next.networks, next.failure = maps.Clone(now.networks), now.failure
	}
	change(next)
	k.board.Store(next)
}

func (k *Keeper) failure(err error) *Failure { return &Failure{Err: err, At: k.cfg.Now().UTC()} }

func (k *Keeper) failed(network string, err error) {
	k.metrics.failures.Inc()
	k.cfg.Logger.Warn("the stations' forecast could not be brought up to date; the one before stands as long as it may",
		slog.String("network", network), slog.Any("error", err))
}
