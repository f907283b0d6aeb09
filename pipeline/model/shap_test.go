package model

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// known gives the mean answer of a tree where just some inputs are known, as
// bits: the definition, after Algorithm 1 of Lundberg et al. (2018).
func (t *Tree) known(edges [][]float64, x []float64, inputs uint, n int) float64 {
	in := t.Input[n]
	switch {
	case in == Leaf:
		return t.Value[n]
	case inputs&(1<<in) != 0:
		return t.known(edges, x, inputs, t.next(n, edges, x[in]))
	}
	l, r := t.Left[n], t.Right[n]
	return (float64(t.Rows[l])*t.known(edges, x, inputs, l) + float64(t.Rows[r])*t.known(edges, x, inputs, r)) / float64(t.Rows[n])
}

// shapley sums over all subsets of the inputs.
func shapley(t *Trees, x []float64) []float64 {
	n := len(x)
	value := make([]float64, 1<<n)
	for subset := range value {
		for i := range t.Trees {
			value[subset] += t.Trees[i].known(t.Edges, x, uint(subset), 0)
		}
	}
	values := make([]float64, n)
	for i := range values {
		for subset := range value {
			if subset&(1<<i) == 0 {
				s := bits.OnesCount(uint(subset))
				weight := math.Gamma(float64(s+1)) * math.Gamma(float64(n-s)) / math.Gamma(float64(n+1))
				values[i] += weight * (value[subset|1<<i] - value[subset])
			}
		}
	}
	return values
}

func TestContributionsAreShapleyValues(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	for range 60 {
		m := randomModel(r, 1+r.IntN(8), 1+r.IntN(5), 1+r.IntN(32))
		for range 5 {
			x := randomRow(r, m.Trees)
			got := make([]float64, len(x))
			base := m.Contributions(got, x)
			for i, want := range shapley(m.Trees, x) {
				if math.Abs(got[i]-want) > 1e-12 {
					t.Fatalf("input %d of %v adds %v, by the definition %v", i, x, got[i], want)
				}
			}
			want := m.Intercept
			for i := range m.Trees.Trees {
				want += m.Trees.Trees[i].known(m.Trees.Edges, x, 0, 0)
			}
			if math.Abs(base-want) > 1e-12 {
				t.Fatalf("the base is %v, by the definition %v", base, want)
			}
		}
	}
}

// TestContributionsByHand takes the second tree of treesModel alone, of one
// input: its contribution is the leaf less the mean.
func TestContributionsByHand(t *testing.T) {
	t.Parallel()
	m := treesModel()
	m.Trees.Trees = m.Trees.Trees[1:]
	adds := []float64{7, 7, 7} // of an explanation before
	base := m.Contributions(adds, []float64{nan, 0, nan})
	const mean = 0.6*0.25 - 0.4*0.5
	if math.Abs(base-(m.Intercept+mean)) > 1e-15 || math.Abs(adds[1]-(0.25-mean)) > 1e-15 || adds[0] != 0 || adds[2] != 0 {
		t.Errorf("the base is %v, the contributions %v", base, adds)
	}
}

// TestContributionsSum holds the sum where a model is as large as a training
// makes it, and where a tree is as deep and as lopsided as a file may hold.
func TestContributionsSum(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 8))
	large := randomModel(r, 40, 300, 31)
	deep := randomModel(r, 70, 1, 2)
	deep.Trees.Trees = []Tree{spine(r, deep.Trees.Edges, 1), spine(r, deep.Trees.Edges, 7)}
	for _, m := range []*Model{large, deep} {
		if err := m.Validate(); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			x := randomRow(r, m.Trees)
			adds := make([]float64, len(x))
			sum := m.Contributions(adds, x)
			most := math.Abs(sum)
			for _, a := range adds {
				sum += a
				most = max(most, math.Abs(a))
			}
			if want := m.LogOdds(x); !(math.Abs(sum-want) <= 1e-10*most) {
				t.Errorf("contributions sum to %v, the log odds are %v", sum, want)
			}
		}
	}
}

// spine is a chain as deep as may be, in which input number i·step is asked at
// depth i, and nearly all rows leave at once.
func spine(r *rand.Rand, edges [][]float64, step int) Tree {
	t := chain(MostDepth)
	for i := range t.Input {
		if t.Input[i] == Leaf {
			t.Value[i] = r.NormFloat64()
			continue
		}
		t.Input[i] = i / 2 * step % len(edges)
	}
	for i := len(t.Input) - 3; i >= 0; i -= 2 {
		t.Rows[t.Left[i]] = 1 << (20 - min(20, i/6))
		t.Rows[i] = t.Rows[t.Left[i]] + t.Rows[t.Right[i]]
	}
	return t
}

func TestQuadrature(t *testing.T) {
	t.Parallel()
	for n, rule := range rules() {
		for degree := range 2 * n {
			sum := 0.0
			for _, p := range rule {
				sum += p.weight * math.Pow(p.t, float64(degree))
			}
			if want := 1 / float64(degree+1); math.Abs(sum-want) > 1e-13 {
				t.Errorf("the rule of %d points integrates t^%d as %v, want %v", n, degree, sum, want)
			}
		}
	}
}

func TestExplainTrees(t *testing.T) {
	t.Parallel()
	p, err := NewPredictor(treesModel(), nil)
	if err != nil {
		t.Fatal(err)
	}
	values := row(p, map[string]float64{"temp_2m": 3, "climatology": 0.5})
	x := vector(t, p, values)
	sum, cs := p.Explain(x, values)
	for _, c := range cs {
		sum += c.LogOdds
	}
	if want := p.Model.LogOdds(x); math.Abs(sum-want) > 1e-12 {
		t.Errorf("contributions sum to %v, the log odds are %v", sum, want)
	}
	if c := cs[0]; !math.IsNaN(c.Value) || !c.Imputed || c.LogOdds == 0 {
		t.Errorf("what trees make of a missing value is not said: %+v", c)
	}
	if c := cs[1]; c.Value != 3 || c.Imputed {
		t.Errorf("a given value is explained as %+v", c)
	}
}

func BenchmarkTrees(b *testing.B) {
	r := rand.New(rand.NewPCG(9, 10))
	m := randomModel(r, 40, 300, 31)
	rows := make([][]float64, 256)
	for i := range rows {
		rows[i] = randomRow(r, m.Trees)
	}
	b.Run("LogOdds/trees=300", func(b *testing.B) {
		for i := range b.N {
			m.LogOdds(rows[i%len(rows)])
		}
	})
	b.Run("Decode/trees=300", func(b *testing.B) {
		file, err := Encode(m)
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := Decode(file); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("LogOddsOf/trees=300/rows=2000", func(b *testing.B) {
		columns, z := make([][]float64, len(m.Inputs)), make([]float64, 2000)
		for i := range z {
			for c, v := range rows[i%len(rows)] {
				columns[c] = append(columns[c], v)
			}
		}
		b.ResetTimer()
		for range b.N {
			m.LogOddsOf(z, columns)
		}
	})
	b.Run("Contributions/trees=300", func(b *testing.B) {
		adds := make([]float64, len(m.Inputs))
		for i := range b.N {
			m.Contributions(adds, rows[i%len(rows)])
		}
	})
}
