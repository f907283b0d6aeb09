package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// TestResampledScoresAreThoseOfTheRows writes each resample out row by row and
// evaluates it the plain way.
func TestResampledScoresAreThoseOfTheRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		proba, outcome := drawForecasts(t)
		at := make([]int64, len(proba))
		for i := 1; i < len(at); i++ {
			at[i] = at[i-1] + int64(rapid.IntRange(0, secondsPerDay).Draw(t, "gap"))
		}
		const threshold = 0.35
		r := NewResampler(at, 20, 7)
		got := r.Scores(proba, outcome, threshold)
		for k, times := range r.drawn {
			var p []float64
			var y []bool
			for i, d := range r.day {
				for range times[d] {
					p, y = append(p, proba[i]), append(y, outcome[i])
				}
			}
			want := Evaluate(p, y, threshold)
			for _, s := range []struct {
				name string
				got  float64
				want Score
			}{
				{"F1", got.f1[k], want.F1}, {"PR-AUC", got.prAUC[k], want.PRAUC}, {"ROC-AUC", got.rocAUC[k], want.ROCAUC},
				{"Brier", got.brier[k], want.Brier}, {"ECE", got.ece[k], want.ECE},
			} {
				if math.IsNaN(s.got) != math.IsNaN(float64(s.want)) || math.Abs(s.got-float64(s.want)) > 1e-12 {
					t.Fatalf("resample %d: %s is %v, its rows give %v", k, s.name, s.got, s.want)
				}
			}
		}
	})
}

// city makes n days of hourly rows whose risk is the day's own, and two
// forecasters of it, the second with noise of its own.
func city(n int, seed uint64) (at []int64, outcome []bool, good, worse []float64) {
	r := rand.New(rand.NewPCG(seed, 1))
	for d := range n {
		day := r.NormFloat64()
		for h := range 24 {
			z := day + 2*math.Sin(float64(h)*math.Pi/12) - 0.5
			at = append(at, int64(d)*secondsPerDay+int64(h)*3600)
			outcome = append(outcome, r.Float64() < 1/(1+math.Exp(-z)))
			good = append(good, 1/(1+math.Exp(-z)))
			worse = append(worse, 1/(1+math.Exp(-z-r.NormFloat64())))
		}
	}
	return at, outcome, good, worse
}

func TestIntervalsAgreeWithBootstrapDays(t *testing.T) {
	t.Parallel()
	at, outcome, good, worse := city(30, 3)
	r := NewResampler(at, 400, 42)
	a, b := r.Scores(good, outcome, 0.5), r.Scores(worse, outcome, 0.5)
	rows := SquaredErrors(good, outcome)
	check := func(name string, got Interval) {
		low, high := BootstrapDays(at, rows, 400, 42)
		if math.Abs(float64(got.Low)-low) > 1e-12 || math.Abs(float64(got.High)-high) > 1e-12 {
			t.Errorf("%s: got %v, BootstrapDays gives [%v, %v]", name, got, low, high)
		}
	}
	check("Brier", a.Intervals().Brier)
	for i, other := range SquaredErrors(worse, outcome) {
		rows[i] -= other
	}
	check("difference of Brier", a.Over(b).Brier)
	if apart := a.Over(b).Brier; !(apart.High < 0) {
		t.Errorf("the paired interval %v does not see the better one", apart)
	}
	if one, two := a.Intervals().Brier, b.Intervals().Brier; !(one.High > two.Low) {
		t.Errorf("the intervals %v and %v alone already tell them apart: the test shows nothing", one, two)
	}
}

