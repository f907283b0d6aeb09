package wasm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"livelab/plugins/abi"
	"livelab/runtime/wasm/meter"
	"livelab/runtime/wasm/module"
)

// An admission takes one module through the steps.
type admission struct {
	host  *Host
	store *store // to write to
	cfg   Config // with the transform's own budget
	source
	report Report

	module   *module.Module
	metered  []byte
	draft    string // folder with the machine code
	engine   *engine
	instance *instance // the first, which describes itself
	core     *core
	answers  answers
	golden   string
}

// run the steps up to the first that fails. What was found out is kept under a
// key, unless it is empty.
func (a *admission) run(ctx context.Context, key string) error {
	defer a.cleanUp()
	stores := a.host.stores()
	a.store = stores[len(stores)-1]
	var failed error
	for _, s := range []struct {
		name Step
		run  func(context.Context) error
	}{
		{StepSize, a.size}, {StepParse, a.parse}, {StepSurface, a.surface}, {StepMeter, a.meter},
		{StepCompile, a.compile}, {StepLoad, a.load}, {StepInitialise, a.initialise},
		{StepDescribe, a.describe}, {StepInputs, a.inputs}, {StepAlloc, a.alloc},
		{StepProbe, a.probe}, {StepGolden, a.pin},
	} {
		r := StepReport{Step: s.name, Verdict: NotReached}
		if failed == nil {
			start := time.Now()
			failed = s.run(ctx)
			r.Seconds = Duration(time.Since(start))
			r.Verdict, r.Reason, failed = judgeStep(s.name, failed)
		}
		a.report.Steps = append(a.report.Steps, r)
	}
	a.report.Accepted = failed == nil
	if failed == nil && key != "" {
		r := record{Description: *a.report.Description, Golden: a.golden}
		if err := a.store.keep(a.draft, key, r); err != nil {
			a.host.notKept(r.Description.Name, err)
		}
	}
	return failed
}

func (a *admission) transform() *Transform {
	return newTransform(a.cfg, a.source, a.core, a.golden)
}

// judgeStep tells what is the module's fault from what is the host's.
func judgeStep(step Step, err error) (Verdict, string, error) {
	var refusal *Refusal
	var t *trap
	switch {
	case err == nil:
		return OK, "", nil
	case errors.As(err, &refusal):
		return Refused, refusal.Reason, &Refusal{step, refusal.Reason}
	case errors.As(err, &t):
		return Refused, err.Error(), &Refusal{step, err.Error()}
	}
	return Failed, err.Error(), err
}

func (a *admission) cleanUp() {
	if a.instance != nil {
		a.report.Console = a.instance.console.String()
		a.instance.close()
	}
	if a.draft != "" {
		_ = os.RemoveAll(a.draft)
	}
}

// discard what was built, where it is not kept.
func (a *admission) discard() {
	if a.core != nil {
		a.core.close()
	} else if a.engine != nil {
		a.engine.close()
	}
}

func (a *admission) size(context.Context) error {
	a.report.Facts.Bytes = len(a.code)
	if most := a.cfg.Limits.FileSize; len(a.code) > most {
		return refuse("the file has %d bytes: use at most %d", len(a.code), most)
	}
	return nil
}

func (a *admission) parse(context.Context) (err error) {
	if a.module, err = module.Parse(a.code, a.cfg.Limits); err != nil {
		return refuse("%v", err)
	}
	a.report.Facts.Functions = len(a.module.Funcs)
	return nil
}

func (a *admission) surface(context.Context) error { return checkSurface(a.module) }

func (a *admission) meter(context.Context) error {
	m, err := meter.Rewrite(a.module, meter.Options{MaxPages: a.cfg.Budget.Pages})
	if err != nil {
		return refuse("%v", err)
	}
	a.metered = m.Code
	a.report.Facts.Metered = len(m.Code)
	return nil
}

func (a *admission) compile(ctx context.Context) (err error) {
	if a.draft, err = a.store.draft(); err != nil {
		return err
	}
	outline, err := outlineOf(a.metered)
	if err != nil {
		return err
	}
	file := filepath.Join(a.draft, outlineFile)
	if err := os.WriteFile(file, outline, 0o600); err != nil {
		return a.store.trouble(err)
	}
	err = compile(ctx, a.cfg, a.metered, codeSize(a.module), native(a.draft), file)
	if full := (*folderError)(nil); errors.As(err, &full) {
		full.folder, full.before = a.store.folder, a.store.before
	}
	return err
}

// codeSize is the bytes of all functions, which compiling takes its time for.
func codeSize(m *module.Module) int {
	n := 0
	for _, f := range m.Funcs {
		n += f.Size
	}
	return n
}

func (a *admission) load(ctx context.Context) (err error) {
	outline, err := os.ReadFile(filepath.Join(a.draft, outlineFile))
	if err == nil {
		a.engine, err = load(ctx, a.cfg, outline, native(a.draft))
	}
	return err
}

func (a *admission) initialise(context.Context) (err error) {
	if a.instance, err = a.engine.instantiate(); err == nil {
		a.report.Facts.InitFuel = a.instance.started
	}
	return err
}

func (a *admission) describe(context.Context) error {
	d, err := a.instance.describe()
	if err != nil {
		return err
	}
	a.report.Description = &d
	return nil
}

func (g *instance) describe() (abi.Description, error) {
	if err := g.prepare(g.module.ExportedFunction(abi.Describe)); err != nil {
		return abi.Description{}, err
	}
	at, n := uint32(g.args[0]>>32), uint32(g.args[0])
	if n > abi.MaxDescription {
		return abi.Description{}, refuse("the description has %d bytes: use at most %d", n, abi.MaxDescription)
	}
	text, ok := g.memory.Read(at, n)
	if !ok {
		return abi.Description{}, refuse("the description is %d bytes at %d, outside of the memory of %d: give ptr<<32|len", n, at, g.memory.Size())
	}
	d, err := abi.ParseDescription(text)
	if err != nil {
		return abi.Description{}, refuse("%v", err)
	}
	return d, nil
}

func (a *admission) inputs(context.Context) error {
	return checkInputs(a.cfg, *a.report.Description)
}

// alloc asks for all buffers that there will be, on the first instance.
func (a *admission) alloc(context.Context) error {
	a.core = newCore(a.cfg, a.engine, *a.report.Description)
	if err := a.instance.equip(a.core.judge); err != nil {
		return err
	}
	rows, err := a.instance.room()
	a.core.chunk.Store(min(a.core.chunk.Load(), int64(rows)))
	return err
}

func (a *admission) probe(context.Context) (err error) {
	in := probeColumns(*a.report.Description)
	p := newProber(a.core, in, a.cfg.ProbeFuel)
	if a.answers, err = p.pure(); err != nil {
		return err
	}
	a.core.expect(p.price)
	f := &a.report.Facts
	f.ProbeRows, f.FailedRows, f.RowFuel = len(in[0]), len(a.answers.bad), p.price
	if a.answers.first != nil {
		f.FirstFailed = a.answers.first.Error()
	}
	f.MemoryPages = a.answers.pages
	return nil
}

func (a *admission) pin(context.Context) error {
	a.golden = a.answers.hash(goldenRows)
	a.report.Golden = a.golden
	return nil
}
