package server

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/runtime/loader"
)

// served is a loaded model with what answering with it needs again and again.
type served struct {
	*loader.Loaded
	schema *schema

	// negatives and positives count the answers.
	negatives, positives prometheus.Counter
}

// schema is what a row may give to a model, by column.
type schema struct {
	columns  []string       // sorted
	fields   []string       // for each column, its path in a request
	index    map[string]int // column by name
	required []int          // columns
	least    []float64      // for each column, see features.Bounds
	greatest []float64
}

func newSchema(p *model.Predictor) *schema {
	sc := &schema{columns: p.Columns(), index: make(map[string]int)}
	for i, name := range sc.columns {
		sc.fields = append(sc.fields, "features."+name)
		sc.index[name] = i
		least, greatest := features.Bounds(name)
		sc.least, sc.greatest = append(sc.least, least), append(sc.greatest, greatest)
	}
	for _, name := range p.Required() {
		sc.required = append(sc.required, sc.index[name])
	}
	return sc
}

// isRequired reports whether a row must give the column.
func (sc *schema) isRequired(column int) bool { return slices.Contains(sc.required, column) }

// served gives the model in service. It is a *Problem where there is none.
func (s *Server) served() (*served, error) {
	current := s.deps.Models.Current()
	if current == nil {
		return nil, s.noModel()
	}
	if v := s.latest.Load(); v != nil && v.Loaded == current {
		return v, nil
	}
	v := &served{
		Loaded:    current,
		schema:    newSchema(current.Predictor),
		negatives: s.metrics.predictions.WithLabelValues("0", current.Version),
		positives: s.metrics.predictions.WithLabelValues("1", current.Version),
	}
	s.latest.Store(v)
	return v, nil
}
