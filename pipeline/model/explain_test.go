package model

import (
	"math"
	"slices"
	"strings"
	"testing"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
)

// fromPast is a transform of a lag less the threshold.
var fromPast = featurestest.New("double", []string{"margin_lag_30m"}, []string{"free"}, double.Row)

// newPredictor binds the test model, with lags and yesterday as inputs too.
func newPredictor(t *testing.T, change func(*Model), ts ...features.Transform) *Predictor {
	t.Helper()
	m := testModel()
	for _, name := range []string{"margin_lag_30m", "margin_lag_60m", "margin_yesterday"} {
		m.Inputs = append(m.Inputs, Input{Name: name, Mean: 0.1, Scale: 0.1, Weight: 0.2, Optional: true})
	}
	if change != nil {
		change(m)
	}
	p, err := NewPredictor(m, ts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// only has the model read a single input.
func only(name string) func(*Model) {
	return func(m *Model) {
		m.Inputs = []Input{{Name: name, Mean: 0.1, Scale: 0.1, Weight: 0.2, Optional: true}}
		m.Transforms[0] = fromPast.Pin
	}
}

// without gives a value to all columns of a predictor but some.
func without(p *Predictor, missing ...string) []float64 {
	given := make(map[string]float64)
	for _, name := range p.Columns() {
		if !slices.Contains(missing, name) {
			given[name] = 0.25
		}
	}
	return row(p, given)
}

func vector(t *testing.T, p *Predictor, values []float64) []float64 {
	t.Helper()
	x := make([]float64, len(p.Model.Inputs))
	if err := p.Vector(x, values); err != nil {
		t.Fatal(err)
	}
	return x
}

// imputed lists the inputs that are explained as imputed.
func imputed(p *Predictor, x, values []float64) (names []string) {
	_, cs := p.Explain(x, values)
	for _, c := range cs {
		if c.Imputed {
			names = append(names, c.Input)
		}
	}
	return names
}

func TestImputed(t *testing.T) {
	t.Parallel()
	all := newPredictor(t, nil, double)
	noDefault := newPredictor(t, func(m *Model) { m.Defaults = nil }, double)
	output := newPredictor(t, only("double.free"), fromPast)
	outputNoDefault := newPredictor(t, func(m *Model) { only("double.free")(m); m.Defaults = nil }, fromPast)
	tests := []struct {
		name                    string
		p                       *Predictor
		missing                 string
		columns, inputs, absent string // absent inputs are NaN
	}{
		{"nothing", all, "", "", "", ""},
		{"a column that is not read", all, "free_bikes", "", "", ""},
		{"a plain column", all, "temp_2m", "temp_2m", "temp_2m", "temp_2m"},
		{"a lag has the present", all, "free_ratio_lag_30m", "free_ratio_lag_30m", "margin_lag_30m", ""},
		{"yesterday has the mean", all, "free_ratio_yesterday", "free_ratio_yesterday", "margin_yesterday", "margin_yesterday"},
		{"the threshold, once", all, "shortage_threshold", "shortage_threshold", "margin short_now margin_lag_30m margin_lag_60m margin_yesterday", ""},
		{"the threshold, without a default", noDefault, "shortage_threshold", "shortage_threshold",
			"margin short_now margin_lag_30m margin_lag_60m margin_yesterday", "margin short_now margin_lag_30m margin_lag_60m margin_yesterday"},
		{"the present, for which nothing stands in", all, "free_ratio", "free_ratio double.free",
			"free_ratio double.free margin short_now", "free_ratio double.free margin short_now"},
		{"several, in the order of the inputs", all, "climatology free_ratio_lag_60m shortage_threshold temp_2m",
			"temp_2m climatology shortage_threshold free_ratio_lag_60m", "temp_2m climatology margin short_now margin_lag_30m margin_lag_60m margin_yesterday", "temp_2m climatology"},
		{"what a transform reads, replaced", output, "free_ratio_lag_30m shortage_threshold", "free_ratio_lag_30m shortage_threshold", "double.free", ""},
		{"what a transform reads, missing", outputNoDefault, "shortage_threshold", "double.free", "double.free", "double.free"},
	}
	for _, tt := range tests {
		values := without(tt.p, strings.Fields(tt.missing)...)
		x := vector(t, tt.p, values)
		if got := tt.p.Imputed(x, values); got == nil || strings.Join(got, " ") != tt.columns {
			t.Errorf("%s: imputed are %q, want %q", tt.name, got, tt.columns)
		}
		if got := strings.Join(imputed(tt.p, x, values), " "); got != tt.inputs {
			t.Errorf("%s: explained as imputed are %q, want %q", tt.name, got, tt.inputs)
		}
		for i, in := range tt.p.Model.Inputs {
			if absent := slices.Contains(strings.Fields(tt.absent), in.Name); math.IsNaN(x[i]) != absent {
				t.Errorf("%s: %s is %v", tt.name, in.Name, x[i])
			}
		}
	}
}

func TestImputedDoesNotAllocateWhereNothingIsMissing(t *testing.T) {
	p := newPredictor(t, nil, double)
	values := without(p)
	x := vector(t, p, values)
	if n := testing.AllocsPerRun(100, func() { p.Imputed(x, values) }); n != 0 {
		t.Errorf("it allocates %v times", n)
	}
}

func TestExplainSumsToLogOdds(t *testing.T) {
	t.Parallel()
	p := newPredictor(t, nil, double)
	values := row(p, map[string]float64{"free_ratio": 0.31, "climatology": 1e9})
	x := vector(t, p, values)
	sum, cs := p.Explain(x, values)
	for _, c := range cs {
		sum += c.LogOdds
	}
	if sum != p.Model.LogOdds(x) {
		t.Errorf("contributions sum to %v, the log odds are %v", sum, p.Model.LogOdds(x))
	}
	if c := cs[1]; !c.Imputed || c.Value != 10 || c.LogOdds != 0 {
		t.Errorf("a missing value is not explained by its mean: %+v", c)
	}
	if lag := cs[6]; !lag.Imputed || lag.Value != 0.31-0.375 || lag.LogOdds == 0 {
		t.Errorf("a missing lag is not explained by the present: %+v", lag)
	}
}
