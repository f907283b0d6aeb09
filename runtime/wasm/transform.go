package wasm

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"livelab/pipeline/features"
	"livelab/plugins/abi"
)

var _ features.Transform = (*Transform)(nil)

// Transform is a module that was admitted. It is safe for concurrent use. Its
// instances are closed with its Host, or when nobody holds it any more.
type Transform struct {
	code []byte
	spec features.TransformSpec
	core *core
}

// core is what calls need. It does not lead to its Transform, so that one that
// nobody holds can be told.
type core struct {
	engine *engine
	judge  *judge
	pool   *pool
	stats  counters
	chunk  atomic.Int64 // rows of a call that fitted last

	policy  Policy
	workers int
}

func newCore(cfg Config, e *engine, d abi.Description) *core {
	c := &core{
		engine: e, judge: newJudge(d, cfg.Budget), policy: cfg.OnRowError, workers: cfg.Instances,
	}
	c.pool = newPool(cfg.Instances, c.instance)
	c.chunk.Store(int64(batchRows(len(d.Inputs) + len(d.Outputs))))
	return c
}

// expect has the first calls be as large as the fuel of a row alone is likely
// to allow, by what one takes: finding that out by trying costs an instance for
// each try.
func (c *core) expect(each int64) {
	c.chunk.Store(int64(c.judge.fitting(int(c.chunk.Load()), each)))
}

// source is a module as it came, with its digest, which takes a while to make.
type source struct {
	code   []byte
	digest string
}

func newTransform(cfg Config, src source, c *core, golden string) *Transform {
	if cfg.ForgetCode {
		src.code = nil
	}
	d := c.judge.description
	t := &Transform{code: src.code, core: c, spec: features.TransformSpec{
		Name: d.Name, Version: d.Version, Digest: src.digest, ABI: abi.Version, Budget: c.judge.budget, Golden: golden,
	}}
	for _, in := range d.Inputs {
		t.spec.Inputs = append(t.spec.Inputs, in.Name)
	}
	for _, out := range d.Outputs {
		t.spec.Outputs = append(t.spec.Outputs, out.Name)
	}
	return t
}

// instance makes one that is ready for rows.
func (c *core) instance() (*instance, error) {
	g, err := c.engine.instantiate()
	if err != nil {
		return nil, err
	}
	if err := g.equip(c.judge); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

func (c *core) close() {
	c.pool.close()
	c.engine.close()
}

// Spec says what it is.
func (t *Transform) Spec() features.TransformSpec { return t.spec }

// Code is the module as it was given to Admit, nil where the host forgets it.
func (t *Transform) Code() []byte { return t.code }

// Description is what the module says of itself.
func (t *Transform) Description() abi.Description { return t.core.judge.description }

// Stats counts what was done so far.
func (t *Transform) Stats() Stats { return t.core.stats.stats() }

// Apply fills out from in, whose columns are of one length. Large ones are
// worked off by several instances. A row that the module fails on is missing,
// or the error is a *features.RowError, as configured.
func (t *Transform) Apply(in, out [][]float64) error {
	defer runtime.KeepAlive(t)
	c := t.core
	rows, err := shape(c.judge.description, in, out)
	if err != nil || rows == 0 {
		return err
	}
	defer c.count(rows, sinceStart())
	s := &session{
		judge: c.judge, pool: c.pool, stats: &c.stats, in: in, out: out, rows: rows,
		policy: c.policy, maxWasted: freeWaste + int64(rows)*wastePerRow, chunk: int(c.chunk.Load()),
		widest: batchRows(len(in) + len(out)),
	}
	var others sync.WaitGroup
	for range min(c.workers, (rows+s.chunk-1)/s.chunk) - 1 {
		others.Go(s.work)
	}
	s.work()
	others.Wait()
	c.chunk.Store(int64(s.chunk))
	return s.err
}

// ApplyRow is Apply for a single row, a value for each column. It allocates
// nothing where the row goes well.
func (t *Transform) ApplyRow(in, out []float64) error {
	c := t.core
	if len(in) != len(c.judge.description.Inputs) || len(out) != len(c.judge.description.Outputs) {
		return fmt.Errorf("%d and %d values for %d inputs and %d outputs of transform %s", len(in), len(out),
			len(c.judge.description.Inputs), len(c.judge.description.Outputs), c.judge.description.Name)
	}
	start := sinceStart()
	g, err := c.pool.take()
	if err != nil {
		return err
	}
	o := c.judge.callRow(g, in, out)
	if o.trapped {
		g.close()
		g = nil
		c.stats.discards.Add(1)
	}
	c.pool.put(g)
	for i, v := range out {
		if !o.failed && !c.judge.fits(i, v) {
			o = c.judge.wrong(i, v)
		}
	}
	c.stats.calls.Add(1)
	c.count(1, start)
	runtime.KeepAlive(t)
	if o.failed {
		return c.failRow(out, o)
	}
	return nil
}

func (c *core) failRow(out []float64, o outcome) error {
	for i := range out {
		out[i] = missing
	}
	c.stats.failed[o.cause].Add(1)
	if c.policy == Fail {
		return &features.RowError{Transform: c.judge.description.Name, Reason: o.reason}
	}
	return nil
}

func (c *core) count(rows int, start time.Duration) {
	c.stats.rows.Add(int64(rows))
	c.stats.nanoseconds.Add(int64(sinceStart() - start))
}

var processStart = time.Now()

// sinceStart reads the monotonic clock alone, at half the price of time.Now.
func sinceStart() time.Duration { return time.Since(processStart) }
