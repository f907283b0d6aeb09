package wasm

import (
	"errors"
	"fmt"
	"math"

	"livelab/pipeline/features"
	"livelab/plugins/abi"
)

// answers of a transform to some rows.
type answers struct {
	out   [][]float64
	bad   map[int]int // rows that failed, by cause + 1
	first *features.RowError
	pages uint32 // of memory that the instance had then
}

// A prober asks one transform the same rows in several ways.
type prober struct {
	core *core
	in   [][]float64
	most int64 // fuel for all that it asks
	left int64 // of it

	price    int64 // fuel of a row in calls that succeeded, of the last that were asked
	failures int64 // fuel of rows that failed, with instances in the place of lost ones
	making   int64 // fuel of those instances
}

func newProber(c *core, in [][]float64, fuel int64) *prober {
	return &prober{core: c, in: in, most: fuel, left: fuel}
}

// ask for some rows, so many in a call, of an instance. It gives back the
// answers by the rows' numbers, and the instance for more.
func (p *prober) ask(g *instance, order []int, chunk int) (*instance, answers, error) {
	d := p.core.judge.description
	in, out := columns(len(d.Inputs), len(order)), columns(len(d.Outputs), len(order))
	for i, row := range order {
		for c := range in {
			in[c][i] = p.in[c][row]
		}
	}
	widest := batchRows(len(d.Inputs) + len(d.Outputs))
	chunk = min(chunk, p.core.judge.fitting(widest, p.price))
	s := &session{
		judge: p.core.judge, pool: p.core.pool, stats: new(counters), in: in, out: out, rows: len(order),
		policy: Missing, maxFuel: max(p.left, 1), bad: map[int]int{}, chunk: chunk, widest: widest,
	}
	var err error
	for lo := 0; lo < len(order) && err == nil; lo += chunk {
		g, err = s.run(g, lo, min(lo+chunk, len(order)))
	}
	p.left -= s.spent()
	p.failures += s.wasted
	p.making += s.making
	if s.judged > 0 {
		p.price = s.useful / int64(s.judged)
	}
	if err != nil {
		return nil, answers{}, p.why(err, s)
	}
	a := answers{out: columns(len(out), len(p.in[0])), bad: map[int]int{}, first: s.first}
	if g != nil {
		a.pages = g.memory.Size() >> 16
	}
	if a.first != nil {
		a.first.Row = order[a.first.Row]
	}
	for i, row := range order {
		for c := range out {
			a.out[c][row] = out[c][i]
		}
		if cause := s.bad[i]; cause != 0 {
			a.bad[row] = cause
		}
	}
	return g, a, nil
}

// why the probe ended early.
func (p *prober) why(err error, s *session) error {
	switch {
	case !errors.Is(err, errFuel):
		return err
	case p.price == 0 && s.judged == 0 && s.first != nil:
		return p.allFail(s.first)
	case p.making > p.most/2:
		return refuse("the probe spent more than %d of fuel, %d of it for instances made anew after traps: return an error instead of a trap, or do less in %s", p.most, p.making, abi.Initialize)
	case p.failures > p.most/2:
		return refuse("the probe spent more than %d of fuel, %d of it in rows that failed: fail early", p.most, p.failures)
	}
	return refuse("the probe spent more than %d of fuel, a row takes about %d: do less work for a row, or in %s", p.most, p.price, abi.Initialize)
}

func (p *prober) allFail(first *features.RowError) error {
	return refuse("every row of the probe fails, such as %v: answer rows of all kinds, with NaN where nothing can be said", first)
}

