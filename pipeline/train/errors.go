package train

import "fmt"

// InsufficientData is the gate's word for data that no verdict can rest on.
const InsufficientData = "insufficient_data"

// LeastRows is the number of labelled rows under which training refuses.
const LeastRows = 20

// TooLittleError says that there are too few labelled rows to train on.
type TooLittleError struct {
	Labelled int // rows with a label, both at t and at t+h
	Rows     int // all rows
}

func (e *TooLittleError) Error() string {
	return fmt.Sprintf("too little data: %d of %d rows are labelled, training needs at least %d; collect longer or run backfill or import first",
		e.Labelled, e.Rows, LeastRows)
}

// OneClassError says that a part of the rows holds one class only, or nothing,
// so that it can neither teach nor measure.
type OneClassError struct {
	Part      string // "train", "validation" or "test"
	Rows      int
	Positives int
}

// Verdict is the gate's word for it.
func (e *OneClassError) Verdict() string { return InsufficientData }

func (e *OneClassError) Error() string {
	return InsufficientData + ": " + e.reason() + "; collect data over a longer time, with shortages in it, and train again"
}

func (e *OneClassError) reason() string {
	if e.Rows == 0 {
		return fmt.Sprintf("the %s part has no rows", e.Part)
	}
	return fmt.Sprintf("%d of the %d rows of the %s part are short, both classes are needed", e.Positives, e.Rows, e.Part)
}
