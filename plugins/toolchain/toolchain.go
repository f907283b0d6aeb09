// Package toolchain builds the folder of a transform into a module: it finds
// out the language, runs that language's own compiler with the flags that the
// contract of transforms wants, and puts the module into place whole. The same
// sources and compiler give the same bytes in any folder.
package toolchain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Language is one that transforms are written in, by the name that --lang has
// for it.
type Language string

// The languages that there are compilers' flags for.
const (
	Go             Language = "go"
	C              Language = "c"
	Rust           Language = "rust"
	AssemblyScript Language = "as"
)

// Languages are all of them, in the order of the guide.
var Languages = []Language{Go, C, Rust, AssemblyScript}

// Built is a module that was built.
type Built struct {
	Path     string // of the module
	Language Language
	Size     int64  // bytes
	Digest   string // SHA-256 of the bytes, lower-case hex
	Output   string // what the compiler said, warnings mostly
}

// Toolchain builds transforms.
type Toolchain struct {
	// Say is told what takes long or fetches something, a line each. May be nil.
	Say func(line string)
}

// Build builds the transform in the folder dir into the file out, which is
// dir/<name of dir>.wasm where it is empty. A file that is there is replaced in
// one step, or left as it was when the build fails. A *CompilerError is a
// refusal by the compiler.
func Build(ctx context.Context, dir, out string) (Built, error) {
	return Toolchain{}.Build(ctx, dir, out)
}

// Build is as the function of that name.
func (t Toolchain) Build(ctx context.Context, dir, out string) (Built, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return Built{}, err
	}
	sources, err := detect(absolute)
	if err != nil {
		return Built{}, err
	}
	if out == "" {
		out = filepath.Join(dir, filepath.Base(absolute)+".wasm")
	}
	work, err := os.MkdirTemp("", "livelab-build-")
	if err != nil {
		return Built{}, err
	}
	defer os.RemoveAll(work)
	made := filepath.Join(work, "module.wasm")
	cmd, err := t.command(ctx, sources, made)
	if err != nil {
		return Built{}, err
	}
	said, err := run(ctx, cmd)
	if err != nil {
		return Built{}, err
	}
	code, err := os.ReadFile(made)
	if err != nil {
		return Built{}, fmt.Errorf("%s said that all is well and left no module: %w", filepath.Base(cmd.Path), err)
	}
	if err := place(code, out); err != nil {
		return Built{}, err
	}
	sum := sha256.Sum256(code)
	return Built{out, sources.language, int64(len(code)), hex.EncodeToString(sum[:]), said}, nil
}

// command is the compiler's command line for the sources.
func (t Toolchain) command(ctx context.Context, s sources, out string) (*exec.Cmd, error) {
	var cmd *exec.Cmd
	var err error
	switch s.language {
	case Go:
		cmd, err = goCommand(ctx, out)
	case C:
		cmd, err = cCommand(ctx, s.files, out)
	case Rust:
		cmd, err = rustCommand(ctx, s.files, out)
	case AssemblyScript:
		cmd, err = t.ascCommand(ctx, s, out)
	}
	if err != nil {
		return nil, err
	}
	// The compilers run in the folder and know its files by their names alone,
	// so that no path of this machine gets into a module.
	cmd.Dir = s.dir
	return cmd, nil
}

// CompilerError is a refusal by a compiler.
type CompilerError struct {
	Tool   string // name of the program
	Output string // all that it said
	Err    error
}

func (e *CompilerError) Error() string {
	return fmt.Sprintf("%s does not build it (%v): %s", e.Tool, e.Err, firstError(e.Output))
}

func (e *CompilerError) Unwrap() error { return e.Err }

// firstError is the first line that tells of an error, or the first at all but
// for a heading of Go's, such as "# example.com/crowding".
func firstError(output string) string {
	best := ""
	for line := range strings.Lines(output) {
		if strings.Contains(strings.ToLower(line), "error") {
			best = line
			break
		}
		if best == "" && !strings.HasPrefix(line, "#") {
			best = strings.TrimSpace(line)
		}
	}
	if best == "" {
		return "it said nothing"
	}
	const most = 300
	if best = strings.TrimSpace(best); len(best) > most {
		best = strings.ToValidUTF8(best[:most], "") + " …"
	}
	return best
}

func run(ctx context.Context, cmd *exec.Cmd) (said string, err error) {
	cmd.WaitDelay = 5 * time.Second
	output, err := cmd.CombinedOutput()
	if err == nil {
		return string(output), nil
	}
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	tool := filepath.Base(cmd.Path)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return "", &CompilerError{tool, string(output), err}
	}
	return "", fmt.Errorf("run %s: %w", tool, err)
}

// place writes a file by another name first, so that whoever watches the
// folder sees the old file or the new one, whole.
func place(code []byte, out string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(out), "."+filepath.Base(out)+".*.tmp")
	if err != nil {
		return fmt.Errorf("write the module: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write the module: %w", err)
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(code)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), out)
}
