package toolchain

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// sources are what there is to build.
type sources struct {
	dir      string // absolute
	language Language
	files    []string // names in dir: all for Go and C, the one that names the others else
}

// Detect tells the language of the transform in a folder by its files.
func Detect(dir string) (Language, error) {
	s, err := detect(dir)
	return s.language, err
}

func detect(dir string) (sources, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return sources{}, fmt.Errorf("read the transform's folder: %w", err)
	}
	found := map[Language][]string{}
	for _, e := range entries {
		if language, ok := languageOf(e.Name()); ok && !e.IsDir() {
			found[language] = append(found[language], e.Name())
		}
	}
	var languages []Language
	for _, l := range Languages {
		if len(found[l]) > 0 {
			languages = append(languages, l)
		}
	}
	switch len(languages) {
	case 0:
		return sources{}, fmt.Errorf("%s holds no source of a transform: start one with `livelab plugin new`", dir)
	case 1:
	default:
		return sources{}, fmt.Errorf("%s holds sources in %v: keep one language in a folder", dir, languages)
	}
	s := sources{dir, languages[0], found[languages[0]]}
	if s.language == Rust || s.language == AssemblyScript {
		s.files, err = entry(dir, s.files)
	}
	return s, err
}

// languageOf tells a file by its name. Tests, declarations and the kits, which
// another file names, are no source of their own.
func languageOf(name string) (Language, bool) {
	stem, extension := strings.TrimSuffix(name, filepath.Ext(name)), filepath.Ext(name)
	if strings.HasPrefix(name, ".") || strings.HasSuffix(stem, "_test") || stem == "livelab" {
		return "", false
	}
	switch extension {
	case ".go":
		return Go, true
	case ".c":
		return C, true
	case ".rs":
		return Rust, true
	case ".ts":
		return AssemblyScript, !strings.HasSuffix(stem, ".d") && !strings.HasSuffix(stem, ".test")
	}
	return "", false
}

// entry picks the file that names the others.
func entry(dir string, files []string) ([]string, error) {
	if len(files) == 1 {
		return files, nil
	}
	for _, stem := range []string{"transform", "lib", "index"} {
		name := stem + filepath.Ext(files[0])
		if slices.Contains(files, name) {
			return []string{name}, nil
		}
	}
	return nil, fmt.Errorf("%s holds %s: call the one to begin with transform%s", dir, strings.Join(files, ", "), filepath.Ext(files[0]))
}
