package wasm

import (
	"errors"
	"fmt"
)

// ErrClosed is what calls after Close get.
var ErrClosed = errors.New("the host of transforms is closed")

// Refusal is the error for a module that is not admitted. Any other error of
// Admit means that the host could not tell, for want of a folder or a process.
type Refusal struct {
	Step   Step   // empty for one that was admitted and fails now
	Reason string // says what to do
}

func (r *Refusal) Error() string {
	if r.Step == "" {
		return r.Reason
	}
	return fmt.Sprintf("refused at %s: %s", r.Step, r.Reason)
}

// refuse without a step, which the one who runs the steps fills in.
func refuse(format string, args ...any) error {
	return &Refusal{Reason: fmt.Sprintf(format, args...)}
}

// A trap is how a call ended that did not return: its instance is spent.
type trap struct {
	cause  Cause
	reason string
}

func (t *trap) Error() string { return t.reason }
