package wasm

import (
	"errors"
	"fmt"
	"math"

	"livelab/pipeline/features"
)

// answers of a transform to some rows.
type answers struct {
	out   [][]float64
	bad   map[int]int // rows that failed, by cause + 1
	first *features.RowError
	fuel  int64  // that they took
	pages uint32 // of memory that the instance had then
}

// A prober asks one transform the same rows in several ways.
type prober struct {
	core *core
	in   [][]float64
	fuel int64 // left for all that it asks
}

// ask for the rows of an order, so many in a call, of an instance. It gives
// back the answers in the order of the rows, and the instance for more.
func (p *prober) ask(g *instance, order []int, chunk int) (*instance, answers, error) {
	d := p.core.judge.description
	chunk = min(chunk, batchRows(len(d.Inputs)+len(d.Outputs)))
	in, out := columns(len(d.Inputs), len(order)), columns(len(d.Outputs), len(order))
	for i, row := range order {
		for c := range in {
			in[c][i] = p.in[c][row]
		}
	}
	s := &session{
		judge: p.core.judge, pool: p.core.pool, stats: new(counters), in: in, out: out, rows: len(order),
		policy: Missing, maxFailed: len(order), maxDiscards: p.core.maxDiscards,
		maxFuel: max(p.fuel, 1), bad: map[int]int{}, chunk: chunk,
	}
	var err error
	for lo := 0; lo < len(order); lo += chunk {
		if g, err = s.run(g, lo, min(lo+chunk, len(order))); err != nil {
			return nil, answers{}, err
		}
	}
	p.fuel -= s.fuel
	a := answers{out: columns(len(out), len(p.in[0])), bad: map[int]int{}, first: s.first, fuel: s.fuel}
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

// pure refuses a transform whose answers to a row hang on anything else.
func (p *prober) pure() (_ answers, err error) {
	rows := len(p.in[0])
	forward, backward := make([]int, rows), make([]int, rows)
	for i := range rows {
		forward[i], backward[i] = i, rows-1-i
	}
	g, err := p.core.pool.take()
	if err != nil {
		return answers{}, err
	}
	defer func() { p.core.pool.put(g) }()
	g, want, err := p.ask(g, forward, rows)
	if err != nil {
		return answers{}, err
	}
	if len(want.bad) == rows {
		return answers{}, refuse("every row of the probe fails, such as %v: answer rows of all kinds, with NaN where nothing can be said", want.first)
	}
	for _, way := range []struct {
		order  []int
		chunk  int
		reason string
	}{
		{forward, rows, "it keeps state between calls"},
		{backward, rows, "its answers depend on the order of rows"},
		{forward, 64, "its answers depend on how rows are put together in calls"},
		{forward, 7, "its answers depend on how rows are put together in calls"},
		{backward, 1, "it keeps state between rows"},
		{forward, 1, "it keeps state between rows"},
		{forward, rows, "it keeps state between calls"},
	} {
		var got answers
		if g, got, err = p.ask(g, way.order, way.chunk); err != nil {
			return answers{}, err
		}
		if where := want.differ(got); where != "" {
			return answers{}, refuse("%s (%s): compute each row from its own inputs alone", way.reason, where)
		}
	}
	if g, err = p.large(g, want); err != nil {
		return answers{}, err
	}
	return want, p.alone(want)
}

// large asks for the rows over and over in one call, as large as one that is
// not judged again in halves can be.
func (p *prober) large(g *instance, want answers) (*instance, error) {
	rows := len(p.in[0])
	n := batchRows(len(p.in) + len(want.out))
	if each := want.fuel / int64(rows); each > 0 {
		n = min(n, int(p.core.judge.alone()/each))
	}
	if n <= rows {
		return g, nil
	}
	many := &prober{core: p.core, in: columns(len(p.in), n), fuel: p.fuel}
	order := make([]int, n)
	for i := range order {
		order[i] = i
		for c := range p.in {
			many.in[c][i] = p.in[c][i%rows]
		}
	}
	g, got, err := many.ask(g, order, n)
	if err != nil {
		return nil, err
	}
	p.fuel = many.fuel
	for i := range order {
		if where := want.differAs(i%rows, got, i); where != "" {
			return g, refuse("its answers depend on how rows are put together in calls (%s): compute each row from its own inputs alone", where)
		}
	}
	return g, nil
}

// alone asks a few rows of a fresh instance each.
func (p *prober) alone(want answers) error {
	rows := len(p.in[0])
	for _, row := range []int{0, 1, rows / 2, rows - 1} {
		g, got, err := p.ask(nil, []int{row}, 1)
		if g != nil {
			g.close()
		}
		if err != nil {
			return err
		}
		if where := want.differAt(got, row); where != "" {
			return refuse("it keeps state between rows (%s): compute each row from its own inputs alone", where)
		}
	}
	return nil
}

// differ says where answers are not the same, bit by bit.
func (a answers) differ(b answers) string {
	for row := range a.out[0] {
		if where := a.differAt(b, row); where != "" {
			return where
		}
	}
	return ""
}

func (a answers) differAt(b answers, row int) string { return a.differAs(row, b, row) }

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
	p := &prober{core: c, in: goldenColumns(len(c.judge.description.Inputs)), fuel: fuel}
	order := make([]int, goldenRows)
	for i := range order {
		order[i] = i
	}
	g, err := c.pool.take()
	if err != nil {
		return err
	}
	defer func() { c.pool.put(g) }()
	var got answers
	if g, got, err = p.ask(g, order, goldenRows); err != nil {
		return err
	}
	if got.hash(goldenRows) != golden {
		return errors.New("its answers to the golden rows are others")
	}
	c.expect(got.fuel, goldenRows)
	return nil
}
