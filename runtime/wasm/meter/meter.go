package meter

import (
	"fmt"
	"strings"

	"livelab/runtime/wasm/module"
)

// Options of Rewrite. The zero value has every default.
type Options struct {
	// MaxPages is the most that the memory can grow to, in pages of 64 KiB.
	// Default DefaultMaxPages.
	MaxPages uint32

	noLocal bool // keep the fuel in the global everywhere, for tests
}

// Metered is a module that counts its work.
type Metered struct {
	Code []byte
}

// Rewrite puts the metering into a module that Parse has accepted. The indices
// of types, functions and globals stay what they are, custom sections are
// dropped. It refuses a module that exports a name of the metering, whose
// memory starts out larger than the maximum, or whose code cannot be bounded.
func Rewrite(m *module.Module, o Options) (Metered, error) {
	if o.MaxPages == 0 {
		o.MaxPages = DefaultMaxPages
	}
	for _, e := range m.Exports {
		if strings.HasPrefix(e.Name, Prefix) {
			return Metered{}, fmt.Errorf("export %q: names that begin with %q are taken, rename it", e.Name, Prefix)
		}
	}
	for _, mem := range m.Memories {
		if mem.Min > o.MaxPages {
			return Metered{}, fmt.Errorf("memory starts with %d pages, at most %d are possible", mem.Min, o.MaxPages)
		}
	}
	funcs, err := scan(m, o.noLocal)
	if err != nil {
		return Metered{}, err
	}
	countStack(m, funcs)
	return Metered{Code: newWriter(m, funcs, o).module()}, nil
}

func scan(m *module.Module, noLocal bool) ([]function, error) {
	s := newScanner(m)
	funcs := make([]function, len(m.Funcs))
	for i := range funcs {
		var err error
		if funcs[i], err = s.function(i); err != nil {
			return nil, err
		}
		funcs[i].cached = funcs[i].cached && !noLocal
	}
	return funcs, nil
}
