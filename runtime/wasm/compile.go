package wasm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/tetratelabs/wazero"
)

// compileVariable tells a process that it is a child, and what to do.
const compileVariable = "LIVELAB_COMPILE_TRANSFORM"

// How a child ends.
const (
	exitDone    = 0
	exitRefused = 70 // the engine does not take the module; standard output says why
	exitTime    = 71
	exitMemory  = 72
	exitFolder  = 73 // the folder does not take machine code; standard output says why
)

// A job is what a child is told. The metered module comes by standard input.
type job struct {
	Folder  string        `json:"folder"`  // where the machine code goes
	Outline string        `json:"outline"` // file of the outline that it belongs to from then on
	Pages   uint32        `json:"pages"`
	CPU     time.Duration `json:"cpu"`
	Memory  int64         `json:"memory"` // bytes on top of what the process starts with
}

// CompileIfChild does not return where this process is a child that compiles a
// transform. A program that makes a Host calls it first thing in main, and
// tests in TestMain.
func CompileIfChild() {
	text, ok := os.LookupEnv(compileVariable)
	if !ok {
		return
	}
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		fmt.Println("the job cannot be read:", err)
		os.Exit(1)
	}
	os.Exit(j.run())
}

// limits for a module with so much code.
func (c CompileLimits) job(code int) job {
	return job{
		CPU:    slowdown * (c.CPU + time.Duration(code/1024)*c.CPUPerKB),
		Memory: slowdown * (c.Memory + int64(code)*c.MemoryByte),
	}
}

// compile a metered module in a child process, into a folder, for its outline
// in a file. A *Refusal is the module's fault.
func compile(ctx context.Context, cfg Config, metered []byte, code int, folder, outline string) error {
	j := cfg.Compile.job(code)
	j.Folder, j.Outline, j.Pages = folder, outline, cfg.Budget.Pages
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	compiler := cfg.Compiler
	if len(compiler) == 0 {
		self, err := executable()
		if err != nil {
			return fmt.Errorf("find the program to compile with: %w", err)
		}
		compiler = []string{self}
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Compile.Wall)
	defer cancel()
	said := &limited{most: 4 << 10}
	cmd := exec.CommandContext(ctx, compiler[0], compiler[1:]...)
	if len(cfg.Compiler) == 0 {
		cmd.Args[0] = "livelab-compile-transform"
	}
	cmd.Env = []string{compileVariable + "=" + string(text), "GOMAXPROCS=1", "GOTRACEBACK=none", "GORACE=atexit_sleep_ms=0"}
	cmd.Dir = folder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(metered), said, said
	cmd.WaitDelay = time.Second
	confine(cmd)

	// The child dies with the thread that started it, so that it is this one
	// that waits.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err = cmd.Run()
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("compiling did not end in %v: try again when the machine is less busy", cfg.Compile.Wall)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return j.verdict(err, cmd.ProcessState, said.String())
}

func (j job) verdict(err error, state *os.ProcessState, said string) error {
	if err == nil {
		return nil
	}
	if state == nil {
		return fmt.Errorf("start a process to compile in: %w", err)
	}
	switch {
	case state.ExitCode() == exitFolder:
		return &folderError{folder: j.Folder, err: errors.New(clean(strings.TrimSpace(said), 300))}
	case state.ExitCode() == exitTime || stoppedForTime(state):
		return refuse("compiling takes more than %v of processor time: make the code smaller, its functions above all", j.CPU)
	case state.ExitCode() == exitMemory || strings.Contains(said, "out of memory") || strings.Contains(said, "cannot allocate memory"):
		return refuse("compiling takes more than %d MiB of memory: make the code smaller, its functions above all", j.Memory>>20)
	case state.ExitCode() == exitRefused:
		return refuse("the engine does not take it: %s", clean(said, 300))
	}
	return fmt.Errorf("compile in a child process: %v: %s", state, clean(said, 300))
}

// run is the child.
func (j job) run() int {
	j.limit()
	metered, err := io.ReadAll(os.Stdin)
	if err != nil {
		fmt.Println("read the module:", err)
		return 1
	}
	code, err := j.compile(metered, j.Folder)
	if err != nil {
		fmt.Println(err)
		return exitOf(err, exitRefused)
	}
	if err := j.give(code, metered); err != nil {
		fmt.Println("give machine code to the outline:", err)
		return exitOf(err, 1)
	}
	return exitDone
}

// exitOf an error, which is not the module's where the folder is at fault.
func exitOf(err error, code int) int {
	if unwritable(err) {
		return exitFolder
	}
	return code
}

// compile into a folder. The file with machine code is none where the engine
// has no compiler for this machine.
func (j job) compile(code []byte, folder string) (file string, err error) {
	ctx := context.Background()
	cache, err := wazero.NewCompilationCacheWithDir(folder)
	if err != nil {
		return "", err
	}
	defer cache.Close(ctx)
	if _, err := newRuntime(ctx, cache, j.Pages).CompileModule(ctx, code); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(folder, "*", "*"))
	if err != nil || len(files) == 0 {
		return "", err
	}
	return files[0], nil
}

// give machine code to the outline. The engine knows it by a name that it makes
// of the module, and so is asked for the outline's. Without machine code the
// module itself is needed.
func (j job) give(file string, metered []byte) error {
	if file == "" {
		return os.WriteFile(j.Outline, metered, 0o600)
	}
	outline, err := os.ReadFile(j.Outline)
	if err != nil {
		return err
	}
	traps, err := os.MkdirTemp(filepath.Dir(j.Outline), "traps-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(traps)
	name, err := j.compile(outline, traps)
	if err != nil {
		return err
	}
	return os.Rename(file, filepath.Join(filepath.Dir(file), filepath.Base(name)))
}

// limited keeps the first of what is written to it.
type limited struct {
	bytes.Buffer
	most int
}

func (l *limited) Write(p []byte) (int, error) {
	l.Buffer.Write(p[:min(len(p), l.most-l.Len())])
	return len(p), nil
}
