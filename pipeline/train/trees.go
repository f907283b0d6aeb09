package train

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/train/boost"
)

// trees learns gradient-boosted trees. Of the labelled rows it keeps one byte a
// value: the first walk takes a sample that says where the bins' edges lie, the
// second fills in the bytes.
type trees struct {
	cfg    Config
	sample *sampler
	inputs []model.Input
	matrix boost.Matrix
}

func newTrees(cfg Config) *trees {
	return &trees{cfg: cfg, sample: newSampler(len(cfg.Inputs), sampledRows)}
}

func (l *trees) add(f *features.Frame, labelled []int) error {
	columns, err := inputColumns(f, l.cfg.Inputs)
	if err != nil {
		return err
	}
	l.sample.add(columns, labelled)
	return nil
}

// prepare makes the edges from the training part alone, so that nothing of the
// later parts enters them, and then the codes of all rows.
func (l *trees) prepare(ctx context.Context, rows Rows, t *table, train span) error {
	l.inputs = make([]model.Input, len(l.cfg.Inputs))
	l.matrix = boost.Matrix{Codes: make([][]uint8, len(l.inputs)), Edges: make([][]float64, len(l.inputs))}
	errs := make([]error, len(l.inputs))
	l.eachInput(func(j int) {
		name, values := l.cfg.Inputs[j], l.sample.before(train.hi, j)
		c, err := describe(values)
		if err != nil {
			errs[j] = fmt.Errorf("column %q: %w", name, err)
			return
		}
		l.inputs[j] = model.Input{Name: name, Mean: c.mean, Scale: c.scale, Optional: !features.Classic(name)}
		l.matrix.Edges[j] = boost.NewEdges(values, boost.MostEdges)
		l.matrix.Codes[j] = make([]uint8, 0, t.len())
	})
	l.sample = nil
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return l.encode(ctx, rows, t)
}

// encode walks the rows for their codes.
func (l *trees) encode(ctx context.Context, rows Rows, t *table) error {
	n := 0
	errs := make([]error, len(l.inputs))
	err := walk(ctx, rows, time.Time{}, time.Time{}, func(f *features.Frame, labelled []int) error {
		columns, err := inputColumns(f, l.cfg.Inputs)
		if err != nil {
			return err
		}
		if n += len(labelled); n > t.len() {
			return nil
		}
		l.eachInput(func(j int) {
			errs[j] = l.encodeInput(j, columns[j], labelled)
		})
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		l.cfg.progress("encode", n, t.len())
		return nil
	})
	if err == nil && n != t.len() {
		return fmt.Errorf("training: the rows have changed: %d are labelled, in the first walk there were %d", n, t.len())
	}
	return err
}

func (l *trees) encodeInput(j int, column []float64, rows []int) error {
	codes, edges := l.matrix.Codes[j], l.matrix.Edges[j]
	for _, row := range rows {
		v := column[row]
		if math.Abs(v) > largest {
			return fmt.Errorf("column %q: row %d is %v, must be a number of at most %g or missing (NaN)", l.cfg.Inputs[j], len(codes), v, largest)
		}
		codes = append(codes, boost.Code(edges, v))
	}
	l.matrix.Codes[j] = codes
	return nil
}

// eachInput calls do for each input, which workers share: inputs do not depend
// on each other.
func (l *trees) eachInput(do func(j int)) {
	slots := make(chan struct{}, l.cfg.Workers)
	var wg sync.WaitGroup
	for j := range l.inputs {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(j)
		})
	}
	wg.Wait()
}

func (l *trees) fit(ctx context.Context, t *table, train, validation span, quick bool) (*model.Model, error) {
	return l.grow(ctx, t, l.numbers(t, train, quick), l.numbers(t, validation, quick), l.options(quick))
}

// quickRows are enough for a fold of the backtest.
const quickRows = 200_000

// numbers lists rows; of a fold's those of one time in so many that they are
// about quickRows. A hash of the time's number draws: each n-th time may be the
// same few hours of every day.
func (l *trees) numbers(t *table, s span, quick bool) []int32 {
	every := 1
	if quick {
		every = (s.len() + quickRows - 1) / quickRows
	}
	rows := make([]int32, 0, s.len()/max(every, 1))
	times := 0
	for i := s.lo; i < s.hi; i++ {
		if i > s.lo && t.at[i] != t.at[i-1] {
			times++
		}
		if every <= 1 || hash(uint64(times))%uint64(every) == 0 {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

func (l *trees) grow(ctx context.Context, t *table, train, validation []int32, o boost.Options) (*model.Model, error) {
	m, err := newModel(t.task, l.cfg)
	if err != nil {
		return nil, err
	}
	// What the walk of the rows or the last fit leaves is about as large as what
	// this fit takes: cleared away first, the two never lie in memory together.
	runtime.GC()
	fitted, err := boost.Fit(ctx, l.matrix, t.short, train, validation, o)
	if err != nil {
		return nil, err
	}
	m.Family, m.Trees, m.Intercept, m.Inputs = model.FamilyTrees, fitted.Trees, fitted.Base, l.inputs
	return m, nil
}

// calibration is kept only where it helps: trees that stopped in time are
// calibrated as they are, and a correction by the past would be noise. So it is
// fitted to the earlier half of the rows, and has to lower the loss of the
// later.
func (l *trees) calibration(z []float64, y []bool) model.Calibration {
	half := len(z) / 2
	if meanLoss(calibrate(z[:half], y[:half]), z[half:], y[half:]) < meanLoss(identity, z[half:], y[half:]) {
		return calibrate(z, y)
	}
	return identity
}

// refit grows as many trees again on the training and the validation rows: a
// city changes, and the newest rows tell most of the next. The test part stays
// untouched, and the threshold and the calibration were chosen on rows that the
// model of that time had not seen.
func (l *trees) refit(ctx context.Context, t *table, m *model.Model, past span, quick bool) (*model.Model, error) {
	n := len(m.Trees.Trees)
	if n == 0 || quick {
		return m, nil // nothing was found to split by, or there is no time
	}
	o := l.options(quick)
	o.Trees = n
	again, err := l.grow(ctx, t, past.numbers(), nil, o)
	if err != nil {
		return nil, err
	}
	calibrateModel(again, m.Calibration)
	again.Threshold, again.Defaults = m.Threshold, m.Defaults
	return again, nil
}

func (l *trees) options(quick bool) boost.Options {
	o := l.cfg.Boost.options()
	o.Workers = l.cfg.Workers
	if !quick {
		o.Progress = func(p boost.Progress) { l.cfg.progress("fit", p.Trees, p.Most) }
	}
	return o
}

func (l *trees) logOdds(m *model.Model, s span) []float64 {
	z := make([]float64, s.len())
	fitted := boost.Fitted{Trees: m.Trees, Base: m.Intercept}
	fitted.LogOdds(z, l.matrix, s.numbers())
	return z
}

// numbers lists the rows.
func (s span) numbers() []int32 {
	rows := make([]int32, s.len())
	for i := range rows {
		rows[i] = int32(s.lo + i)
	}
	return rows
}
