package loader

import (
	"errors"
	"fmt"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
)

// warmRows is how many rows a model answers before it serves, on each
// processor.
const warmRows = 32

// warm has a model answer for rows such as it was trained on: on each processor
// at once, so that each has an instance of each transform by the time of the
// first request. An answer must be a probability, and the same on each.
func warm(p *model.Predictor) error {
	rows := typicalRows(p, warmRows)
	want, err := answers(p, rows)
	if err != nil {
		return err
	}
	var g errgroup.Group
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			got, err := answers(p, rows)
			if err != nil {
				return err
			}
			for i := range got {
				if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
					return fmt.Errorf("warm up %s: the same row is answered with %v and with %v", p.Model.Name, want[i], got[i])
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// answers gives a probability for each row, NaN for one that a transform
// refuses.
func answers(p *model.Predictor, rows [][]float64) ([]float64, error) {
	x := make([]float64, len(p.Model.Inputs))
	got := make([]float64, len(rows))
	for i, values := range rows {
		err := p.Vector(x, values)
		if refused := new(features.RowError); errors.As(err, &refused) {
			got[i] = math.NaN()
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("warm up %s: %w", p.Model.Name, err)
		}
		if got[i] = p.Model.Probability(x); !(got[i] >= 0 && got[i] <= 1) {
			return nil, fmt.Errorf("warm up %s: the answer for a typical row is %v, which is no probability", p.Model.Name, got[i])
		}
	}
	return got, nil
}

// typicalRows are about the training's means, a standard deviation or two to
// either side: n rows with a value for each of the predictor's columns.
func typicalRows(p *model.Predictor, n int) [][]float64 {
	inputs := make(map[string]model.Input)
	for _, in := range p.Model.Inputs {
		inputs[in.Name] = in
	}
	rows := make([][]float64, n)
	for i := range rows {
		for c, name := range p.Columns() {
			in := typical(inputs, p.Model, name)
			least, greatest := features.Bounds(name)
			v := in.Mean + float64((i+c)%5-2)*in.Scale
			rows[i] = append(rows[i], min(max(v, least), greatest))
		}
	}
	return rows
}

// typical is the middle and the spread of a column: as the training found
// them, else those of the model's default or of what the column can be.
func typical(inputs map[string]model.Input, m *model.Model, name string) model.Input {
	if in, ok := inputs[name]; ok {
		return in
	}
	if v, ok := m.Defaults[name]; ok {
		return model.Input{Mean: v, Scale: math.Abs(v) / 4}
	}
	least, greatest := features.Bounds(name)
	if span := greatest - least; span > 0 && !math.IsInf(span, 0) {
		return model.Input{Mean: least + span/2, Scale: span / 8}
	}
	return model.Input{Mean: max(least, 0) + 10, Scale: 2}
}
