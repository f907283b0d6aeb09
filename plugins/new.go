// Package plugins holds what an author of a transform starts from: the kits
// for four languages and a starting point for each, inside the program.
//
// The folders beside this file are the contract (abi), the kits (pdk), the
// starting points (template), the way from sources to a module (toolchain) and
// the transforms that are shipped.
package plugins

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"livelab/plugins/abi"
	"livelab/plugins/toolchain"
)

//go:embed template pdk
var files embed.FS

// templateName stands for the transform's name in the starting points.
const templateName = "template_name"

// kits are the files of pdk that go along with a starting point, and the folder
// that they go to.
var kits = map[toolchain.Language]struct{ from, to string }{
	toolchain.Go:             {"pdk", "livelab/plugins/pdk"},
	toolchain.C:              {"pdk/c", "."},
	toolchain.Rust:           {"pdk/rust", "."},
	toolchain.AssemblyScript: {"pdk/assemblyscript", "."},
}

// The Go kit is a module of its own in the author's folder, under the import
// path that it has in LiveLab: nothing has to be fetched.
const (
	goMod    = "module example.com/" + templateName + "\n\ngo 1.24\n\nrequire livelab v0.0.0\n\nreplace livelab => ./livelab\n"
	kitGoMod = "module livelab\n\ngo 1.24\n"
)

// New writes a folder that builds: the starting point of the language for a
// transform of this name, with the kit that it uses. The folder must not be
// there, or be empty.
func New(dir string, language toolchain.Language, name string) error {
	if !slices.Contains(toolchain.Languages, language) {
		return fmt.Errorf("language %q is none of %v", language, toolchain.Languages)
	}
	if !abi.ValidName(name) {
		return fmt.Errorf("name %q: use "+abi.NameRule, name)
	}
	if err := mustBeEmpty(dir); err != nil {
		return err
	}
	for file, text := range starting(language) {
		text = strings.ReplaceAll(text, templateName, name)
		to := filepath.Join(dir, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func mustBeEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("make the transform's folder: %w", err)
	case len(entries) > 0:
		return fmt.Errorf("%s is there and not empty: choose another name, or remove it", dir)
	}
	return nil
}

// starting gives the files of a language's starting point, by path.
func starting(language toolchain.Language) map[string]string {
	all := map[string]string{}
	take(all, path.Join("template", string(language)), ".")
	kit := kits[language]
	take(all, kit.from, kit.to)
	if language == toolchain.Go {
		all["go.mod"] = goMod
		all["livelab/go.mod"] = kitGoMod
		for file := range all { // the kit's own tests need more than the kit
			if path.Dir(file) == kit.to && strings.HasSuffix(file, "_test.go") {
				delete(all, file)
			}
		}
	}
	return all
}

// take adds the files of an embedded folder. A file dot_x is the author's .x: by
// that name it would have its effect here, and is not embedded.
func take(all map[string]string, from, to string) {
	entries, err := files.ReadDir(from)
	if err != nil {
		panic(err) // the folders are named above
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		b, err := files.ReadFile(path.Join(from, e.Name()))
		if err != nil {
			panic(err)
		}
		name := e.Name()
		if dotted, ok := strings.CutPrefix(name, "dot_"); ok {
			name = "." + dotted
		}
		all[path.Join(to, name)] = string(b)
	}
}
