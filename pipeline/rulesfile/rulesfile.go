// Package rulesfile reads the YAML files in which users keep rules: small,
// strict about what they name, and with errors in the words of the file.
package rulesfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/goccy/go-yaml"
)

// MaxBytes is the size up to which a file is read.
const MaxBytes = 64 << 10

// Decode gives the base, a struct with yaml tags, with what the file changes. A
// key that is left out or left empty keeps the base's value. An unknown key, one
// that is there twice, a value of another kind and a second document are
// errors.
func Decode[T any](b []byte, base T) (T, error) {
	if len(b) > MaxBytes {
		return base, fmt.Errorf("the file has %d bytes, at most %d are read: it is no rules file", len(b), MaxBytes)
	}
	r := base
	d := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict())
	switch err := d.Decode(&r); {
	case errors.Is(err, io.EOF): // only comments: the decoder has cleared r
		return base, nil
	case err != nil:
		return base, Explain(err)
	}
	if err := d.Decode(new(T)); !errors.Is(err, io.EOF) {
		return base, errors.New("the file holds a second document: keep one")
	}
	return r, nil
}

// Explain says on one line, and in words of the file, what the decoder says
// over several and in words of Go.
func Explain(err error) error {
	var wrong *yaml.TypeError
	if !errors.As(err, &wrong) || wrong.Token == nil {
		return errors.New(yaml.FormatError(err, false, false))
	}
	kind := "a block of rules"
	switch wrong.DstType.Kind() {
	case reflect.Bool:
		kind = "true or false"
	case reflect.Float64:
		kind = "a number"
	case reflect.Int, reflect.Uint64:
		kind = "a whole number"
	}
	return fmt.Errorf("line %d: %q must be %s", wrong.Token.Position.Line, wrong.Token.Value, kind)
}
