package wasm

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"livelab/plugins/abi"
	w "livelab/runtime/wasm/wasmtest"
)

// refusals are modules with the step that refuses each and words of the reason.
var refusals = map[string]struct {
	code []byte
	step Step
	want string
}{
	"too large":         {make([]byte, 9<<20), StepSize, "use at most"},
	"no module":         {[]byte("#!/bin/sh"), StepParse, "at byte 0"},
	"cut off":           {w.Transform{}.Bytes()[:200], StepParse, "at byte"},
	"a file":            {imports("path_open", w.I32, w.I32), StepSurface, "wasi_snapshot_preview1.path_open"},
	"another module":    {importsFrom("env", "sched_yield", w.None, w.I32), StepSurface, "env.sched_yield"},
	"other type":        {imports("random_get", w.I64+w.I32, w.I32), StepSurface, "WASI has it as (i32, i32) -> (i32)"},
	"other result":      {imports("proc_exit", w.I32, w.I32), StepSurface, "WASI has it as (i32) -> ()"},
	"no transform":      {w.Transform{Omit: []string{abi.Transform}}.Bytes(), StepSurface, "no function under the name ll_transform_v1"},
	"no memory":         {w.Transform{Last: func(b *w.Builder) { b.Replace(w.SectionExport, w.U(0)) }}.Bytes(), StepSurface, "no memory"},
	"export of other":   {exports(abi.Error, w.I32, w.I64), StepSurface, "make it () -> (i64)"},
	"our name":          {exports("livelab:fuel", w.None, w.None), StepSurface, "are the host's"},
	"init traps":        {w.Transform{Init: w.Unreachable}.Bytes(), StepInitialise, "unreachable"},
	"init loops":        {w.Transform{Init: w.Loop(w.Empty, w.Br(0))}.Bytes(), StepInitialise, "of fuel"},
	"not JSON":          {w.Transform{Describe: "name: sample"}.Bytes(), StepDescribe, "check its syntax"},
	"description far":   {describes(w.I64Const(1<<50 | 100)), StepDescribe, "outside of the memory"},
	"description huge":  {describes(w.I64Const(1<<10<<32 | 1<<20)), StepDescribe, "use at most 16384"},
	"describe loops":    {describes(w.Loop(w.Empty, w.Br(0)) + w.I64Const(0)), StepDescribe, "of fuel"},
	"unknown column":    {w.Transform{Inputs: []string{"a", "unknown"}}.Bytes(), StepInputs, `"unknown"`},
	"own output":        {w.Transform{Inputs: []string{"a", "sample.ratio"}}.Bytes(), StepInputs, "its own output"},
	"AssemblyScript":    {importsFrom("env", "abort", w.I32, w.None), StepSurface, "env.abort: build with --use abort="},
	"not linked":        {importsFrom("env", "sin", w.F64, w.F64), StepSurface, "env.sin: link it into the module"},
	"no memory to give": {w.Transform{Alloc: w.I32Const(0)}.Bytes(), StepAlloc, "let memory grow"},
	"misaligned":        {w.Transform{Alloc: w.I32Const(4100)}.Bytes(), StepAlloc, "align it to 8"},
	"out of bounds":     {w.Transform{Alloc: w.I32Const(2 * 65536)}.Bytes(), StepAlloc, "outside of the memory"},
	"negative":          {w.Transform{Alloc: w.I32Const(-8)}.Bytes(), StepAlloc, "outside of the memory"},
	"overlapping":       {w.Transform{Alloc: w.I32Const(65536), MinPages: 20}.Bytes(), StepAlloc, "overlap"},
	"in is out":         {pairs(), StepAlloc, "overlap"},
	"exits":             {exits(), StepInitialise, "proc_exit(7)"},
	"always fails":      {w.Transform{Row: w.I32Const(1) + w.Return}.Bytes(), StepProbe, "every row of the probe fails"},
	"counts calls":      {counts(false), StepProbe, "state"},
	"counts rows":       {counts(true), StepProbe, "put together"},
	"tells rows":        {w.Transform{Row: w.Out(0, w.LocalGet(w.ParamRows)+w.F64ConvertI32S)}.Bytes(), StepProbe, "put together"},
	"reads beside":      {w.Transform{Row: w.Out(0, w.LocalGet(w.ParamIn)+w.At(w.F64Load, 0))}.Bytes(), StepProbe, "depend"},
	"random":            {random(), StepProbe, "state"},
	"keeps the first":   {keeps(), StepProbe, "keeps state between rows"},
	"too dear":          {w.Transform{Row: burn(1 << 18), First: func(b *w.Builder) { b.Global(w.I32, true, w.I32Const(0)) }}.Bytes(), StepProbe, "do less work for a row"},
}

func imports(name string, params, results w.Types) []byte {
	return importsFrom(abi.WASI, name, params, results)
}

func importsFrom(module, name string, params, results w.Types) []byte {
	return w.Transform{First: func(b *w.Builder) { b.Import(module, name, params, results) }}.Bytes()
}

func exports(name string, params, results w.Types) []byte {
	return w.Transform{Last: func(b *w.Builder) {
		b.ExportFunc(name, b.Func(params, results, w.None, w.Unreachable))
	}}.Bytes()
}

