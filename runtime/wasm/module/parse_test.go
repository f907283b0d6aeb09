package module_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"livelab/runtime/wasm/module"
	"livelab/runtime/wasm/wasmtest"
)

func TestParseTellsWhatIsThere(t *testing.T) {
	t.Parallel()
	b := wasmtest.New()
	imported := b.Import("wasi_snapshot_preview1", "proc_exit", i32, none)
	b.Memory(2, wasmtest.NoMax)
	b.Table(wasmtest.FuncRef, 3, 9)
	b.Global(i64, true, wasmtest.I64Const(1))
	fn := b.Func(i32+i64, i32, i32+i32+wasmtest.F64, wasmtest.I32Const(1)+wasmtest.LocalGet(0)+wasmtest.I32Const(2)+wasmtest.Drop+wasmtest.Drop)
	b.ExportFunc("run", fn)
	b.ExportFunc("exit", imported)
	b.Export("memory", wasmtest.KindMemory, 0)
	b.Data(wasmtest.I32Const(2<<16-4), "last")
	b.Custom("producers", "who knows")
	m := mustParse(t, b.Bytes())

	first := m.Funcs[0]
	if got := m.Code[first.Instrs : first.Offset+first.Size]; len(got) != 9 || got[0] != byte(module.OpI32Const) {
		t.Errorf("the instructions are % x", got)
	}
	if first.Work == 0 {
		t.Error("the function costs nothing")
	}
	first.Offset, first.Size, first.Instrs, first.Work = 0, 0, 0, 0
	want := &module.Module{
		Types: []module.FuncType{
			{Params: []module.ValType{module.I32}},
			{Params: []module.ValType{module.I32, module.I64}, Results: []module.ValType{module.I32}},
		},
		Imports:  []module.Import{{Module: "wasi_snapshot_preview1", Name: "proc_exit", Kind: module.KindFunc}},
		Funcs:    []module.Body{{Type: 1, Locals: 3, Stack: 3}},
		Tables:   []module.Range{{Min: 3, Max: 9, HasMax: true}},
		Memories: []module.Range{{Min: 2}},
		Globals:  []module.Global{{Type: module.I64, Mutable: true}},
		Exports: []module.Export{
			{Name: "run", Kind: module.KindFunc, Index: 1},
			{Name: "exit", Kind: module.KindFunc, Index: 0},
			{Name: "memory", Kind: module.KindMemory},
		},
		ImportedFuncs: 1,
	}
	got := *m
	got.Code, got.Sections, got.Funcs = nil, nil, []module.Body{first}
	if diff := cmp.Diff(want, &got); diff != "" {
		t.Error(diff)
	}
	last := m.Sections[len(m.Sections)-1]
	if last.ID != module.SectionCustom || last.Name != "producers" || last.Offset+last.Size != len(m.Code) {
		t.Errorf("the last section is %+v", last)
	}
	if got := m.FuncType(1); len(got.Params) != 2 {
		t.Errorf("function 1 has %d parameters", len(got.Params))
	}
	if got := m.FuncType(0); len(got.Params) != 1 {
		t.Errorf("function 0 has %d parameters", len(got.Params))
	}
}

// Random modules have nearly all that code can consist of.
func TestParseAcceptsRandomModules(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		file, _ := wasmtest.Random(seed)
		if _, err := module.Parse(file, module.DefaultLimits()); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}
