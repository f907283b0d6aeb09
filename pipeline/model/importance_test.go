package model

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// TestImportance takes more rows than are summed up at a time, and a part of
// them.
func TestImportance(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	trees := randomModel(r, 6, 10, 15)
	logistic := testModel()
	for _, m := range []*Model{trees, logistic} {
		columns, want := make([][]float64, 6), make([]float64, 6)
		const rows = 2*importanceChunk + 7
		for range rows {
			x := randomRow(r, trees.Trees)
			adds := make([]float64, 6)
			m.Contributions(adds, x)
			for i := range x {
				columns[i] = append(columns[i], x[i])
				want[i] += math.Abs(adds[i]) / rows
			}
		}
		got := m.Importance(columns)
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-9*want[i] || got[i] == 0 {
				t.Errorf("family %q: input %d has importance %v, want %v", m.Family, i, got[i], want[i])
			}
		}
		before := runtime.GOMAXPROCS(1)
		if alone := m.Importance(columns); !slices.Equal(alone, got) {
			t.Errorf("family %q: on one core importance is %v, on several %v", m.Family, alone, got)
		}
		runtime.GOMAXPROCS(before)
	}
	if got := logistic.Importance(make([][]float64, 6)); !slices.Equal(got, make([]float64, 6)) {
		t.Errorf("over no rows importance is %v", got)
	}
}
