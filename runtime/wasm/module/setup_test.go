package module_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"livelab/runtime/wasm/module"
	"livelab/runtime/wasm/wasmtest"
)

type (
	code  = wasmtest.Code
	types = wasmtest.Types
)

const (
	none = wasmtest.None
	i32  = wasmtest.I32
	i64  = wasmtest.I64
)

// function is a module of one function with a memory, a table, a global, a
// passive segment of each kind and a function that it may refer to.
func function(params, results, locals types, body code) []byte {
	b := wasmtest.New()
	b.Memory(1, 2)
	b.Table(wasmtest.FuncRef, 4, 4)
	b.Table(wasmtest.ExternRef, 4, 4)
	b.Global(i32, true, wasmtest.I32Const(7))
	b.Global(i32, false, wasmtest.I32Const(7))
	b.Func(params, results, locals, body)
	b.Func(none, none, none)
	b.Func(none, none, none)
	b.ElemPassive(1)
	b.DataPassive("data")
	return b.Bytes()
}

// body is the function of a module that takes and gives nothing.
func body(list ...code) []byte { return function(none, none, none, sum(list)) }

func sum(list []code) (all code) {
	for _, c := range list {
		all += c
	}
	return all
}

// raw is a file out of sections.
func raw(sections ...code) []byte { return []byte(wasmtest.Header + sum(sections)) }

func mustParse(t *testing.T, file []byte) *module.Module {
	t.Helper()
	m, err := module.Parse(file, module.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// refused checks that a file is refused for a reason that contains want.
func refused(t *testing.T, file []byte, l module.Limits, want string) {
	t.Helper()
	_, err := module.Parse(file, l)
	var reason *module.Error
	if !errors.As(err, &reason) {
		t.Fatalf("error is %v, want one about %q", err, want)
	}
	if !strings.Contains(reason.Reason, want) {
		t.Errorf("reason is %q, want one with %q", reason.Reason, want)
	}
	if reason.Offset < 0 || reason.Offset > len(file) {
		t.Errorf("offset %d is outside of the file's %d bytes", reason.Offset, len(file))
	}
}

// engine compiles a file with wazero's interpreter, which validates as its
// compiler does and is the faster to set up.
func engine(file []byte) error {
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2))
	defer r.Close(ctx)
	c, err := r.CompileModule(ctx, file)
	if err != nil {
		return err
	}
	return c.Close(ctx)
}

// plain is a module without its custom sections: an engine may look into those
// and refuse what it sees, and metering drops them.
func plain(m *module.Module) []byte {
	out := []byte(wasmtest.Header)
	for _, s := range m.Sections {
		if s.ID != module.SectionCustom {
			out = module.AppendU32(append(out, s.ID), uint32(s.Size))
			out = append(out, m.Code[s.Offset:s.Offset+s.Size]...)
		}
	}
	return out
}