func describes(body w.Code) []byte {
	return w.Transform{Omit: []string{abi.Describe}, Last: func(b *w.Builder) {
		b.ExportFunc(abi.Describe, b.Func(w.None, w.I64, w.None, body))
	}}.Bytes()
}

// pairs gives each buffer twice.
func pairs() []byte {
	return w.Transform{
		MinPages: 200,
		Alloc: w.GlobalGet(0) + w.I32Const(1) + w.I32Add + w.GlobalSet(0) +
			w.GlobalGet(0) + w.I32Const(1) + w.I32Add + w.I32Const(1) + w.I32ShrU + w.I32Const(1<<20) + w.I32Mul,
		First: func(b *w.Builder) { b.Global(w.I32, true, w.I32Const(0)) },
	}.Bytes()
}

func exits() []byte {
	return w.Transform{
		Init:  w.I32Const(7) + w.Call(0),
		First: func(b *w.Builder) { b.Import(abi.WASI, "proc_exit", w.I32, w.None) },
	}.Bytes()
}

// counts gives how many calls, or how many rows of a call, came before.
func counts(rows bool) []byte {
	row := w.Out(0, w.GlobalGet(0)+w.F64ConvertI32S) + w.GlobalGet(0) + w.I32Const(1) + w.I32Add + w.GlobalSet(0)
	t := w.Transform{Body: w.EachRow(row), First: func(b *w.Builder) { b.Global(w.I32, true, w.I32Const(0)) }}
	if rows {
		t.Body = w.I32Const(0) + w.GlobalSet(0) + t.Body
	}
	return t.Bytes()
}

// keeps the first value that an instance ever saw.
func keeps() []byte {
	return w.Transform{
		Row: w.GlobalGet(0) + w.I32Eqz + w.If(w.Empty, w.I32Const(1), w.GlobalSet(0), w.In(0), w.GlobalSet(1)) + w.Out(0, w.GlobalGet(1)),
		First: func(b *w.Builder) {
			b.Global(w.I32, true, w.I32Const(0))
			b.Global(w.F64, true, w.F64Const(0))
		},
	}.Bytes()
}

func random() []byte {
	return w.Transform{
		Row:   w.I32Const(512) + w.I32Const(8) + w.Call(0) + w.Drop + w.Out(0, w.I32Const(512)+w.At(w.I32Load, 0)+w.F64ConvertI32S),
		First: func(b *w.Builder) { b.Import(abi.WASI, "random_get", w.I32+w.I32, w.I32) },
	}.Bytes()
}

// burn goes round a loop in each row.
func burn(rounds int32) w.Code {
	return w.I32Const(rounds) + w.GlobalSet(0) +
		w.Loop(w.Empty, w.GlobalGet(0)+w.I32Const(1)+w.I32Sub+w.GlobalSet(0)+w.GlobalGet(0)+w.BrIf(0))
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *Config) { c.Columns = func(name string) bool { return name != "unknown" } })
	for name, test := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := h.Check(context.Background(), test.code)
			reached := true
			for i, s := range r.Steps {
				want := OK
				if s.Step == test.step {
					want, reached = Refused, false
				} else if !reached {
					want = NotReached
				}
				if s.Verdict != want || (s.Reason != "") != (want == Refused) {
					t.Errorf("step %d, %s: %s %q, want %s", i, s.Step, s.Verdict, s.Reason, want)
				}
			}
			var refusal *Refusal
			if err := r.Err(); !errors.As(err, &refusal) || r.Accepted || !strings.Contains(refusal.Reason, test.want) {
				t.Errorf("got %v, want words of %q", err, test.want)
			}
			if strings.ContainsAny(refusal.Error(), "\n\x1b") {
				t.Errorf("%q is not one line", refusal)
			}
			if _, err := h.Admit(context.Background(), test.code, nil); !errors.As(err, &refusal) || refusal.Step != test.step {
				t.Errorf("Admit says %v", err)
			}
		})
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	h := newHost(t, nil)
	code := w.Transform{}.Bytes()
	r := h.Check(context.Background(), code)
	if err := r.Err(); err != nil || !r.Accepted || len(r.Steps) != 12 || r.Digest != digest(code) {
		t.Fatalf("got %+v, %v", r, err)
	}
	if f := r.Facts; f.Bytes != len(code) || f.Metered <= f.Bytes/2 || f.RowFuel < 1 || f.MemoryPages < 2 || f.ProbeRows < 300 {
		t.Errorf("facts are %+v", f)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again Report
	if err := json.Unmarshal(text, &again); err != nil || !slices.EqualFunc(r.Steps, again.Steps, func(a, b StepReport) bool { return a.Step == b.Step && a.Verdict == b.Verdict }) {
		t.Errorf("%s reads as %+v, %v", text, again, err)
	}
	if tr := admit(t, h, code); tr.Spec().Golden != r.Golden {
		t.Errorf("golden is %s when checked and %s when admitted", r.Golden, tr.Spec().Golden)
	}
}

// The answers of one module are pinned here, so that whatever would change
// them between versions or machines is seen.
func TestGoldenIsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	const want = "01063126df31bf18a2db648fce1e085acb5d8b374d3bd27db2e25ad1ef17a0e2"
	if got := admit(t, newHost(t, nil), w.Transform{}.Bytes()).Spec().Golden; got != want {
		t.Errorf("golden is %s, want %s", got, want)
	}
}
