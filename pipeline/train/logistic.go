package train

import (
	"context"

	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
	"livelab/pipeline/model"
)

// logistic learns a logistic regression. It keeps the labelled rows' inputs as
// they are, eight bytes a value.
type logistic struct {
	cfg    Config
	values [][]float64 // of each input
}

func newLogistic(cfg Config) *logistic {
	return &logistic{cfg: cfg, values: make([][]float64, len(cfg.Inputs))}
}

func (l *logistic) add(f *features.Frame, labelled []int) error {
	columns, err := inputColumns(f, l.cfg.Inputs)
	if err != nil {
		return err
	}
	for j, c := range columns {
		l.values[j] = appendRows(l.values[j], c, labelled)
	}
	return nil
}

func (*logistic) prepare(context.Context, Rows, *table, span) error { return nil }

func (l *logistic) fit(ctx context.Context, t *table, train, _ span, quick bool) (*model.Model, error) {
	m, err := newModel(t.task, l.cfg)
	if err != nil {
		return nil, err
	}
	matrix, err := newMatrix(l.cfg.Inputs, l.within(train), l.cfg.Workers)
	if err != nil {
		return nil, err
	}
	fitted, err := Fit(ctx, matrix.x, t.outcomes(train), FitOptions{
		C: l.cfg.C, Balanced: !l.cfg.Unbalanced, Workers: l.cfg.Workers,
		Iteration: func(passes int, _ float64) {
			if !quick {
				l.cfg.progress("fit", passes, 0)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	// With the weights s the fit saw odds s1/s0 times the real ones.
	shift := detmath.Log(fitted.ClassWeight[1] / fitted.ClassWeight[0])
	m.Intercept = fitted.Intercept - shift
	weights := fitted.Weights
	for j, name := range l.cfg.Inputs {
		c := matrix.columns[j]
		in := model.Input{Name: name, Mean: c.mean, Scale: c.scale, Optional: !features.Classic(name)}
		if !c.constant {
			in.Weight, weights = weights[0], weights[1:]
		}
		m.Inputs = append(m.Inputs, in)
	}
	return m, nil
}

func (*logistic) calibration(z []float64, y []bool) model.Calibration { return calibrate(z, y) }

// refit leaves the model as it is: a few weights do not gain from more rows.
func (*logistic) refit(_ context.Context, _ *table, m *model.Model, _ span, _ bool) (*model.Model, error) {
	return m, nil
}

// within are the inputs' values in some rows.
func (l *logistic) within(s span) [][]float64 {
	values := make([][]float64, len(l.values))
	for j, c := range l.values {
		values[j] = c[s.lo:s.hi]
	}
	return values
}

func (l *logistic) logOdds(m *model.Model, s span) []float64 {
	z, x := make([]float64, s.len()), make([]float64, len(l.values))
	for i := range z {
		for j, c := range l.values {
			x[j] = c[s.lo+i]
		}
		z[i] = m.LogOdds(x)
	}
	return z
}
