// Package dataset freezes what a store holds into files that a training can
// be repeated from: Parquet with a manifest, and a digest over the content. It
// also reads the newest rows that serving answers from.
package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"slices"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// Dataset is a network's past, frozen.
type Dataset struct {
	Network observation.Network
	Origin  observation.Origin
	Series  features.Series

	// Stations is nil for a dataset about the network alone.
	Stations *features.Stations
}

// History is what rows are made from.
func (d *Dataset) History() features.History {
	return features.History{Place: features.PlaceOf(d.Network), Series: d.Series, Stations: d.Stations}
}

// FromStore reads the past of a network from a store, from and to included; a
// zero time leaves that side open. An empty network stands for the only one
// in the store.
func FromStore(ctx context.Context, s Store, network string, from, to time.Time) (*Dataset, error) {
	origin, err := s.Origin(ctx)
	if err != nil {
		return nil, fmt.Errorf("read dataset: %w", err)
	}
	n, err := FindNetwork(ctx, s, network)
	if err != nil {
		return nil, fmt.Errorf("read dataset: %w", err)
	}
	d := &Dataset{Network: n, Origin: origin}
	if d.Series.Points, err = s.Totals(ctx, n.ID, from, to); err != nil {
		return nil, fmt.Errorf("read snapshots of %s: %w", n.ID, err)
	}
	if d.Series.Weather, err = s.Weather(ctx, n.ID, from, to); err != nil {
		return nil, fmt.Errorf("read weather of %s: %w", n.ID, err)
	}
	return d, nil
}

// FindNetwork finds a network of the store by its ID. An empty ID stands for
// the only one. The error is a *NetworkError where it cannot tell.
func FindNetwork(ctx context.Context, s Store, id string) (observation.Network, error) {
	known, err := s.Networks(ctx)
	if err != nil {
		return observation.Network{}, fmt.Errorf("list networks: %w", err)
	}
	if id == "" && len(known) == 1 {
		return known[0], nil
	}
	ids := make([]string, len(known))
	for i, n := range known {
		ids[i] = n.ID
		if n.ID == id {
			return n, nil
		}
	}
	slices.Sort(ids)
	return observation.Network{}, &NetworkError{Network: id, Known: ids}
}

// Digest is the lower-case hex SHA-256 of the content: the network's ID and
// place, the origin, and every value in order. It does not depend on the file format.
func (d *Dataset) Digest() string {
	h := digester{Hash: sha256.New()}
	h.text("livelab dataset 2")
	h.text(d.Network.ID)
	h.number(d.Network.Latitude)
	h.number(d.Network.Longitude)
	h.text(string(d.Origin))
	h.integer(int64(len(d.Series.Points)))
	for _, p := range d.Series.Points {
		h.integer(p.At.Unix())
		h.integer(int64(p.Stations))
		h.integer(int64(p.FreeBikes))
		h.integer(int64(p.EmptySlots))
	}
	h.integer(int64(len(d.Series.Weather)))
	for _, w := range d.Series.Weather {
		h.integer(w.At.Unix())
		h.number(w.Temperature)
		h.number(w.Precipitation)
		h.number(w.WindSpeed)
	}
	return hex.EncodeToString(h.Sum(nil))
}

type digester struct {
	hash.Hash
	buf [8]byte
}

func (h *digester) text(s string) {
	h.integer(int64(len(s)))
	h.Write([]byte(s))
}

func (h *digester) integer(v int64) {
	binary.LittleEndian.PutUint64(h.buf[:], uint64(v))
	h.Write(h.buf[:])
}

// number hashes the bits, with one pattern for all that is missing.
func (h *digester) number(v float64) {
	if math.IsNaN(v) {
		v = math.NaN()
	}
	h.integer(int64(math.Float64bits(v)))
}
