//go:build !unix

package wasm

// checkPrivate leaves a folder's rights to the system: the user's own cache
// folder is private where permissions are not those of Unix.
func checkPrivate(string) error { return nil }

// diskErrors have no common names where the system is not Unix.
var diskErrors []error
