package shadow

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
	"livelab/runtime/loader"
	"livelab/runtime/predlog"
)

// worker scores one offer after the other.
type worker struct {
	metrics *shadowMetrics
	bound   *binding
	batch   []predlog.Prediction
	flat    []float64 // the features of the batch
}

// empty makes room for the next batch.
func (w *worker) empty() {
	clear(w.batch)
	w.batch, w.flat = w.batch[:0], w.flat[:0]
}

// binding is how a challenger reads rows with certain names.
type binding struct {
	by       *loader.Loaded
	names    []string
	columns  []string // of the challenger
	from     []int    // for each column, which of the names it is, or -1
	required []bool   // for each column, whether no answer is given without it
	x        []float64
	counts   counts
}

func (w *worker) bind(o *offer) *binding {
	if b := w.bound; b != nil && b.by == o.by && slices.Equal(b.names, o.names) {
		return b
	}
	p := o.by.Predictor
	b := &binding{
		by: o.by, names: slices.Clone(o.names), columns: p.Columns(),
		x: make([]float64, len(p.Model.Inputs)), counts: w.metrics.of(o.by.Version),
	}
	for i, name := range b.columns {
		b.from = append(b.from, slices.Index(b.names, name))
		b.required = append(b.required, slices.Contains(p.Required(), name) && p.Needs(i))
	}
	w.bound = b
	return b
}

// score adds the challenger's prediction to the batch. Where it has none, that
// is counted: a client would have been refused.
func (w *worker) score(o *offer) {
	b := w.bind(o)
	start := time.Now()
	values := w.values(b, o)
	logOdds, err := b.logOdds(values)
	if err != nil {
		w.flat = w.flat[:len(w.flat)-len(values)]
		b.counts.failed(err)
		return
	}
	m := o.by.Model
	p := o.served
	p.ID, p.Role = paired(p.ID), predlog.Shadow
	p.Version, p.Digest = o.by.Version, o.by.Digest
	p.Features = predlog.Features{Names: b.columns, Values: values}
	p.Probability = detmath.Sigmoid(logOdds)
	p.Positive = m.Positive(p.Probability)
	p.Threshold, p.HorizonHours = m.Threshold, m.Task.Horizon().Hours()
	p.Latency = time.Since(start)
	w.batch = append(w.batch, p)
	b.counts.scored(&o.served, &p)
}

// values gives each of the challenger's columns: as the model in service had
// it, else as it is stored, else NaN.
func (w *worker) values(b *binding, o *offer) []float64 {
	at := len(w.flat)
	for i, name := range b.columns {
		v := math.NaN()
		if from := b.from[i]; from >= 0 {
			v = o.values[from]
		} else if stored, ok := o.row[name]; ok && !math.IsInf(stored, 0) {
			v = stored
		}
		w.flat = append(w.flat, v)
	}
	return w.flat[at:len(w.flat):len(w.flat)]
}

// Why a challenger has no answer.
var (
	errMissing = errors.New("a required value is missing")
	errTooFar  = errors.New("the values are beyond the model")
)

func (b *binding) logOdds(values []float64) (float64, error) {
	for i, required := range b.required {
		if required && math.IsNaN(values[i]) {
			return 0, errMissing
		}
	}
	if err := b.by.Predictor.Vector(b.x, values); err != nil {
		return 0, fmt.Errorf("make the inputs: %w", err)
	}
	z := b.by.Model.LogOdds(b.x)
	if math.IsNaN(z) || math.IsInf(z, 0) {
		return 0, errTooFar
	}
	return z, nil
}

// reason of an error, as it is counted.
func reason(err error) string {
	switch {
	case errors.Is(err, errMissing):
		return "missing"
	case errors.Is(err, errTooFar):
		return "too_far"
	case errors.As(err, new(*features.RowError)):
		return "transform"
	}
	return "other"
}

// paired gives the ID of the shadow's prediction from that of the one that was
// served, and back: they differ in the last bit, so that the two are found by
// each other also where a request asked for many. It is empty for what is no
// UUID, and the log finds an ID of its own.
func paired(id string) string {
	if len(id) != 36 {
		return ""
	}
	other := []byte(id)
	digit, ok := flipped(other[35])
	if !ok {
		return ""
	}
	other[35] = digit
	return string(other)
}

// flipped changes the last bit of a hexadecimal digit.
func flipped(digit byte) (byte, bool) {
	const digits = "0123456789abcdef"
	for i := range len(digits) {
		if digits[i] == digit {
			return digits[i^1], true
		}
	}
	return 0, false
}
