package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

func scriptRefuses(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: refuses CODE PROGRAM ARG…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	var exit *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
	if problem := oneError(ts.ReadFile("stderr")); problem != "" {
		ts.Fatalf("%s", problem)
	}
}

// oneError says what is wrong with what a program that failed wrote to stderr:
// beside the lines of the log there is to be one line, the error.
func oneError(stderr string) string {
	var said []string
	for _, line := range strings.Split(strings.TrimSpace(stderr), "\n") {
		if !strings.HasPrefix(line, "time=") {
			said = append(said, line)
		}
	}
	switch {
	case len(said) != 1:
		return "the error has " + strconv.Itoa(len(said)) + " lines, want one"
	case !strings.HasPrefix(said[0], "livelab: "):
		return "the error does not name the program: " + said[0]
	case len(said[0]) > 600:
		return "the error is longer than anyone reads: " + strconv.Itoa(len(said[0])) + " bytes"
	}
	return ""
}

func scriptDump(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: dump STORE FILE")
	}
	text, err := dumpSQLite(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

func scriptEdit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: edit FILE OLD NEW")
	}
	files, err := expand(ts.MkAbs(args[0]))
	ts.Check(err)
	b, err := os.ReadFile(files)
	ts.Check(err)
	if !bytes.Contains(b, []byte(args[1])) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(files, bytes.ReplaceAll(b, []byte(args[1]), []byte(args[2])), 0o600))
}
