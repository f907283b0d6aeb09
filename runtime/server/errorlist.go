package server

import "fmt"

// maxErrors is how many field errors one answer names.
const maxErrors = 100

// errorList gathers what is wrong with a body. The zero value is empty.
type errorList struct {
	errs []FieldError
	more int // errors beyond maxErrors
}

// room reports whether one more error will be named. It is counted where not,
// so that a caller need not put it into words.
func (l *errorList) room() bool {
	if len(l.errs) < maxErrors {
		return true
	}
	l.more++
	return false
}

func (l *errorList) refuse(field, detail string) {
	if l.room() {
		l.errs = append(l.errs, FieldError{field, detail})
	}
}

// all gives the errors, with a last one that counts those beyond maxErrors. It
// is nil where nothing is wrong.
func (l *errorList) all() []FieldError {
	if l.more > 0 {
		l.errs = append(l.errs, FieldError{"", fmt.Sprintf("and %d more errors", l.more)})
	}
	return l.errs
}
