//go:build !race

package wasm

// slowdown widens the limits of the child where the compiler itself is slower.
const slowdown = 1