// pure refuses a transform whose answers to a row hang on anything else. All
// rows are asked once, each in a call of its own, so that one that traps costs
// a single instance.
func (p *prober) pure() (_ answers, err error) {
	rows := len(p.in[0])
	g, err := p.core.pool.take()
	if err != nil {
		return answers{}, err
	}
	defer func() { p.core.pool.put(g) }()
	fresh := int64(len(lone(rows))) * (g.started + g.making)
	g, want, err := p.ask(g, upTo(rows), 1)
	if err != nil {
		return answers{}, err
	}
	if len(want.bad) == rows {
		return answers{}, p.allFail(want.first)
	}
	few := p.plan(want, p.left-fresh)
	for _, way := range []struct {
		order  []int
		chunk  int
		reason string
	}{
		{few.all, 1, "it keeps state between calls"},
		{reversed(few.all), 1, "it keeps state between rows"},
		{few.large, rows, "its answers depend on how rows are put together in calls"},
		{reversed(few.large), rows, "its answers depend on the order of rows"},
		{few.large, 64, "its answers depend on how rows are put together in calls"},
		{few.all, 7, "its answers depend on how rows are put together in calls"},
		{few.large, rows, "it keeps state between calls"},
	} {
		var got answers
		if g, got, err = p.ask(g, way.order, way.chunk); err != nil {
			return answers{}, err
		}
		if where := want.differ(got, way.order); where != "" {
			return answers{}, refuse("%s (%s): compute each row from its own inputs alone", way.reason, where)
		}
	}
	price := p.price
	if g, err = p.large(g, want, few.good); err != nil {
		return answers{}, err
	}
	err = p.alone(want)
	p.price = price
	return want, err
}

// large asks for rows that succeed over and over in one call, as large as one
// that is not judged again in halves can be.
func (p *prober) large(g *instance, want answers, good []int) (*instance, error) {
	n := p.core.judge.fitting(batchRows(len(p.in)+len(want.out)), p.price)
	if n <= len(good) {
		return g, nil
	}
	many := newProber(p.core, columns(len(p.in), n), p.most)
	many.left, many.price = p.left, p.price
	for i := range n {
		for c := range p.in {
			many.in[c][i] = p.in[c][good[i%len(good)]]
		}
	}
	g, got, err := many.ask(g, upTo(n), n)
	if err != nil {
		return nil, err
	}
	p.left = many.left
	for i := range n {
		if where := want.differAs(good[i%len(good)], got, i); where != "" {
			return g, refuse("its answers depend on how rows are put together in calls (%s): compute each row from its own inputs alone", where)
		}
	}
	return g, nil
}

// lone are the rows that are asked of a fresh instance each.
func lone(rows int) [4]int { return [...]int{0, rows / 2, zeroRow, negativeZeroRow} }

// alone asks a few rows of a fresh instance each.
func (p *prober) alone(want answers) error {
	for _, row := range lone(len(p.in[0])) {
		g, got, err := p.ask(nil, []int{row}, 1)
		if g != nil {
			g.close()
		}
		if err != nil {
			return err
		}
		if where := want.differAs(row, got, row); where != "" {
			return refuse("it keeps state between rows (%s): compute each row from its own inputs alone", where)
		}
	}
	return nil
}

// differ says where answers to some rows are not the same, bit by bit.
func (a answers) differ(b answers, rows []int) string {
	for _, row := range rows {
		if where := a.differAs(row, b, row); where != "" {
			return where
		}
	}
	return ""
}

// differAs compares a row with the one that is another in b.
func (a answers) differAs(row int, b answers, other int) string {
	if (a.bad[row] != 0) != (b.bad[other] != 0) {
		return fmt.Sprintf("row %d of the probe failed once, and once it did not", row)
	}
	for c := range a.out {
		x, y := a.out[c][row], b.out[c][other]
		if math.Float64bits(x) != math.Float64bits(y) {
			return fmt.Sprintf("output %d of row %d of the probe was %v, then %v", c, row, x, y)
		}
	}
	return ""
}

func columns(n, rows int) [][]float64 {
	cs := make([][]float64, n)
	for i := range cs {
		cs[i] = make([]float64, rows)
	}
	return cs
}

// recheck that the golden rows are answered as they were at admission, with
// the instance that then serves.
func (c *core) recheck(golden string, fuel int64) error {
	p := newProber(c, goldenColumns(len(c.judge.description.Inputs)), fuel)
	g, err := c.pool.take()
	if err != nil {
		return err
	}
	defer func() { c.pool.put(g) }()
	var got answers
	if g, got, err = p.ask(g, upTo(goldenRows), 1); err != nil {
		return err
	}
	if got.hash(goldenRows) != golden {
		return errors.New("its answers to the golden rows are others")
	}
	c.expect(p.price)
	return nil
}
