package plugins

import (
	"embed"
	"path"
)

// shippedFiles hold what `make build` has built. The folder is never empty, so
// that the program builds without, too.
//
//go:embed shipped
var shippedFiles embed.FS

// Module is a built transform.
type Module struct {
	File string // its name, such as calendar.wasm
	Code []byte
}

// Shipped gives the modules that this program carries, by name. There are none
// in a program that was not built by `make build`.
func Shipped() []Module {
	const folder = "shipped"
	entries, err := shippedFiles.ReadDir(folder)
	if err != nil {
		panic(err) // it is named above
	}
	var modules []Module
	for _, e := range entries {
		if path.Ext(e.Name()) != ".wasm" {
			continue
		}
		code, err := shippedFiles.ReadFile(path.Join(folder, e.Name()))
		if err != nil {
			panic(err)
		}
		modules = append(modules, Module{e.Name(), code})
	}
	return modules
}
