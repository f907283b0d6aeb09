package train

import (
	"context"
	"time"

	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
	"livelab/pipeline/model"
)

// PartOf says what a training does with a row.
type PartOf uint8

// The parts. None is an embargo's.
const (
	PartNone PartOf = iota
	PartTrain
	PartValidation
	PartTest
)

// String gives the part's name.
func (p PartOf) String() string { return [...]string{"none", "train", "validation", "test"}[p] }

// Layout is what a training makes of rows before it fits: the labelled ones
// alone, each in a part. All columns have a value for each of them.
type Layout struct {
	Inputs   []string
	Stations []string // that Entity points to; nil for a network

	At              []int64 // Unix seconds, ascending
	Entity          []int32 // nil for a network
	Short, ShortNow []bool
	Climatology     []float64 // NaN where missing
	Part            []PartOf

	rows Rows
}

// Lay walks the rows once and splits them as Run does, with no more said of
// few rows or of one class than that.
func Lay(ctx context.Context, rows Rows, cfg Config) (*Layout, error) {
	cfg, err := cfg.complete(rows.Task())
	if err != nil {
		return nil, err
	}
	t, err := collect(ctx, rows, nothing{})
	if err != nil {
		return nil, err
	}
	l := &Layout{
		Inputs: cfg.Inputs, Stations: rows.Entities(), At: t.at, Entity: t.entity,
		Short: t.short, ShortNow: t.shortNow, Climatology: t.climatology,
		Part: make([]PartOf, t.len()), rows: rows,
	}
	p := split(t, cfg)
	for k, s := range []span{p.train, p.validation, p.test} {
		for i := s.lo; i < s.hi; i++ {
			l.Part[i] = PartTrain + PartOf(k)
		}
	}
	return l, nil
}

// Values walks the rows for their inputs. yield is given a column for each
// input and the rows of the block that are labelled, which are the next ones
// of the layout; and, where there is a model, its probability of each of
// these, as it serves.
func (l *Layout) Values(ctx context.Context, m *model.Model, yield func(columns [][]float64, rows []int, probability []float64) error) error {
	return walk(ctx, l.rows, time.Time{}, time.Time{}, func(f *features.Frame, labelled []int) error {
		columns, err := inputColumns(f, l.Inputs)
		if err != nil {
			return err
		}
		var z []float64
		if m != nil {
			if z, err = appendLogOdds(nil, m, f, labelled); err != nil {
				return err
			}
			for i, v := range z {
				z[i] = detmath.Sigmoid(v)
			}
		}
		return yield(columns, labelled, z)
	})
}

// nothing is a learner that keeps nothing, for a walk of its own.
type nothing struct{ learner }

func (nothing) add(*features.Frame, []int) error { return nil }
