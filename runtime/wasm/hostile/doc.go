// Package hostile holds modules that mean harm, and tests that the host of
// transforms refuses or stops each of them with the reason named, while it
// goes on answering. It has no code but tests: OUTCOMES.md lists what becomes
// of each module, and is written by
//
//	go test ./runtime/wasm/hostile -run TestOutcomes -update
//
// A module is made by the assembler in package wasmtest or of raw bytes. One
// that looks friendly until a row has a certain value turns on that row: it
// passes admission, and must then fail that row alone.
package hostile
