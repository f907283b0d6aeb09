// Package wasm runs transforms: WebAssembly modules of the contract in
// plugins/abi, which nobody has vouched for. A Host admits a module step by
// step before it is ever offered, and what it admits implements
// features.Transform, the same for training and for serving.
//
// # What a module can do
//
// Compute. It sees the columns that it names and its own memory, nothing else.
// Work is metered by fuel that package meter puts into its code, and not by a
// clock, so that a module is accepted, and a row refused, for the same reason
// on every machine and under every load. A wall clock was tried: cancelling
// inside the engine's code costs 2.6 to 4.6 times in batches, and a tree of
// calls without loops escapes it.
//
// # Where compiling happens
//
// In a child process. Modules of 32 KB can be made that keep an optimising
// compiler busy for many seconds, and no limit inside a process can take back
// its memory. The child is this program itself, started with an environment
// variable: main calls CompileIfChild first thing, and so does TestMain of a
// package whose tests admit modules. The child leaves machine code in the
// cache folder, from where the parent loads it by an outline of the module.
//
// # Instances
//
// Calls go to a bounded pool of instances, each with its own memory. A trap
// discards its instance. Nothing here starts goroutines that outlive a call.
package wasm
