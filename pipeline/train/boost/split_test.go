package boost

import (
	"testing"

	"livelab/pipeline/model"
)

func TestRulesAllow(t *testing.T) {
	t.Parallel()
	r := rules{minRows: 3}
	for _, c := range []struct {
		rows, hessian uint64
		want          bool
	}{{3, leastHessian, true}, {2, leastHessian, false}, {3, leastHessian - 1, false}} {
		if got := r.allow(bin{hessianRows: c.hessian<<rowBits | c.rows}); got != c.want {
			t.Errorf("a leaf of %d rows with a hessian of %d is allowed: %v", c.rows, c.hessian, got)
		}
	}
}

// TestBestTakesTheFirst has several splits that gain the same.
func TestBestTakesTheFirst(t *testing.T) {
	t.Parallel()
	one := func(gradient int64) bin { return bin{gradient << 14, 4000<<rowBits | 10} }
	decided := bin{hessianRows: 10} // rows that are of no account
	for _, c := range []struct {
		name        string
		sums        []bin
		edge        int
		missingLeft bool
	}{
		{"missing on either side", []bin{decided, one(1), one(-1)}, 0, false},
		{"symmetric", []bin{{}, one(1), one(0), one(1)}, 0, false},
		{"codes that no row has", []bin{{}, one(1), {}, {}, one(-1)}, 0, true},
		{"missing alone", []bin{one(1), one(-1), {}}, 0, false},
	} {
		var all bin
		for _, b := range c.sums {
			all = all.plus(b)
		}
		s := rules{minRows: 10}.best(7, c.sums, all)
		if s.gain <= 0 || s.k != 7 || s.edge != c.edge || s.missingLeft != c.missingLeft {
			t.Errorf("%s: split %+v", c.name, s)
		}
	}
}

func TestTreesThatGainNothingAreNotKept(t *testing.T) {
	t.Parallel()
	y := []bool{true, false, false}
	w := newWatch(Matrix{}, y, rowsOf(0, 3), -0.5, 1)
	w.add(&model.Tree{Input: []int{model.Leaf}, Value: []float64{0}})
	if w.best != 0 || w.trees != 1 || w.losses[1] != w.losses[0] {
		t.Errorf("after a tree of nothing the best is %d, losses %v", w.best, w.losses)
	}
}
