package wasm

import (
	"slices"
	"strings"

	"livelab/plugins/abi"
	"livelab/runtime/wasm/meter"
	"livelab/runtime/wasm/module"
)

// exported are the functions that a module has, by the contract.
var exported = []struct {
	name            string
	optional        bool
	params, results []module.ValType
}{
	{abi.Initialize, true, nil, nil},
	{abi.Describe, false, nil, []module.ValType{module.I64}},
	{abi.Alloc, false, []module.ValType{module.I32}, []module.ValType{module.I32}},
	{abi.Transform, false, []module.ValType{module.I32, module.I32, module.I32}, []module.ValType{module.I32}},
	{abi.Error, true, nil, []module.ValType{module.I64}},
}

// checkSurface checks imports and exports by name and type.
func checkSurface(m *module.Module) error {
	for _, im := range m.Imports {
		if err := checkImport(m, im); err != nil {
			return err
		}
	}
	exports := make(map[string]module.Export, len(m.Exports))
	for _, e := range m.Exports {
		exports[e.Name] = e
		if strings.HasPrefix(e.Name, meter.Prefix) {
			return refuse("it exports %q: names that begin with %s are the host's, rename it", clean(e.Name, 64), meter.Prefix)
		}
	}
	if e, ok := exports[abi.Memory]; !ok || e.Kind != module.KindMemory {
		return refuse("it has no memory under the name %q: export it", abi.Memory)
	}
	for _, want := range exported {
		e, ok := exports[want.name]
		if !ok && want.optional {
			continue
		}
		if !ok || e.Kind != module.KindFunc {
			return refuse("it has no function under the name %s: export it", want.name)
		}
		if t := m.FuncType(e.Index); !slices.Equal(t.Params, want.params) || !slices.Equal(t.Results, want.results) {
			return refuse("%s is %s: make it %s", want.name, signature(t.Params, t.Results), signature(want.params, want.results))
		}
	}
	return nil
}

func checkImport(m *module.Module, im module.Import) error {
	s, ok := stubs[im.Name]
	if !ok || im.Module != abi.WASI || im.Kind != module.KindFunc {
		return refuse("it imports %s.%s: %s", clean(im.Module, 64), clean(im.Name, 64), without(im))
	}
	t := m.Types[im.Type]
	var results []module.ValType
	if s.result {
		results = []module.ValType{module.I32}
	}
	params := make([]module.ValType, len(s.params))
	for i, p := range s.params {
		params[i] = module.ValType(p)
	}
	if !slices.Equal(t.Params, params) || !slices.Equal(t.Results, results) {
		return refuse("it imports %s as %s: WASI has it as %s", im.Name, signature(t.Params, t.Results), signature(params, results))
	}
	return nil
}

// without an import: what to do.
func without(im module.Import) string {
	switch {
	case im.Module == "env" && im.Name == "abort": // of AssemblyScript
		return "build with --use abort="
	case im.Module == "env":
		return "link it into the module, the host offers no functions but some of WASI"
	}
	return "use nothing but what plugins/abi allows, no files and no network"
}

// checkInputs refuses columns that nobody can give.
func checkInputs(cfg Config, d abi.Description) error {
	for _, in := range d.Inputs {
		transform, _, dotted := strings.Cut(in.Name, ".")
		if dotted && transform == d.Name {
			return refuse("it reads %s, which is its own output: compute it anew", in.Name)
		}
		if !dotted && !cfg.Columns(in.Name) {
			return refuse("it reads %q, and there is no such column: name one of the catalogue, or transform.output", in.Name)
		}
	}
	return nil
}

// signature in the words of the specification.
func signature(params, results []module.ValType) string {
	list := func(ts []module.ValType) string {
		words := make([]string, len(ts))
		for i, t := range ts {
			words[i] = valTypes[t]
		}
		return "(" + strings.Join(words, ", ") + ")"
	}
	return list(params) + " -> " + list(results)
}

var valTypes = map[module.ValType]string{
	module.I32: "i32", module.I64: "i64", module.F32: "f32", module.F64: "f64",
	module.V128: "v128", module.FuncRef: "funcref", module.ExternRef: "externref",
}
