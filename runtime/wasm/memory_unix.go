//go:build unix

package wasm

import (
	"fmt"
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// mapped is a memory out of the system's own pages: what is not touched costs
// nothing, growing does not copy, and closing gives it back at once. Left to
// the garbage collector, a storm of discarded instances would pile up.
type mapped struct{ pages []byte }

func allocateMemory(_, most uint64) experimental.LinearMemory {
	const anywhere = -1
	p, err := syscall.Mmap(anywhere, 0, int(max(most, 1)), syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		panic(fmt.Errorf("map %d bytes of memory for a transform: %w", most, err))
	}
	return &mapped{p}
}

// Reallocate is asked for no more than the most that was allocated.
func (m *mapped) Reallocate(size uint64) []byte {
	if size > uint64(len(m.pages)) {
		return nil
	}
	return m.pages[:size:size]
}

// Free tolerates a second call.
func (m *mapped) Free() {
	if m.pages != nil {
		_ = syscall.Munmap(m.pages)
		m.pages = nil
	}
}
