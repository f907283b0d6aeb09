package ingest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"livelab/pipeline/observation"
)

// Recorder writes payloads and observations into a store. It is safe for
// concurrent use where its store is.
type Recorder struct {
	Store  Store
	Origin observation.Origin // of everything that it records
}

// ErrOrigin says that a store holds data of the other origin.
var ErrOrigin = errors.New("real and simulated data are never mixed in one store")

// Recorded says what a call of the Recorder stored.
type Recorded struct {
	Duplicate bool // the payload was there already, and nothing was stored

	Snapshots int       // new ones
	Skipped   int       // snapshots whose time was stored already
	Changes   int       // changes of stations
	Weather   int       // rows of weather
	From, To  time.Time // first and last new snapshot, zero where there is none
}

// add sums up two results.
func (r *Recorded) add(o Recorded) {
	r.Snapshots += o.Snapshots
	r.Skipped += o.Skipped
	r.Changes += o.Changes
	r.Weather += o.Weather
	if !o.From.IsZero() && (r.From.IsZero() || o.From.Before(r.From)) {
		r.From = o.From
	}
	if o.To.After(r.To) {
		r.To = o.To
	}
}

// Series is a stretch of observations of one network.
type Series struct {
	Network  string
	Stations []observation.Station // descriptions; stations without one are known by their ID
	SeenAt   time.Time             // of the stations, see Batch
	// Snapshots come in ascending order of time. Each is used before the
	// next is asked for, so that its readings may be overwritten then. Nil
	// for none.
	Snapshots iter.Seq2[observation.Snapshot, error]
	Weather   []observation.Weather
}

// RecordBikes stores a payload and what it shows, or nothing where the same
// payload is stored already.
func (r *Recorder) RecordBikes(ctx context.Context, payload observation.Payload, decoded Bikes) (Recorded, error) {
	if id := decoded.Network.ID; id != "" && id != payload.Network {
		return Recorded{}, fmt.Errorf("record bikes: asked for network %q, the payload is of %q; use the network's own ID", payload.Network, id)
	}
	network := decoded.Network
	network.ID = payload.Network
	return r.recordPayload(ctx, payload, func(tx Tx) (Recorded, error) {
		head := Batch{Network: &network, Stations: decoded.Stations, SeenAt: decoded.Snapshot.At}
		if err := tx.Write(ctx, network.ID, head); err != nil {
			return Recorded{}, err
		}
		return recordSnapshots(ctx, tx, network.ID, one(decoded.Snapshot))
	})
}

// RecordWeather stores a payload and what it shows, or nothing where the same
// payload is stored already.
func (r *Recorder) RecordWeather(ctx context.Context, payload observation.Payload, decoded Weather) (Recorded, error) {
	return r.recordPayload(ctx, payload, func(tx Tx) (Recorded, error) {
		err := tx.Write(ctx, payload.Network, Batch{Weather: decoded.Rows})
		return Recorded{Weather: len(decoded.Rows)}, err
	})
}

// RecordWeatherRows stores weather that comes without a payload.
func (r *Recorder) RecordWeatherRows(ctx context.Context, network string, rows []observation.Weather) (Recorded, error) {
	return r.Record(ctx, Series{Network: network, Weather: rows})
}

// Record stores several series in one transaction: all of them, or nothing.
func (r *Recorder) Record(ctx context.Context, series ...Series) (Recorded, error) {
	var networks []string
	for _, s := range series {
		if !slices.Contains(networks, s.Network) {
			networks = append(networks, s.Network)
		}
	}
	return r.update(ctx, networks, func(tx Tx) (total Recorded, err error) {
		for _, s := range series {
			recorded, err := recordSeries(ctx, tx, s)
			if err != nil {
				return total, fmt.Errorf("network %s: %w", s.Network, err)
			}
			total.add(recorded)
		}
		return total, nil
	})
}

func recordSeries(ctx context.Context, tx Tx, s Series) (Recorded, error) {
	head := Batch{Stations: s.Stations, SeenAt: s.SeenAt, Weather: s.Weather}
	if len(head.Stations)+len(head.Weather) > 0 {
		if err := tx.Write(ctx, s.Network, head); err != nil {
			return Recorded{}, err
		}
	}
	recorded := Recorded{Weather: len(s.Weather)}
	if s.Snapshots != nil {
		snapshots, err := recordSnapshots(ctx, tx, s.Network, s.Snapshots)
		if err != nil {
			return Recorded{}, err
		}
		recorded.add(snapshots)
	}
	return recorded, nil
}

// recordPayload stores a payload and, where it is new, what derive makes of
// it, in one transaction.
func (r *Recorder) recordPayload(ctx context.Context, payload observation.Payload, derive func(Tx) (Recorded, error)) (Recorded, error) {
	payload.Body = storableJSON(payload.Body)
	return r.update(ctx, []string{payload.Network}, func(tx Tx) (Recorded, error) {
		added, err := tx.AddPayload(ctx, payload)
		if err != nil || !added {
			return Recorded{Duplicate: err == nil}, err
		}
		return derive(tx)
	})
}

// update runs fn in a transaction on a store of the right origin.
func (r *Recorder) update(ctx context.Context, networks []string, fn func(Tx) (Recorded, error)) (Recorded, error) {
	var recorded Recorded
	err := r.Store.Update(ctx, networks, func(tx Tx) error {
		stored, err := tx.ClaimOrigin(ctx, r.Origin)
		if err != nil {
			return err
		}
		if stored != r.Origin {
			return fmt.Errorf("%w: this one holds %s data, and the new data is %s; use another --store or DATABASE_URL", ErrOrigin, stored, r.Origin)
		}
		recorded, err = fn(tx)
		return err
	})
	if err != nil {
		return Recorded{}, fmt.Errorf("record: %w", err)
	}
	return recorded, nil
}

// one is a sequence of a single snapshot.
func one(s observation.Snapshot) iter.Seq2[observation.Snapshot, error] {
	return func(yield func(observation.Snapshot, error) bool) { yield(s, nil) }
}
