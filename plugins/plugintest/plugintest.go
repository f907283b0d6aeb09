// Package plugintest runs built transforms in tests by the bare contract:
// without admission, metering or a pool, so that what it finds is the module's
// own doing. Tests alone import it.
package plugintest

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"livelab/plugins/abi"
)

// Module is an instance of a transform.
type Module struct {
	t    testing.TB
	inst api.Module
}

// Open compiles and initialises a module, which is closed with the test.
func Open(t testing.TB, code []byte) *Module {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { r.Close(ctx) })
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	inst, err := r.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithStartFunctions(abi.Initialize))
	if err != nil {
		t.Fatal(err)
	}
	return &Module{t, inst}
}

// Call calls an export, which must not trap, and gives its result.
func (m *Module) Call(export string, args ...uint64) uint64 {
	m.t.Helper()
	results, err := m.inst.ExportedFunction(export).Call(context.Background(), args...)
	if err != nil {
		m.t.Fatalf("%s: %v", export, err)
	}
	return results[0]
}

// Text gives the bytes that a call of an export names.
func (m *Module) Text(export string) string {
	m.t.Helper()
	span := m.Call(export)
	b, ok := m.inst.Memory().Read(uint32(span>>32), uint32(span))
	if !ok {
		m.t.Fatalf("%s names %d bytes at %d, which are not there", export, uint32(span), span>>32)
	}
	return string(b)
}

// Description is what the module says of itself, which must be in order.
func (m *Module) Description() abi.Description {
	m.t.Helper()
	d, err := abi.ParseDescription([]byte(m.Text(abi.Describe)))
	if err != nil {
		m.t.Fatalf("description: %v\n%s", err, m.Text(abi.Describe))
	}
	return d
}

// Alloc has the module give a buffer of n bytes.
func (m *Module) Alloc(n int) uint32 {
	m.t.Helper()
	p := uint32(m.Call(abi.Alloc, uint64(uint32(n))))
	if p == 0 || p%abi.Alignment != 0 {
		m.t.Fatalf("a buffer of %d bytes is at %d", n, p)
	}
	return p
}

// MemorySize is the size of the module's memory in bytes.
func (m *Module) MemorySize() uint32 { return m.inst.Memory().Size() }

// Apply computes the outputs of rows, each with a value for every input. The
// error is the module's own message.
func (m *Module) Apply(outputs int, rows ...[]float64) ([][]float64, error) {
	m.t.Helper()
	inputs := len(rows[0])
	in, out := m.Alloc(8*inputs*len(rows)), m.Alloc(8*outputs*len(rows))
	return m.ApplyIn(in, out, outputs, rows...)
}

// WriteAll writes values one after the other from an address on.
func (m *Module) WriteAll(at uint32, values ...float64) {
	for i, x := range values {
		if !m.inst.Memory().WriteUint64Le(at+uint32(8*i), math.Float64bits(x)) {
			m.t.Fatalf("there is no memory at %d", at)
		}
	}
}

// ApplyIn is Apply with buffers that the caller has.
func (m *Module) ApplyIn(in, out uint32, outputs int, rows ...[]float64) ([][]float64, error) {
	m.t.Helper()
	n := len(rows)
	for r, row := range rows {
		for c, x := range row {
			m.WriteAll(in+uint32(8*(c*n+r)), x)
		}
	}
	if m.Call(abi.Transform, uint64(in), uint64(out), uint64(n)) != 0 {
		return nil, errors.New(m.Text(abi.Error))
	}
	answers := make([][]float64, n)
	for r := range answers {
		answers[r] = make([]float64, outputs)
		for c := range answers[r] {
			bits, _ := m.inst.Memory().ReadUint64Le(out + uint32(8*(c*n+r)))
			answers[r][c] = math.Float64frombits(bits)
		}
	}
	return answers, nil
}
