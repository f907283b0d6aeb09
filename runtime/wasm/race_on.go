//go:build race

package wasm

// slowdown widens the limits of the child where the compiler itself is slower:
// the race detector costs it up to 15 times the time, and 8 times the memory.
const slowdown = 15
