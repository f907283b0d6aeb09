// Package abi is the contract between LiveLab and a transform: a WebAssembly
// module that computes named columns from named columns, row by row and
// purely. It imports nothing of ours and uses the standard library alone.
//
// # What a module exports
//
//	memory
//	_initialize()                                          optional, called once
//	ll_describe_v1() -> i64                                ptr<<32|len of UTF-8 JSON
//	ll_alloc_v1(bytes: i32) -> i32                         an 8-aligned buffer, 0 when it cannot
//	ll_transform_v1(in: i32, out: i32, rows: i32) -> i32   0 is success
//	ll_error_v1() -> i64                                   optional, ptr<<32|len of a message
//
// Columns are little-endian float64, column-major: the value of column c in
// row r is at in + 8·(c·rows + r). Missing is NaN. Time enters as seconds,
// categories as ids from the host's dictionary.
//
// # What a module may import
//
// Nothing, or functions out of WASI that the Go toolchain links in: the host
// answers them with a constant clock, fixed randomness, no files, no
// environment and no network.
package abi

// Version of the contract, the v1 in the names of the exports.
const Version = 1

// The exports of a module.
const (
	Memory     = "memory"
	Initialize = "_initialize"     // () -> (), optional
	Describe   = "ll_describe_v1"  // () -> i64
	Alloc      = "ll_alloc_v1"     // (bytes: i32) -> i32
	Transform  = "ll_transform_v1" // (in: i32, out: i32, rows: i32) -> i32
	Error      = "ll_error_v1"     // () -> i64, optional
)

// Bounds of the contract.
const (
	MaxRows        = 4096     // of one call
	MaxDescription = 16 << 10 // bytes of JSON
	MaxMessage     = 4 << 10  // bytes of an error's text
	MaxColumns     = 256      // inputs, and outputs
	Alignment      = 8        // bytes, of every buffer
)

// WASI is the module name of the imports that are allowed.
const WASI = "wasi_snapshot_preview1"
