package wasmtest

import (
	"encoding/json"
	"math"
	"slices"

	"livelab/plugins/abi"
)

// Transform is a whole module of the contract's version 1. The zero value of
// each field is a friendly default; what a test fills in is where the module
// differs from it.
type Transform struct {
	Name, Version   string   // default "sample" and "1.0.0"
	Inputs, Outputs []string // default "a", "b" and "ratio"

	// Row is run for each row; see In and Out. Default a/(a+b).
	Row Code
	// Body is the whole of ll_transform_v1, result included, where Row does
	// not do. Its parameters are ParamIn, ParamOut and ParamRows.
	Body Code
	// Locals of either, from FirstLocal on.
	Locals Types

	Describe string // the description word for word, in place of the fields
	Alloc    Code   // body of ll_alloc_v1, in place of a bump allocator
	Message  string // what ll_error_v1 gives; empty leaves it out
	Init     Code   // body of _initialize; empty leaves it out

	MinPages, MaxPages int      // of the memory, default 2 and 256; NoMax for none
	Omit               []string // exports to leave out

	// First is run on the empty builder, for imports and functions that the
	// bodies call; Last on the finished one, for exports and sections.
	First, Last func(*Builder)
}

// The locals of ll_transform_v1.
const (
	ParamIn uint32 = iota
	ParamOut
	ParamRows
	CurrentRow // the row's index
	FirstLocal
)

const descriptionAt = 1024

// Builder of the module.
func (t Transform) Builder() *Builder {
	b := New()
	if t.First != nil {
		t.First(b)
	}
	t = t.defaults()
	b.Export(abi.Memory, KindMemory, b.Memory(t.MinPages, t.MaxPages))
	messageAt := descriptionAt + len(t.Describe)
	heap := (messageAt+len(t.Message))/abi.Alignment*abi.Alignment + abi.Alignment
	next := b.Global(I32, true, I32Const(int32(heap)))
	b.Data(I32Const(descriptionAt), t.Describe)
	t.export(b, abi.Describe, None, I64, None, pair(descriptionAt, len(t.Describe)))
	if t.Message != "" {
		b.Data(I32Const(int32(messageAt)), t.Message)
		t.export(b, abi.Error, None, I64, None, pair(messageAt, len(t.Message)))
	}
	if t.Alloc == "" {
		t.Alloc = bump(next)
	}
	t.export(b, abi.Alloc, I32, I32, I32+I32, t.Alloc)
	if t.Init != "" {
		t.export(b, abi.Initialize, None, None, None, t.Init)
	}
	t.export(b, abi.Transform, I32+I32+I32, I32, I32+t.Locals, t.Body)
	if t.Last != nil {
		t.Last(b)
	}
	return b
}

// Bytes of the module.
func (t Transform) Bytes() []byte { return t.Builder().Bytes() }

// In pushes the value of an input column in the current row.
func In(column int) Code { return cell(ParamIn, column) + At(F64Load, 0) }

// Out stores a value in an output column of the current row.
func Out(column int, value Code) Code { return cell(ParamOut, column) + value + At(F64Store, 0) }

// EachRow runs a body for every row, and then succeeds.
func EachRow(row Code) Code {
	return Block(Empty,
		Loop(Empty,
			LocalGet(CurrentRow), LocalGet(ParamRows), I32GeU, BrIf(1),
			row,
			LocalGet(CurrentRow), I32Const(1), I32Add, LocalSet(CurrentRow), Br(0)),
	) + I32Const(0)
}

// Description as JSON, with outputs that have no bounds.
func Description(name, version string, inputs, outputs []string) string {
	type column struct {
		Name string `json:"name"`
		Doc  string `json:"doc,omitempty"`
	}
	var d struct {
		Name    string   `json:"name"`
		Version string   `json:"version"`
		Doc     string   `json:"doc"`
		Inputs  []column `json:"inputs"`
		Outputs []column `json:"outputs"`
	}
	d.Name, d.Version, d.Doc = name, version, "a transform that a test made"
	for _, in := range inputs {
		d.Inputs = append(d.Inputs, column{Name: in})
	}
	for _, out := range outputs {
		d.Outputs = append(d.Outputs, column{Name: out, Doc: "made by a test"})
	}
	text, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (t Transform) defaults() Transform {
	if t.Name == "" {
		t.Name = "sample"
	}
	if t.Version == "" {
		t.Version = "1.0.0"
	}
	if t.Inputs == nil {
		t.Inputs = []string{"a", "b"}
	}
	if t.Outputs == nil {
		t.Outputs = []string{"ratio"}
	}
	if t.Describe == "" {
		t.Describe = Description(t.Name, t.Version, t.Inputs, t.Outputs)
	}
	if t.Row == "" {
		t.Row = Out(0, In(0)+In(0)+In(1)+F64Add+F64Div)
	}
	if t.Body == "" {
		t.Body = EachRow(t.Row)
	}
	if t.MinPages == 0 {
		t.MinPages = 2
	}
	if t.MaxPages == 0 {
		t.MaxPages = 256
	}
	return t
}

func (t Transform) export(b *Builder, name string, params, results, locals Types, body Code) {
	fn := b.Func(params, results, locals, body)
	if !slices.Contains(t.Omit, name) {
		b.ExportFunc(name, fn)
	}
}

// cell pushes the address of a column's value in the current row.
func cell(base uint32, column int) Code {
	return LocalGet(base) + LocalGet(ParamRows) + I32Const(int32(column)) + I32Mul +
		LocalGet(CurrentRow) + I32Add + I32Const(3) + I32Shl + I32Add
}

func pair(at, length int) Code { return I64Const(int64(at)<<32 | int64(length)) }

// bump is an allocator that never frees; next is the global that holds the
// first free byte. Local 1 is the buffer, local 2 the pages that are missing.
func bump(next uint32) Code {
	const size, buffer, missing = 0, 1, 2
	return LocalGet(size) + I32Const(math.MaxInt32) + I32GtU +
		If(Empty, I32Const(0), Return) +
		GlobalGet(next) + LocalTee(buffer) + LocalGet(size) + I32Add + I32Const(7) + I32Add +
		I32Const(-8) + I32And + GlobalSet(next) +
		GlobalGet(next) + I32Const(65535) + I32Add + I32Const(16) + I32ShrU +
		MemorySize + I32Sub + LocalTee(missing) + I32Const(0) + I32GtS +
		If(Empty,
			LocalGet(missing), MemoryGrow, I32Const(-1), I32Eq,
			If(Empty, LocalGet(buffer), GlobalSet(next), I32Const(0), Return)) +
		LocalGet(buffer)
}
