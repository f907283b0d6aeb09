package server

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/runtime/loader"
)

// served is a loaded model with what answering with it needs again and again.
type served struct {
	*loader.Loaded
	schema *schema
	facts  []byte // the part of every answer that is about the model

	// negatives and positives count the answers.
	negatives, positives prometheus.Counter
}

// schema is what a row may give to a model, by column.
type schema struct {
	columns  []string       // sorted
	index    map[string]int // column by name
	required []int          // columns
	least    []float64      // for each column, see features.Bounds
	greatest []float64
}

func newSchema(p *model.Predictor) *schema {
	sc := &schema{columns: p.Columns(), index: make(map[string]int)}
	for i, name := range sc.columns {
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

// order lists the columns as clients see them: the required ones first, in
// their order, then the others by name.
func (sc *schema) order() []int {
	order := slices.Clone(sc.required)
	for column := range sc.columns {
		if !sc.isRequired(column) {
			order = append(order, column)
		}
	}
	return order
}

// names of columns.
func (sc *schema) names(columns []int) []string {
	names := make([]string, 0, len(columns))
	for _, column := range columns {
		names = append(names, sc.columns[column])
	}
	return names
}

// served gives the model that the classic surface answers with. It is a
// *Problem where there is none.
func (s *Server) served() (*served, error) {
	current := s.deps.Models.Current()
	if current == nil {
		return nil, s.noModel()
	}
	return s.servedOf(current), nil
}

// servedOf gives what answering with a loaded model needs, which is made once
// for as long as the model is in service.
func (s *Server) servedOf(l *loader.Loaded) *served {
	if v := s.prepared.find(l); v != nil {
		return v
	}
	return s.prepared.add(s.newServed(l), s.inService)
}

func (s *Server) newServed(l *loader.Loaded) *served {
	return &served{
		Loaded:    l,
		schema:    newSchema(l.Predictor),
		facts:     modelFacts(l),
		negatives: s.metrics.predictions.WithLabelValues("0", l.Version),
		positives: s.metrics.predictions.WithLabelValues("1", l.Version),
	}
}

// inService reports whether new requests may find the model.
func (s *Server) inService(l *loader.Loaded) bool {
	if l == s.deps.Models.Current() {
		return true
	}
	if s.deps.Repository == nil {
		return false
	}
	now, err := s.deps.Repository.Find(l.Model.Name, l.Version)
	return err == nil && now == l
}

// servedModels remembers what was made for each model. Finding takes no lock.
// The zero value is ready for use.
type servedModels struct {
	turn sync.Mutex // to add
	all  atomic.Pointer[map[*loader.Loaded]*served]
}

func (m *servedModels) find(l *loader.Loaded) *served {
	if all := m.all.Load(); all != nil {
		return (*all)[l]
	}
	return nil
}

// add remembers v, or gives what another request was quicker to add. It
// forgets all that went out of service by now, so that what is remembered has
// a bound.
func (m *servedModels) add(v *served, inService func(*loader.Loaded) bool) *served {
	m.turn.Lock()
	defer m.turn.Unlock()
	if other := m.find(v.Loaded); other != nil {
		return other
	}
	next := map[*loader.Loaded]*served{v.Loaded: v}
	if all := m.all.Load(); all != nil {
		for l, other := range *all {
			if inService(l) {
				next[l] = other
			}
		}
	}
	m.all.Store(&next)
	return v
}
