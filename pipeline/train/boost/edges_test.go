package boost

import (
	"math"
	"slices"
	"testing"
)

func TestNewEdges(t *testing.T) {
	t.Parallel()
	nan, inf, most := math.NaN(), math.Inf(1), math.MaxFloat64
	for _, c := range []struct {
		name   string
		sample []float64
		most   int
		want   []float64
	}{
		{"nothing", nil, 10, nil},
		{"all missing", []float64{nan, nan}, 10, nil},
		{"one value", []float64{3, 3}, 10, nil},
		{"one value or missing", []float64{3, nan}, 10, []float64{most}},
		{"few values", []float64{2, 0, 1, 1}, 10, []float64{0.5, 1.5}},
		{"few values, some missing", []float64{2, 0, nan, 1}, 10, []float64{0.5, 1.5, most}},
		{"as many values as bins", []float64{0, 1, 2}, 2, []float64{0.5, 1.5}},
		{"halves", []float64{1, 2, 3, 4}, 1, []float64{2.5}},
		{"a frequent value has its own", []float64{1, 2, 3, 5, 5, 5, 5, 5, 5, 7, 8, 9}, 2, []float64{4, 6}},
		{"neighbours", []float64{1, math.Nextafter(1, 2)}, 10, []float64{1}},
		{"far apart", []float64{-most, most}, 10, []float64{0}},
		{"infinite", []float64{-inf, 0, inf}, 10, []float64{-most, 0}},
		{"infinite, some missing", []float64{-inf, 0, inf, nan}, 10, []float64{-most, 0, most}},
		{"room for none", []float64{1, 2}, 0, nil},
	} {
		if got := NewEdges(c.sample, c.most); !slices.Equal(got, c.want) {
			t.Errorf("%s: edges %v, want %v", c.name, got, c.want)
		}
	}
}

func TestNewEdgesShareRows(t *testing.T) {
	t.Parallel()
	sample := make([]float64, 100_000)
	for i := range sample {
		sample[i] = math.Sqrt(float64(i))
	}
	edges := NewEdges(sample, MostEdges)
	if len(edges) != MostEdges {
		t.Fatalf("%d edges", len(edges))
	}
	counts := make([]int, bins)
	for _, x := range sample {
		counts[Code(edges, x)]++
	}
	if least, highest := slices.Min(counts[1:]), slices.Max(counts[1:]); highest-least > 1 {
		t.Errorf("bins hold from %d to %d of the rows", least, highest)
	}
}

func FuzzCode(f *testing.F) {
	f.Add(1.0, 2.0, 3.0, 2.0, uint8(3))
	f.Add(math.Inf(-1), 0.0, math.Inf(1), math.NaN(), uint8(255))
	f.Add(1e308, -1e308, 5e-324, 0.0, uint8(1))
	f.Fuzz(func(t *testing.T, a, b, c, x float64, most uint8) {
		sample := []float64{a, b, c, a, math.Nextafter(b, c)}
		edges := NewEdges(sample, min(int(most), MostEdges))
		if len(edges) > int(most) {
			t.Fatalf("%d edges, at most %d", len(edges), most)
		}
		for i, e := range edges {
			if math.IsNaN(e) || math.IsInf(e, 0) || i > 0 && !(edges[i-1] < e) {
				t.Fatalf("edges %v of %v", edges, sample)
			}
		}
		if len(edges) >= 6 {
			t.Fatalf("%d edges between 5 values", len(edges))
		}
		want := 0
		if !math.IsNaN(x) {
			want = 1
			for _, e := range edges {
				if e < x {
					want++
				}
			}
		}
		if got := Code(edges, x); int(got) != want {
			t.Errorf("code of %v among %v is %d, want %d", x, edges, got, want)
		}
	})
}

func TestCodeOfEachNumberOfEdges(t *testing.T) {
	t.Parallel()
	var edges []float64
	for n := range MostEdges + 1 {
		for i := range n {
			for _, x := range []float64{edges[i], math.Nextafter(edges[i], math.Inf(1))} {
				want := i + 1
				if x > edges[i] {
					want++
				}
				if got := Code(edges, x); int(got) != want {
					t.Fatalf("code of %v among %d edges is %d, want %d", x, n, got, want)
				}
			}
		}
		edges = append(edges, float64(n))
	}
}
