package toolchain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func (t Toolchain) ascCommand(ctx context.Context, s sources, out string) (*exec.Cmd, error) {
	compiler, err := findAsc(s.dir)
	if err != nil {
		if compiler, err = t.installAsc(ctx, s.dir); err != nil {
			return nil, err
		}
	}
	args := append(s.files, "--exportStart", "_initialize", "--runtime", "stub", "--use", "abort=",
		"-O3", "--noColors", "--outFile", out)
	return exec.CommandContext(ctx, compiler, args...), nil
}

// findAsc finds the compiler: that of $ASC, that which npm installed in the
// folder or one above it, or that on the PATH.
func findAsc(dir string) (string, error) {
	if path := os.Getenv("ASC"); path != "" {
		path, err := exec.LookPath(path)
		if err != nil {
			return "", fmt.Errorf("$ASC: %w", err)
		}
		return filepath.Abs(path)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := dir; ; at = filepath.Dir(at) {
		if path, err := exec.LookPath(filepath.Join(at, "node_modules", ".bin", "asc")); err == nil {
			return path, nil
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	if path, err := exec.LookPath("asc"); err == nil {
		return path, nil
	}
	return "", errors.New("there is no asc, AssemblyScript's compiler, on the PATH: install Node.js with npm, then `npm install --global assemblyscript`")
}

// installAsc has npm install what the folder's package.json asks for.
func (t Toolchain) installAsc(ctx context.Context, dir string) (string, error) {
	_, missing := findAsc(dir)
	if !exists(filepath.Join(dir, "package.json")) || exists(filepath.Join(dir, "node_modules")) {
		return "", missing
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", missing
	}
	verb := "install"
	if exists(filepath.Join(dir, "package-lock.json")) {
		verb = "ci"
	}
	t.say("installing AssemblyScript: npm " + verb + " in " + dir)
	cmd := exec.CommandContext(ctx, npm, verb, "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = dir
	if _, err := run(ctx, cmd); err != nil {
		return "", err
	}
	return findAsc(dir)
}

func (t Toolchain) say(line string) {
	if t.Say != nil {
		t.Say(line)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
