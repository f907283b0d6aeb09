//go:build !unix

package wasm

import "github.com/tetratelabs/wazero/experimental"

// Where there are no pages to map, memory comes from the garbage collector.
func allocateMemory(least, _ uint64) experimental.LinearMemory {
	m := make(collected, 0, least)
	return &m
}

type collected []byte

func (c *collected) Reallocate(size uint64) []byte {
	grown := make([]byte, size)
	copy(grown, *c)
	*c = grown
	return grown
}

func (c *collected) Free() { *c = nil }
