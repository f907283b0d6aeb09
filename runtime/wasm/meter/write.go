package meter

import (
	"slices"

	"livelab/runtime/wasm/module"
)

// The sections' numbers, in the order in which a file has them.
const (
	typeSection      = 1
	functionSection  = 3
	memorySection    = 5
	globalSection    = 6
	exportSection    = 7
	dataCountSection = 12
	codeSection      = 10
)

var sectionOrder = []byte{typeSection, 2, functionSection, 4, memorySection, globalSection,
	exportSection, 8, 9, dataCountSection, codeSection, 11}

// writer puts the rewritten module together.
type writer struct {
	m        *module.Module
	funcs    []function
	maxPages uint32
	fuel     uint32 // index of the global
	stack    uint32
	types    []module.FuncType // appended ones
	helpers  []helper
	helperAt [helperKinds]uint32 // function index of each, 0 for none
}

func newWriter(m *module.Module, funcs []function, o Options) *writer {
	w := &writer{m: m, funcs: funcs, maxPages: o.MaxPages}
	w.fuel = uint32(len(m.Globals))
	w.stack = w.fuel + 1
	return w
}

// module writes the code first: it decides which types and helpers there are.
func (w *writer) module() []byte {
	w.addHelpers()
	code := w.code()
	parts := map[byte][]byte{
		typeSection:     w.typeEntries(),
		functionSection: w.functionEntries(),
		globalSection:   w.globalEntries(),
		exportSection:   w.exportEntries(),
	}
	counts := map[byte]int{
		typeSection: len(w.types), functionSection: len(w.helpers), globalSection: 2, exportSection: 2,
	}
	out := make([]byte, 0, len(w.m.Code)+len(code))
	out = append(out, w.m.Code[:8]...)
	for _, id := range sectionOrder {
		old := w.content(id)
		switch {
		case id == codeSection:
			old = code
		case id == memorySection && len(w.m.Memories) > 0:
			old = w.memory()
		case counts[id] > 0:
			old = extend(old, counts[id], parts[id])
		}
		if len(old) > 0 {
			out = append(out, id)
			out = sized(out, old)
		}
	}
	return out
}

// content of a section of the original, nil where it has none.
func (w *writer) content(id byte) []byte {
	for _, s := range w.m.Sections {
		if s.ID == id {
			return w.m.Code[s.Offset : s.Offset+s.Size]
		}
	}
	return nil
}

// extend a list by entries.
func extend(list []byte, count int, entries []byte) []byte {
	var n uint32
	if len(list) > 0 {
		var size int
		n, size = module.U32(list)
		list = list[size:]
	}
	out := module.AppendU32(nil, n+uint32(count))
	return append(append(out, list...), entries...)
}

func sized(out, content []byte) []byte {
	return append(module.AppendU32(out, uint32(len(content))), content...)
}

func (w *writer) typeEntries() []byte {
	var out []byte
	for _, t := range w.types {
		out = append(out, 0x60)
		for _, list := range [][]module.ValType{t.Params, t.Results} {
			out = module.AppendU32(out, uint32(len(list)))
			for _, v := range list {
				out = append(out, byte(v))
			}
		}
	}
	return out
}

func (w *writer) functionEntries() []byte {
	var out []byte
	for _, h := range w.helpers {
		out = module.AppendU32(out, h.typ)
	}
	return out
}

// globalEntries start at zero: what runs before the host has set them, traps.
func (w *writer) globalEntries() []byte {
	entry := []byte{byte(module.I64), 1, byte(module.OpI64Const), 0, byte(module.OpEnd)}
	return append(slices.Clone(entry), entry...)
}

func (w *writer) exportEntries() []byte {
	var out []byte
	for i, name := range []string{Fuel, Stack} {
		out = sized(out, []byte(name))
		out = append(out, byte(module.KindGlobal))
		out = module.AppendU32(out, w.fuel+uint32(i))
	}
	return out
}

// memory with its maximum lowered.
func (w *writer) memory() []byte {
	mem := w.m.Memories[0]
	limit := w.maxPages
	if mem.HasMax {
		limit = min(limit, mem.Max)
	}
	out := module.AppendU32([]byte{1, 1}, mem.Min)
	return module.AppendU32(out, limit)
}

// typeOf a signature, which is added where the module has none like it.
func (w *writer) typeOf(params, results []module.ValType) uint32 {
	for i, list := range [][]module.FuncType{w.m.Types, w.types} {
		for j, t := range list {
			if slices.Equal(t.Params, params) && slices.Equal(t.Results, results) {
				return uint32(i*len(w.m.Types) + j)
			}
		}
	}
	w.types = append(w.types, module.FuncType{Params: params, Results: results})
	return uint32(len(w.m.Types) + len(w.types) - 1)
}

// code is the content of the code section.
func (w *writer) code() []byte {
	size := 16
	for _, b := range w.m.Funcs {
		size += b.Size
	}
	out := make([]byte, 0, size+size/2)
	out = module.AppendU32(out, uint32(len(w.funcs)+len(w.helpers)))
	var body []byte
	for i := range w.funcs {
		body = w.body(body[:0], i)
		out = sized(out, body)
	}
	for _, h := range w.helpers {
		out = sized(out, h.body)
	}
	return out
}
