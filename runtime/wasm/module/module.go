// Package module reads and checks WebAssembly files before an engine sees them.
package module

// ValType is the type of a value, by its byte in the binary format.
type ValType byte

// The value types of WebAssembly 2.0.
const (
	I32       ValType = 0x7f
	I64       ValType = 0x7e
	F32       ValType = 0x7d
	F64       ValType = 0x7c
	V128      ValType = 0x7b
	FuncRef   ValType = 0x70
	ExternRef ValType = 0x6f
)

// FuncType is a signature.
type FuncType struct {
	Params, Results []ValType
}

// Kind is what an import or an export is, by its byte in the binary format.
type Kind byte

// The kinds.
const (
	KindFunc   Kind = 0
	KindTable  Kind = 1
	KindMemory Kind = 2
	KindGlobal Kind = 3
)

// Import is one entry of the import section.
type Import struct {
	Module, Name string
	Kind         Kind
	Type         uint32 // index of the signature, where Kind is KindFunc
}

// Export is one entry of the export section.
type Export struct {
	Name  string
	Kind  Kind
	Index uint32
}

// Range is a memory's or a table's size: pages of 64 KiB, or elements.
type Range struct {
	Min    uint32
	Max    uint32
	HasMax bool
}

// Global is a global that the module defines.
type Global struct {
	Type    ValType
	Mutable bool
}

// Body is the code of one function that the module defines.
type Body struct {
	Type   uint32 // index of its signature
	Offset int    // of the body's first byte, the count of local groups, in Code
	Size   int    // bytes of the body, locals included
	Instrs int    // offset of the first instruction in Code
	Locals int    // declared, parameters not counted
	Stack  int    // greatest height of the operand stack, in values
	Work   int    // estimate of what compiling it costs, see Limits
}

// Section is one section as it lies in the file.
type Section struct {
	ID     byte
	Name   string // of a custom section
	Offset int    // of its content, in Code
	Size   int    // bytes of its content
}

// Module is a file that Parse has accepted: every index in it is in range and
// every function is well typed.
type Module struct {
	Code     []byte // the whole file
	Sections []Section
	Types    []FuncType
	Imports  []Import // functions only: a module that imports anything else is refused
	Funcs    []Body   // defined functions; their indices follow the imported ones
	Tables   []Range
	Memories []Range
	Globals  []Global
	Exports  []Export

	// ImportedFuncs is how many functions are imported.
	ImportedFuncs int
}

// FuncType of the function with an index, imported ones first. It panics where
// there is no such function.
func (m *Module) FuncType(index uint32) FuncType {
	return m.Types[m.typeOf(index)]
}

// typeOf relies on functions being all that a module may import.
func (m *Module) typeOf(index uint32) uint32 {
	if int(index) < m.ImportedFuncs {
		return m.Imports[index].Type
	}
	return m.Funcs[int(index)-m.ImportedFuncs].Type
}

func (m *Module) numFuncs() int { return m.ImportedFuncs + len(m.Funcs) }
