package forecast

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"

	"livelab/pipeline/dataset"
	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
	"livelab/runtime/loader"
)

// Why a station has no answer, beside what the rows say.
const (
	noModel = "no model about stations is in service"
	tooFar  = "its row is too far from anything that the model can weigh"
)

// forecastOf answers for all stations of a network. A nil model answers for none.
func forecastOf(rows *dataset.StationRows, by *loader.Loaded) (*Forecast, error) {
	f := &Forecast{
		Network: rows.Network, By: by, AsOf: rows.AsOf, WeatherAt: rows.WeatherAt,
		Stations: make([]Station, len(rows.Stations)), names: rows.Frame.Names(),
	}
	for _, name := range f.names {
		f.values = append(f.values, rows.Frame.Column(name))
	}
	for i := range f.Stations {
		f.Stations[i] = Station{Station: rows.Stations[i], State: rows.States[i], ChangedAt: rows.ChangedAt[i], Missing: rows.Missing[i]}
	}
	if by == nil {
		f.withoutModel()
		return f, nil
	}
	if err := f.score(newScorer(by, f)); err != nil {
		return nil, err
	}
	f.rank()
	return f, nil
}

func (f *Forecast) withoutModel() {
	for i := range f.Stations {
		if s := &f.Stations[i]; s.Missing == "" {
			s.Missing = noModel
		}
	}
}

// score answers for every station that has a row.
func (f *Forecast) score(sc *scorer) error {
	for i := range f.Stations {
		s := &f.Stations[i]
		if s.Missing != "" {
			continue
		}
		if err := sc.score(s, i); err != nil {
			return err
		}
	}
	return nil
}

// rank orders the stations that have an answer. Of equally likely ones the
// first by ID comes first, so that the order is always the same.
func (f *Forecast) rank() {
	for i := range f.Stations {
		if f.Stations[i].Missing == "" {
			f.ByRisk = append(f.ByRisk, int32(i))
		}
	}
	slices.SortFunc(f.ByRisk, func(a, b int32) int {
		x, y := &f.Stations[a], &f.Stations[b]
		return cmp.Or(cmp.Compare(y.Probability, x.Probability), strings.Compare(x.ID, y.ID))
	})
	for rank, i := range f.ByRisk {
		f.Stations[i].Rank = rank + 1
	}
	f.Answered = len(f.ByRisk)
}

// scorer has a model answer for one station after another.
type scorer struct {
	by     *loader.Loaded
	from   [][]float64 // for each column of the model the values of all stations, nil where the rows have none
	values []float64   // of one station
	x      []float64   // the model's inputs
}

func newScorer(by *loader.Loaded, f *Forecast) *scorer {
	columns := by.Predictor.Columns()
	sc := &scorer{by: by, from: make([][]float64, len(columns)), values: make([]float64, len(columns)), x: make([]float64, len(by.Model.Inputs))}
	for i, name := range columns {
		if at := slices.Index(f.names, name); at >= 0 {
			sc.from[i] = f.values[at]
		}
	}
	return sc
}

// score answers for a station. That the model or one of its transforms has no
// answer for its row is kept with the station; the error is about more than
// that.
func (sc *scorer) score(s *Station, station int) error {
	for i, column := range sc.from {
		sc.values[i] = math.NaN()
		if column != nil && !math.IsInf(column[station], 0) {
			sc.values[i] = column[station]
		}
	}
	err := sc.by.Predictor.Vector(sc.x, sc.values)
	var refused *features.RowError
	if errors.As(err, &refused) {
		s.Missing = "the transform " + refused.Transform + " of the model refuses its row: " + refused.Reason
		return nil
	} else if err != nil {
		return err
	}
	logOdds := sc.by.Model.LogOdds(sc.x)
	if math.IsNaN(logOdds) || math.IsInf(logOdds, 0) {
		s.Missing = tooFar
		return nil
	}
	s.Probability = detmath.Sigmoid(logOdds)
	s.Short = sc.by.Model.Positive(s.Probability)
	s.Imputed = sc.by.Predictor.Imputed(sc.x, sc.values)
	return nil
}
