package module

import "fmt"

// Error says why a file is refused, and where in it.
type Error struct {
	Offset int // of the byte that the reason is about, from the file's start
	Reason string
}

func (e *Error) Error() string {
	return fmt.Sprintf("at byte %d: %s", e.Offset, e.Reason)
}

func fail(offset int, format string, args ...any) *Error {
	return &Error{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}
