package metrics

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// Interval is the 95 % interval of a score over resampled days. Both ends are
// NaN where there is none.
type Interval struct {
	Low  Score `json:"low"`
	High Score `json:"high"`
}

// Intervals go with Scores, or with the differences of two forecasters'.
type Intervals struct {
	F1     Interval `json:"f1"`
	PRAUC  Interval `json:"pr_auc"`
	ROCAUC Interval `json:"roc_auc"`
	Brier  Interval `json:"brier"`
	ECE    Interval `json:"ece"`
}

// Resampler holds days drawn with replacement from those of some rows, as
// BootstrapDays draws them: how often each day is in each resample. Whatever
// is measured with one Resampler is measured on the same resamples, so that
// differences are paired. It does not change and is safe for concurrent use.
type Resampler struct {
	day   []int32    // of each row, counted from 0 without gaps
	days  int        // how many there are
	drawn [][]uint16 // of each resample, how often it has each day
}

// NewResampler draws n resamples of the UTC days of rows. at holds the rows'
// Unix seconds, ascending. The draws depend on nothing but the arguments, and
// are those of BootstrapDays.
func NewResampler(at []int64, n int, seed uint64) *Resampler {
	r := &Resampler{day: make([]int32, len(at))}
	var last int64
	for i, t := range at {
		if d := floorDiv(t, secondsPerDay); i == 0 || d != last {
			r.days++
			last = d
		}
		r.day[i] = int32(r.days - 1)
	}
	if r.days < 2 || r.days > math.MaxUint16 {
		return r
	}
	source := rand.NewPCG(seed, 0)
	for range n {
		times := make([]uint16, r.days)
		for range r.days {
			times[below(source, r.days)]++
		}
		r.drawn = append(r.drawn, times)
	}
	return r
}

// Resampled holds the scores of one forecaster on each resample.
type Resampled struct {
	f1, prAUC, rocAUC, brier, ece []float64
}

// Scores measures a forecaster on each resample: its probability for each row,
// the outcomes, and the threshold from which it calls a row positive. The
// rows are sorted once; a resample then takes one walk over them.
func (r *Resampler) Scores(proba []float64, outcome []bool, threshold float64) Resampled {
	mustMatch(len(proba), len(r.day))
	mustMatch(len(proba), len(outcome))
	n := len(r.drawn)
	s := Resampled{
		f1: make([]float64, n), prAUC: make([]float64, n), rocAUC: make([]float64, n),
		brier: make([]float64, n), ece: make([]float64, n),
	}
	if n == 0 || !probabilities(proba) {
		return Resampled{}
	}
	cells := r.cells(proba, outcome)
	sums := r.sums(proba, outcome, threshold)
	inParallel(n, func(i int) {
		s.prAUC[i], s.rocAUC[i] = areas(cells, r.drawn[i])
		s.f1[i], s.brier[i], s.ece[i] = losses(sums, r.drawn[i])
	})
	return s
}

// Intervals of the scores themselves.
func (s Resampled) Intervals() Intervals { return s.intervals(Resampled{}) }

// Over gives the intervals of s less those of other, resample by resample. The
// two must come from one Resampler.
func (s Resampled) Over(other Resampled) Intervals {
	mustMatch(len(s.f1), len(other.f1))
	return s.intervals(other)
}

func (s Resampled) intervals(other Resampled) Intervals {
	return Intervals{
		F1:     interval(s.f1, other.f1),
		PRAUC:  interval(s.prAUC, other.prAUC),
		ROCAUC: interval(s.rocAUC, other.rocAUC),
		Brier:  interval(s.brier, other.brier),
		ECE:    interval(s.ece, other.ece),
	}
}

// interval is the percentile interval of the xs, less the ys where there are
// any. Resamples that do not define it, such as those without a positive, are
// left out; there is no interval where they are more than one in twenty.
func interval(xs, ys []float64) Interval {
	var defined []float64
	for i, x := range xs {
		if ys != nil {
			x -= ys[i]
		}
		if !math.IsNaN(x) {
			defined = append(defined, x)
		}
	}
	if len(defined) == 0 || (len(xs)-len(defined))*20 > len(xs) {
		return Interval{Score(math.NaN()), Score(math.NaN())}
	}
	slices.Sort(defined)
	return Interval{Score(quantile(defined, 0.025)), Score(quantile(defined, 0.975))}
}

// inParallel calls do with 0 to n-1 on all cores, in any order.
func inParallel(n int, do func(int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				do(i)
			}
		})
	}
	wg.Wait()
}
