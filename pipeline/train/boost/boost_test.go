package boost

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"livelab/pipeline/detmath"
	"livelab/pipeline/model"
	"livelab/pipeline/train/traintest"
)

func TestRefuses(t *testing.T) {
	t.Parallel()
	x, y := traintest.Curved(6).Matrix(200)
	m := coded(x, 20)
	same := func(v bool) []bool {
		y := make([]bool, 200)
		for i := range y {
			y[i] = v
		}
		return y
	}
	for _, c := range []struct {
		name string
		y    []bool
		rows []int32
		opts Options
		want string
	}{
		{"no positive row", same(false), rowsOf(0, 200), Options{}, "0 of 200 rows to train on are positive, need some of both classes"},
		{"no negative row", same(true), rowsOf(0, 200), Options{}, "200 of 200 rows"},
		{"no rows", y, nil, Options{}, "0 of 0 rows"},
		{"trees", y, rowsOf(0, 200), Options{Trees: -1}, "-1 trees"},
		{"rate", y, rowsOf(0, 200), Options{LearningRate: 2}, "learning rate is 2"},
		{"rate NaN", y, rowsOf(0, 200), Options{LearningRate: math.NaN()}, "learning rate is NaN"},
		{"leaves", y, rowsOf(0, 200), Options{Leaves: 1}, "1 leaves"},
		{"rows a leaf", y, rowsOf(0, 200), Options{MinRows: -1}, "-1 rows a leaf"},
		{"penalty", y, rowsOf(0, 200), Options{L2: math.Inf(1)}, "L2 is +Inf"},
		{"columns", y, rowsOf(0, 200), Options{Columns: 1.5}, "share of 1.5"},
		{"patience", y, rowsOf(0, 200), Options{Patience: -2}, "patience of -2"},
	} {
		_, err := Fit(t.Context(), m, c.y, c.rows, nil, c.opts)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := Fit(t.Context(), Matrix{}, y, rowsOf(0, 200), nil, Options{}); err == nil || !strings.Contains(err.Error(), "no inputs") {
		t.Errorf("without inputs: %v", err)
	}
}

func TestCancelledBetweenTrees(t *testing.T) {
	t.Parallel()
	x, y := traintest.Curved(6).Matrix(500)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Fit(ctx, coded(x, 20), y, rowsOf(0, 500), nil, Options{Progress: func(p Progress) {
		if p.Trees > 3 {
			t.Errorf("went on to tree %d", p.Trees)
		}
		if p.Trees == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "after 3 trees") {
		t.Errorf("error %v", err)
	}
}

// TestNothingToSplit has inputs that tell nothing: the forecast is the share
// of positive rows.
func TestNothingToSplit(t *testing.T) {
	t.Parallel()
	const n = 300
	x := [][]float64{make([]float64, n), make([]float64, n)}
	y := make([]bool, n)
	for i := range y {
		x[1][i], y[i] = math.NaN(), i%4 == 0
	}
	for _, share := range []float64{1, 0.5} {
		m := coded(x, 20)
		f, err := Fit(t.Context(), m, y, rowsOf(0, 200), rowsOf(200, n), Options{Columns: share})
		if err != nil {
			t.Fatal(err)
		}
		z := make([]float64, 1)
		f.LogOdds(z, m, rowsOf(7, 8))
		if len(f.Trees.Trees) != 0 || len(f.Losses) != 1 || detmath.Sigmoid(z[0]) != 0.25 {
			t.Errorf("%d trees, %d losses, probability %v", len(f.Trees.Trees), len(f.Losses), detmath.Sigmoid(z[0]))
		}
	}
}

func TestSeparable(t *testing.T) {
	t.Parallel()
	const n = 1000
	x, y := [][]float64{make([]float64, n)}, make([]bool, n)
	for i := range y {
		x[0][i], y[i] = float64(i), i >= 700
	}
	m := coded(x, MostEdges)
	f, err := Fit(t.Context(), m, y, rowsOf(0, n), nil, Options{Trees: 300, L2: 1e-9, MinRows: 1})
	if err != nil {
		t.Fatal(err)
	}
	z := make([]float64, n)
	f.LogOdds(z, m, rowsOf(0, n))
	for i, v := range z {
		if math.IsNaN(v) || math.Abs(v) > 50 {
			t.Fatalf("the log odds of row %d are %v", i, v)
		}
		if right := v > 0 == y[i]; !right && (i < 696 || i > 703) {
			t.Fatalf("row %d has log odds %v, outcome %v", i, v, y[i])
		}
	}
}

func TestTreesHoldTogether(t *testing.T) {
	t.Parallel()
	const n = 3000
	x, y := traintest.Curved(9).Matrix(n)
	o := Options{Trees: 20, Leaves: 12, MinRows: 70}
	f, err := Fit(t.Context(), coded(x, 60), y, rowsOf(0, n), nil, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Trees.Trees) != o.Trees {
		t.Fatalf("%d trees, want %d", len(f.Trees.Trees), o.Trees)
	}
	for i, tree := range f.Trees.Trees {
		leaves := 0
		for node, input := range tree.Input {
			if input == model.Leaf {
				leaves++
				if tree.Rows[node] < o.MinRows {
					t.Errorf("tree %d: leaf %d has %d rows", i, node, tree.Rows[node])
				}
				continue
			}
			l, r := tree.Left[node], tree.Right[node]
			if l <= node || r <= node || tree.Rows[l]+tree.Rows[r] != tree.Rows[node] || tree.Value[node] != 0 {
				t.Errorf("tree %d: node %d of %d rows has the children %d and %d of %d and %d", i, node, tree.Rows[node], l, r, tree.Rows[l], tree.Rows[r])
			}
		}
		if tree.Rows[0] != n || leaves != o.Leaves {
			t.Errorf("tree %d has %d rows and %d leaves", i, tree.Rows[0], leaves)
		}
	}
}

// TestStopsEarly overfits: the validation part must say when to stop, and the
// trees after the best are not kept.
func TestStopsEarly(t *testing.T) {
	t.Parallel()
	const n, validation = 1500, 500
	x, y := traintest.Curved(6).Matrix(n)
	m := coded(x, MostEdges)
	var told []Progress
	o := Options{Trees: 400, LearningRate: 0.3, MinRows: 2, L2: 1e-9, Patience: 9, Progress: func(p Progress) { told = append(told, p) }}
	f, err := Fit(t.Context(), m, y, rowsOf(0, n-validation), rowsOf(n-validation, n), o)
	if err != nil {
		t.Fatal(err)
	}
	best := slices.Index(f.Losses, slices.Min(f.Losses))
	if len(f.Trees.Trees) != best || best == 0 || len(f.Losses) != 1+best+o.Patience {
		t.Errorf("keeps %d trees; the best of %d losses is after %d", len(f.Trees.Trees), len(f.Losses), best)
	}
	last := told[len(told)-1]
	if len(told) != best+o.Patience || last != (Progress{best + o.Patience, 400, best, f.Losses[len(f.Losses)-1]}) {
		t.Errorf("told %d times, at last %+v", len(told), last)
	}
	if got := meanLoss(f, m, y, n-validation, n); math.Abs(got-f.Losses[best]) > 1e-8 {
		t.Errorf("the kept trees have a loss of %v, was %v", got, f.Losses[best])
	}
	// Fewer trees are the same trees.
	o.Trees, o.Progress = 3, nil
	few, err := Fit(t.Context(), m, y, rowsOf(0, n-validation), rowsOf(n-validation, n), o)
	if err != nil {
		t.Fatal(err)
	}
	compareTrees(t, few.Trees, &model.Trees{Trees: f.Trees.Trees[:3]})
}

func meanLoss(f *Fitted, m Matrix, y []bool, lo, hi int) float64 {
	z := make([]float64, hi-lo)
	f.LogOdds(z, m, rowsOf(lo, hi))
	sum := 0.0
	for i, v := range z {
		if y[lo+i] {
			v = -v
		}
		sum += detmath.Softplus(v)
	}
	return sum / float64(len(z))
}

// TestOrderOfRows shuffles the rows of the matrix, of the training and of the
// validation.
func TestOrderOfRows(t *testing.T) {
	t.Parallel()
	const n = 12_000
	x, y := traintest.Curved(9).Matrix(n)
	o := Options{Trees: 12, Columns: 0.6}
	want, err := Fit(t.Context(), coded(x, 60), y, rowsOf(0, 9000), rowsOf(9000, n), o)
	if err != nil {
		t.Fatal(err)
	}
	place := rand.New(rand.NewPCG(3, 4)).Perm(n)
	shuffledX, shuffledY := make([][]float64, len(x)), make([]bool, n)
	for j := range x {
		shuffledX[j] = make([]float64, n)
		for i, v := range x[j] {
			shuffledX[j][place[i]] = v
		}
	}
	var rows []int32
	for i, p := range place {
		shuffledY[p] = y[i]
		rows = append(rows, int32(p))
	}
	got, err := Fit(t.Context(), coded(shuffledX, 60), shuffledY, rows[:9000], rows[9000:], o)
	if err != nil {
		t.Fatal(err)
	}
	compareTrees(t, got.Trees, want.Trees)
	if !slices.Equal(got.Losses, want.Losses) {
		t.Errorf("losses %v, want %v", got.Losses, want.Losses)
	}
}
