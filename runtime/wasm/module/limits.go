package module

// Limits bound what Parse accepts, each bound inclusive. They stand well above
// what compilers write for a transform (Go with fmt and encoding/json, clang
// -O2, rustc, asc) and keep a hostile file cheap to parse, to compile and to
// instantiate.
type Limits struct {
	// FileSize in bytes. Go with fmt and encoding/json needs 3.3 MB.
	FileSize int
	// NameSize of an import, an export or a custom section, in bytes.
	NameSize int
	// CustomSections in a file; what they hold is not looked at.
	CustomSections int

	// Types of functions, and the parameters and results of each. A value is
	// carried by every call and branch of its type.
	Types, Params, Results int
	// Imports, all of them functions. WASI has 46.
	Imports int
	// Functions that the module defines. Go with net/http has 8,800.
	Functions int
	// Tables, and the elements that all of them have to begin with, which an
	// instance allocates. None can grow.
	Tables, TableElements int
	// MemoryPages of 64 KiB to begin with, which an instance allocates. The
	// declared maximum may be larger: whoever makes the instance clamps it.
	MemoryPages int
	// Globals and Exports, which an engine keeps an object for.
	Globals, Exports int
	// ElementSegments, and the elements in all of them. An engine needs some 40
	// bytes for an element that takes 1 in the file.
	ElementSegments, Elements int
	// DataSegments. A small Go module has 21,500, one for each run of bytes
	// that are not zero; an engine needs some 100 bytes for each.
	DataSegments int

	// BodySize of a function in bytes. An engine holds one function at a time
	// in its intermediate forms, which take up to 4 KB for a byte of code. The
	// largest in Go with net/http has 50 KB.
	BodySize int
	// Locals of a function, parameters included. Optimised code has tens, code
	// that is not optimised has hundreds.
	Locals int
	// Depth of blocks in blocks. Go nests one for each point that a function
	// may resume at: 1,145 in the largest of Go with net/http.
	Depth int
	// Stack is the height of a function's operand stack in values.
	Stack int
	// Targets of one br_table, of which Go uses as many.
	Targets int
	// FunctionWork and Work are what compiling one function and all of them may
	// cost by the estimate in work.go, in units of 0.3 µs for code as compilers
	// write it and up to 6 µs for the worst that is known. The hardest function
	// that was seen takes 180,000 (Go with net/http), and a Go module 1.3 for
	// each byte of the file.
	FunctionWork, Work int
}

// DefaultLimits are for modules that a stranger wrote.
func DefaultLimits() Limits {
	return Limits{
		FileSize:        8 << 20,
		NameSize:        1 << 10,
		CustomSections:  64,
		Types:           1 << 10,
		Params:          128,
		Results:         32,
		Imports:         64,
		Functions:       16 << 10,
		Tables:          16,
		TableElements:   64 << 10,
		MemoryPages:     256, // 16 MiB
		Globals:         1 << 10,
		Exports:         1 << 10,
		ElementSegments: 1 << 10,
		Elements:        64 << 10,
		DataSegments:    128 << 10,
		BodySize:        128 << 10,
		Locals:          8 << 10,
		Depth:           4 << 10,
		Stack:           1 << 10,
		Targets:         4 << 10,
		FunctionWork:    512 << 10,
		Work:            12 << 20,
	}
}