// TestIntervalsCover makes many samples of one world and counts how often the
// interval has the world's own score. With 40 days percentile intervals cover
// a little under 95 %.
func TestIntervalsCover(t *testing.T) {
	t.Parallel()
	_, outcome, good, _ := city(20_000, 99)
	world := Evaluate(good, outcome, 0.5)
	const samples = 300
	covered := make(map[string]int)
	for k := range samples {
		at, outcome, good, _ := city(40, uint64(1000+k))
		i := NewResampler(at, 300, 5).Scores(good, outcome, 0.5).Intervals()
		for _, s := range []struct {
			name  string
			got   Interval
			truth Score
		}{
			{"F1", i.F1, world.F1}, {"PR-AUC", i.PRAUC, world.PRAUC}, {"ROC-AUC", i.ROCAUC, world.ROCAUC}, {"Brier", i.Brier, world.Brier},
		} {
			if s.got.Low <= s.truth && s.truth <= s.got.High {
				covered[s.name]++
			}
		}
	}
	for _, name := range []string{"F1", "PR-AUC", "ROC-AUC", "Brier"} {
		if share := float64(covered[name]) / samples; share < 0.90 || share > 0.985 {
			t.Errorf("%s: %.3f of the intervals have the truth, want about 0.95", name, share)
		}
	}
}

func TestIntervalsUndefined(t *testing.T) {
	t.Parallel()
	day := int64(secondsPerDay)
	tests := []struct {
		name    string
		at      []int64
		proba   []float64
		outcome []bool
		brier   bool // whether it is defined
		prAUC   bool
	}{
		{"no rows", nil, nil, nil, false, false},
		{"one day", []int64{0, 60}, []float64{0.1, 0.9}, []bool{false, true}, false, false},
		{"not a probability", []int64{0, day}, []float64{0.1, 2}, []bool{false, true}, false, false},
		{"a positive on one of two days", []int64{0, day}, []float64{0.1, 0.9}, []bool{false, true}, true, false},
		{"positives on both days", []int64{0, day}, []float64{0.1, 0.9}, []bool{true, true}, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := NewResampler(tt.at, 200, 1).Scores(tt.proba, tt.outcome, 0.5).Intervals()
			if defined := !math.IsNaN(float64(got.Brier.Low)); defined != tt.brier {
				t.Errorf("Brier: %v", got.Brier)
			}
			if defined := !math.IsNaN(float64(got.PRAUC.High)); defined != tt.prAUC {
				t.Errorf("PR-AUC: %v", got.PRAUC)
			}
		})
	}
}

func TestSampleIntervals(t *testing.T) {
	t.Parallel()
	at, outcome, good, worse := city(30, 8)
	s := Sample{At: at, Outcome: outcome, ShortNow: outcome, Model: good, Climatology: worse}
	b := s.Intervals(0.5, 0.4, 200, 1)
	scores, base := s.Scores(0.5), s.Baselines(0.4)
	for _, c := range []struct {
		name  string
		got   Interval
		value Score
	}{
		{"model", b.Model.F1, scores.F1},
		{"always short", b.AlwaysShort.Brier, base.AlwaysShort.Brier},
		{"climatology", b.Climatology.F1, base.Climatology.F1},
		{"over climatology", b.OverClimatology.PRAUC, scores.PRAUC - base.Climatology.PRAUC},
		{"over persistence", b.OverPersistence.Brier, scores.Brier - base.Persistence.Brier},
	} {
		if !(c.got.Low < c.value && c.value < c.got.High) {
			t.Errorf("%s: %v is outside %v", c.name, c.value, c.got)
		}
	}
	if b.Persistence.F1 != (Interval{1, 1}) {
		t.Errorf("persistence knows all here, its F1 is %v", b.Persistence.F1)
	}
}

func BenchmarkIntervals(b *testing.B) {
	for _, rows := range []int{40_000, 400_000} {
		b.Run(fmt.Sprintf("rows=%d,resamples=500", rows), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			at, proba, outcome := make([]int64, rows), make([]float64, rows), make([]bool, rows)
			for i := range at {
				at[i] = int64(i) * 60 * secondsPerDay / int64(rows)
				proba[i] = math.Pow(r.Float64(), 8)
				outcome[i] = r.Float64() < proba[i]
			}
			for b.Loop() {
				NewResampler(at, 500, 1).Scores(proba, outcome, 0.3).Intervals()
			}
		})
	}
}
