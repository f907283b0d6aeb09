// Command livelab forecasts bike-share shortages and is the whole machine
// around that forecast. Each step of the way is a command of its own, and
// `livelab up` does all of it on one machine.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"livelab/runtime/wasm"
)

// The exit codes, which scripts rely on.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitRefused     = 3 // the gate refused
	exitUndecidable = 4 // the gate could not decide
)

// exitError is an error that ends the program with a code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func main() {
	wasm.CompileIfChild()
	ctx, end := untilSignal()
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	end()
	os.Exit(code)
}

// untilSignal ends with the first signal to end, which lets the work in hand
// finish. The second one ends the program at once: it is no longer listened for
// by the time that anybody hears of the first.
func untilSignal() (context.Context, context.CancelFunc) {
	ctx, end := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
		case <-ctx.Done():
		}
		signal.Stop(signals)
		end()
	}()
	return ctx, end
}

// run is the program: its arguments, streams and exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	results := &resultWriter{w: stdout}
	a := &app{stdout: results, stderr: stderr, getenv: os.LookupEnv}
	root := a.rootCommand()
	root.SetArgs(args)
	err := errors.Join(root.ExecuteContext(ctx), a.transforms.close())
	if err == nil {
		err = results.err
	}
	if err == nil {
		return exitDone
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		fmt.Fprintln(stderr, "livelab: stopped")
		return exitFailed
	}
	fmt.Fprintln(stderr, "livelab:", err)
	var e *exitError
	switch {
	case errors.As(err, &e):
		return e.code
	case strings.HasPrefix(err.Error(), "unknown command"): // cobra has no type for it
		return exitUsage
	}
	return exitFailed
}

// resultWriter remembers that a result could not be written: a program that
// reads it must not take half of it for all.
type resultWriter struct {
	w   io.Writer
	err error
}

func (r *resultWriter) Write(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.w.Write(p)
	if err != nil {
		r.err = fmt.Errorf("write the result: %w", err)
	}
	return n, r.err
}
