package wasm

import (
	"math"
	"slices"
)

// A plan says which rows are asked in the other ways.
type plan struct {
	good  []int // of those that succeeded
	all   []int // with some that failed
	large []int // for large calls, in which each failure costs many
}

// leastRows are asked in each way, however dear they are.
const leastRows = 32

// plan as many rows as fuel allows, by what they took: half of it is for
// those that succeeded, in seven ways, and a quarter for those that failed.
func (p *prober) plan(want answers, fuel int64) plan {
	var good, bad []int
	for row := range p.in[0] {
		if want.bad[row] == 0 {
			good = append(good, row)
		} else {
			bad = append(bad, row)
		}
	}
	const ways, halvings = 7, 9
	f := plan{good: spread(good, max(leastRows, share(fuel/2, ways*p.price)))}
	if len(bad) == 0 {
		f.all, f.large = f.good, f.good
		return f
	}
	each := p.failures / int64(len(bad))
	f.all = merge(f.good, spread(bad, max(1, share(fuel/8, 5*each))))
	f.large = merge(f.good, spread(bad, share(fuel/8, 4*halvings*each)))
	return f
}

// share is how many times a price goes into some fuel.
func share(fuel, price int64) int {
	return int(min(max(fuel, 0)/max(price, 1), math.MaxInt32))
}

// spread takes at most n of rows, evenly.
func spread(rows []int, n int) []int {
	if n >= len(rows) {
		return rows
	}
	few := make([]int, n)
	for i := range few {
		few[i] = rows[i*len(rows)/n]
	}
	return few
}

func merge(a, b []int) []int {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return all
}

func reversed(rows []int) []int {
	back := slices.Clone(rows)
	slices.Reverse(back)
	return back
}

func upTo(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}
