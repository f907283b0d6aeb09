package train

import (
	"context"
	"fmt"
	"math"

	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
)

// measure touches the test part, once: it asks the model for its rows as
// serving does, block by block, with all inputs and with the eight classic
// ones alone, as many a client does.
func (s *session) measure(ctx context.Context, m *model.Model) (metrics.Sample, metrics.Scores, error) {
	t, test := s.table, s.parts.test
	classic, err := newClassic(m, s.cfg.Transforms)
	if err != nil {
		return metrics.Sample{}, metrics.Scores{}, err
	}
	var z []float64
	from, to := t.window(test)
	err = walk(ctx, s.rows, from, to, func(f *features.Frame, labelled []int) (err error) {
		if z, err = appendLogOdds(z, m, f, labelled); err != nil {
			return err
		}
		return classic.add(f, labelled)
	})
	if err != nil {
		return metrics.Sample{}, metrics.Scores{}, fmt.Errorf("measure the test part: %w", err)
	}
	if len(z) != test.len() {
		return metrics.Sample{}, metrics.Scores{}, fmt.Errorf("measure the test part: it has %d rows, walked again it has %d", test.len(), len(z))
	}
	return t.sample(test, z), metrics.Evaluate(classic.probability, t.outcomes(test), m.Threshold), nil
}

// classic asks a model for rows of which it is told the eight classic inputs
// alone.
type classic struct {
	predictor   *model.Predictor
	values, x   []float64
	probability []float64
}

func newClassic(m *model.Model, ts []features.Transform) (*classic, error) {
	p, err := model.NewPredictor(m, ts)
	if err != nil {
		return nil, err
	}
	return &classic{predictor: p, values: make([]float64, len(p.Columns())), x: make([]float64, len(m.Inputs))}, nil
}

func (c *classic) add(f *features.Frame, rows []int) error {
	columns := make([][]float64, len(c.values))
	for j, name := range c.predictor.Columns() {
		if features.Classic(name) {
			columns[j] = f.Column(name)
		}
	}
	for _, row := range rows {
		for j, column := range columns {
			c.values[j] = math.NaN()
			if column != nil {
				c.values[j] = column[row]
			}
		}
		if err := c.predictor.Vector(c.x, c.values); err != nil {
			return err
		}
		c.probability = append(c.probability, detmath.Sigmoid(c.predictor.Model.LogOdds(c.x)))
	}
	return nil
}
