package toolchain

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func goCommand(ctx context.Context, out string) (*exec.Cmd, error) {
	compiler, err := findGo()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, compiler, "build", "-buildmode=c-shared", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w", "-o", out, ".")
	// What somebody has set for other builds must not change these bytes.
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOWASM=", "GOEXPERIMENT=")
	return cmd, nil
}

func findGo() (string, error) {
	if path, err := exec.LookPath("go"); err == nil {
		return path, nil
	}
	return "", errors.New("there is no go on the PATH: install Go 1.24 or newer from its site, or golang from the system's packages")
}

func cCommand(ctx context.Context, files []string, out string) (*exec.Cmd, error) {
	compiler, err := findClang()
	if err != nil {
		return nil, err
	}
	args := []string{
		"--target=wasm32", "-std=c11", "-Wall", "-Wextra",
		// Said to the compiler alone: at a plain -O2 the driver also runs a
		// wasm-opt of any version that is on the PATH, which makes other bytes.
		"-Xclang", "-O2",
		// No C library, and none of this machine's headers but the compiler's.
		"-ffreestanding", "-nostdlib", "-nostdlibinc",
		// A fused multiply-add would round differently from machine to machine.
		"-ffp-contract=off",
		// The same features whatever the compiler's version takes for granted.
		"-mcpu=mvp", "-mbulk-memory", "-msign-ext", "-mmutable-globals", "-mnontrapping-fptoint",
		// A stack that overflows runs into address 0 and traps, not into data.
		"-Wl,--stack-first", "-Wl,-z,stack-size=65536",
		"-Wl,--no-entry", "-Wl,--strip-all", "-o", out,
	}
	return exec.CommandContext(ctx, compiler, append(args, files...)...), nil
}

// findClang finds a clang that can make modules: with the target and with its
// linker.
func findClang() (string, error) {
	path, err := exec.LookPath(environment("CLANG", "clang"))
	if err != nil {
		return "", errors.New("there is no clang on the PATH: install the packages clang and lld, or name one in $CLANG")
	}
	targets, err := exec.Command(path, "--print-targets").Output()
	if err != nil || !strings.Contains(string(targets), "wasm32") {
		return "", errors.New(path + " has no target wasm32: install the package clang, or name another in $CLANG")
	}
	linker, err := exec.Command(path, "--print-prog-name=wasm-ld").Output()
	if err == nil {
		_, err = exec.LookPath(strings.TrimSpace(string(linker)))
	}
	if err != nil {
		return "", errors.New(path + " finds no wasm-ld to link with: install the package lld")
	}
	return path, nil
}

const rustTarget = "wasm32-unknown-unknown"

func rustCommand(ctx context.Context, files []string, out string) (*exec.Cmd, error) {
	compiler, err := findRustc()
	if err != nil {
		return nil, err
	}
	args := []string{
		"--edition=2021", "--crate-type=cdylib", "--crate-name=transform", "--target=" + rustTarget,
		"-O", "-C", "panic=abort", "-C", "codegen-units=1", "-C", "lto=fat", "-C", "strip=symbols",
		"-C", "target-cpu=mvp", "-C", "link-arg=-zstack-size=65536", "-o", out,
	}
	return exec.CommandContext(ctx, compiler, append(args, files...)...), nil
}

// findRustc finds a rustc that has the target's library: that of $RUSTC, or the
// first one on the PATH.
func findRustc() (string, error) {
	candidates := []string{os.Getenv("RUSTC")}
	if candidates[0] == "" {
		candidates = candidates[:0]
		for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
			candidates = append(candidates, filepath.Join(dir, "rustc"))
		}
		candidates = append(candidates, "/usr/bin/rustc")
	}
	without := ""
	for _, candidate := range candidates {
		path, err := exec.LookPath(candidate)
		if err != nil {
			continue
		}
		if hasRustTarget(path) {
			return path, nil
		}
		without = path
	}
	const install = "install the package libstd-rust-dev-wasm32, or run `rustup target add " + rustTarget + "`"
	if without == "" {
		return "", errors.New("there is no rustc on the PATH: install the package rustc, and " + install)
	}
	return "", errors.New(without + " has no library for " + rustTarget + ": " + install)
}

func hasRustTarget(rustc string) bool {
	folder, err := exec.Command(rustc, "--print=target-libdir", "--target="+rustTarget).Output()
	if err != nil {
		return false
	}
	libraries, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(folder)), "libstd-*.rlib"))
	return err == nil && len(libraries) > 0
}

// environment is a variable's value, or another where it is not set.
func environment(variable, otherwise string) string {
	if v := os.Getenv(variable); v != "" {
		return v
	}
	return otherwise
}
