package toolchain

import (
	"fmt"
	"os"
)

// Available says why modules cannot be built from a language on this machine,
// and what to install; nil where they can.
func Available(language Language) error {
	var err error
	switch language {
	case Go:
		_, err = findGo()
	case C:
		_, err = findClang()
	case Rust:
		_, err = findRustc()
	case AssemblyScript:
		_, err = findAsc(".")
	default:
		err = fmt.Errorf("language %q is none of %v", language, Languages)
	}
	return err
}

// TB is what Need uses of a test.
type TB interface {
	Helper()
	Skipf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Need skips a test where a language's compiler is missing, and fails it there
// when the variable CI is true: what was not tested must not look as if it was.
func Need(t TB, language Language) {
	t.Helper()
	err := Available(language)
	switch {
	case err == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("this test builds from %s: %v", language, err)
	default:
		t.Skipf("this test builds from %s: %v", language, err)
	}
}
