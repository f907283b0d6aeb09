package wasmtest

import "strings"

// Header is how every module starts.
const Header Code = "\x00asm\x01\x00\x00\x00"

// Kinds of exports.
const (
	KindFunc   byte = 0
	KindTable  byte = 1
	KindMemory byte = 2
	KindGlobal byte = 3
)

// Numbers of sections.
const (
	SectionCustom byte = iota
	SectionType
	SectionImport
	SectionFunction
	SectionTable
	SectionMemory
	SectionGlobal
	SectionExport
	SectionStart
	SectionElement
	SectionCode
	SectionData
	SectionDataCount
)

// NoMax is the maximum of a memory or a table that has none.
const NoMax = -1

// Builder collects the parts of a module. Indices are those of the finished
// module; imports come before functions.
type Builder struct {
	types, imports, tables, memories []Code
	globals, exports, elems, data    []Code
	funcs                            []function
	start                            Code
	imported                         uint32
	dataCount                        bool
	replaced                         map[byte]Code
	head, tail                       Code
}

type function struct {
	typ    uint32
	locals Types
	body   Code
}

// New module without anything in it.
func New() *Builder {
	return &Builder{replaced: map[byte]Code{}}
}

// Type is the index of a signature, which is added where it is new.
func (b *Builder) Type(params, results Types) uint32 {
	entry := "\x60" + Name(string(params)) + Name(string(results))
	for i, t := range b.types {
		if t == entry {
			return uint32(i)
		}
	}
	return add(&b.types, entry)
}

// Import a function.
func (b *Builder) Import(module, name string, params, results Types) uint32 {
	b.ImportRaw(module, name, "\x00"+U(uint64(b.Type(params, results))))
	b.imported++
	return b.imported - 1
}

// ImportRaw imports anything: a kind and what describes it.
func (b *Builder) ImportRaw(module, name string, what Code) {
	if len(b.funcs) > 0 {
		panic("wasmtest: import before the first function")
	}
	add(&b.imports, Name(module)+Name(name)+what)
}

// Func is a function whose last end is added.
func (b *Builder) Func(params, results, locals Types, body ...Code) uint32 {
	fn := b.Declare(params, results)
	b.Define(fn, locals, body...)
	return fn
}

// Declare a function, to be called before it is defined.
func (b *Builder) Declare(params, results Types) uint32 {
	b.funcs = append(b.funcs, function{typ: b.Type(params, results)})
	return b.imported + uint32(len(b.funcs)) - 1
}

// Define a declared function.
func (b *Builder) Define(fn uint32, locals Types, body ...Code) {
	f := &b.funcs[fn-b.imported]
	f.locals, f.body = locals, sum(body)
}

// Memory in pages of 64 KiB.
func (b *Builder) Memory(minimum, maximum int) uint32 {
	return add(&b.memories, limits(minimum, maximum))
}

// Table of references.
func (b *Builder) Table(t Types, minimum, maximum int) uint32 {
	return add(&b.tables, Code(t)+limits(minimum, maximum))
}

// Global with a constant that it starts with.
func (b *Builder) Global(t Types, mutable bool, value Code) uint32 {
	flag := Code("\x00")
	if mutable {
		flag = "\x01"
	}
	return add(&b.globals, Code(t)+flag+value+End)
}

// Export of any kind.
func (b *Builder) Export(name string, kind byte, index uint32) {
	add(&b.exports, Name(name)+Code([]byte{kind})+U(uint64(index)))
}

// ExportFunc exports a function.
func (b *Builder) ExportFunc(name string, fn uint32) { b.Export(name, KindFunc, fn) }

// Start makes a function the one that runs at instantiation.
func (b *Builder) Start(fn uint32) { b.start = U(uint64(fn)) }

// Elem puts functions into table 0.
func (b *Builder) Elem(offset Code, funcs ...uint32) uint32 {
	return b.ElemRaw("\x00" + offset + End + indices(funcs))
}

// ElemPassive is a segment for table.init.
func (b *Builder) ElemPassive(funcs ...uint32) uint32 {
	return b.ElemRaw("\x01\x00" + indices(funcs))
}

// ElemDeclared lets functions be named by ref.func.
func (b *Builder) ElemDeclared(funcs ...uint32) uint32 {
	return b.ElemRaw("\x03\x00" + indices(funcs))
}

// ElemRaw is a segment of any form.
func (b *Builder) ElemRaw(entry Code) uint32 { return add(&b.elems, entry) }

// Data puts bytes into memory 0.
func (b *Builder) Data(offset Code, content string) uint32 {
	return add(&b.data, "\x00"+offset+End+Name(content))
}

// DataPassive is a segment for memory.init.
func (b *Builder) DataPassive(content string) uint32 {
	b.dataCount = true
	return add(&b.data, "\x01"+Name(content))
}

// Custom section at the end of the module.
func (b *Builder) Custom(name, content string) { b.Append(SectionCustom, Name(name)+Code(content)) }

// Replace the content of a section, or add it in its usual place.
func (b *Builder) Replace(id byte, content Code) { b.replaced[id] = content }

// Prepend a section before all others, whatever is in it.
func (b *Builder) Prepend(id byte, content Code) { b.head += Section(id, content) }

// Append a section after all others, whatever is in it.
func (b *Builder) Append(id byte, content Code) { b.tail += Section(id, content) }

// Bytes of the module.
func (b *Builder) Bytes() []byte {
	out := new(strings.Builder)
	out.WriteString(string(Header + b.head))
	for _, id := range []byte{
		SectionType, SectionImport, SectionFunction, SectionTable, SectionMemory, SectionGlobal,
		SectionExport, SectionStart, SectionElement, SectionDataCount, SectionCode, SectionData,
	} {
		content, replaced := b.replaced[id]
		if !replaced {
			content = b.content(id)
		}
		if replaced || content != "" {
			out.WriteString(string(Section(id, content)))
		}
	}
	out.WriteString(string(b.tail))
	return []byte(out.String())
}

// content of a section, empty where there is none.
func (b *Builder) content(id byte) Code {
	switch id {
	case SectionFunction:
		return b.signatures()
	case SectionCode:
		return b.bodies()
	case SectionStart:
		return b.start
	case SectionDataCount:
		if b.dataCount {
			return U(uint64(len(b.data)))
		}
		return ""
	}
	list := map[byte][]Code{
		SectionType: b.types, SectionImport: b.imports, SectionTable: b.tables,
		SectionMemory: b.memories, SectionGlobal: b.globals, SectionExport: b.exports,
		SectionElement: b.elems, SectionData: b.data,
	}[id]
	if len(list) == 0 {
		return ""
	}
	return join(list)
}

func (b *Builder) signatures() Code {
	if len(b.funcs) == 0 {
		return ""
	}
	list := make([]uint32, len(b.funcs))
	for i, f := range b.funcs {
		list[i] = f.typ
	}
	return indices(list)
}

func (b *Builder) bodies() Code {
	if len(b.funcs) == 0 {
		return ""
	}
	list := make([]Code, len(b.funcs))
	for i, f := range b.funcs {
		list[i] = Name(string(Locals(f.locals) + f.body + End))
	}
	return join(list)
}

func add(list *[]Code, item Code) uint32 {
	*list = append(*list, item)
	return uint32(len(*list) - 1)
}
