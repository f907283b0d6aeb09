package abi

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of the texts in a description.
const (
	MaxName    = 64      // bytes, of a transform, an input or an output
	MaxVersion = 32      // bytes
	MaxDoc     = 1 << 10 // bytes of one line, of a transform or an output
	numbers    = "0123456789"
	letters    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// Description is what a module says of itself: the JSON that Describe gives.
type Description struct {
	Name    string   `json:"name"`          // see ValidName
	Version string   `json:"version"`       // the author's own, such as 1.0 or 1.2.3-beta.1
	Doc     string   `json:"doc,omitempty"` // one line
	Inputs  []Input  `json:"inputs"`        // in the order of the columns, at least one
	Outputs []Output `json:"outputs"`       // in the order of the columns, at least one
}

// Input is a column that a transform reads.
type Input struct {
	// Name is a column of the host's catalogue, or transform.output for what
	// another transform gives.
	Name string `json:"name"`
}

// Output is a column that a transform gives.
type Output struct {
	Name string `json:"name"` // see ValidName
	Doc  string `json:"doc,omitempty"`

	// Min and Max bound its values, both included. Nil bounds nothing. A value
	// outside of them is an error of its row.
	Min *float64 `json:"min,omitempty"`
	Max *float64 `json:"max,omitempty"`
}

// NameRule says what ValidName asks for.
const NameRule = "a letter, then at most 63 letters, digits, _ and -"

// ValidName reports whether s can name a transform or an output: an ASCII
// letter, then at most 63 letters, digits, underscores and hyphens.
func ValidName(s string) bool {
	return s != "" && len(s) <= MaxName && only(s[:1], letters) && only(s, letters+numbers+"_-")
}

// Validate says what breaks the contract, nil where nothing does.
func (d Description) Validate() error {
	if !ValidName(d.Name) {
		return fmt.Errorf("name %q: use "+NameRule, clip(d.Name))
	}
	if !validVersion(d.Version) {
		return fmt.Errorf("version %q: use letters, digits and . + - _ such as 1.0.0, at most %d bytes", clip(d.Version), MaxVersion)
	}
	if err := validDoc(d.Doc); err != nil {
		return err
	}
	if err := d.validInputs(); err != nil {
		return err
	}
	return d.validOutputs()
}

func (d Description) validInputs() error {
	if err := validCount("inputs", len(d.Inputs)); err != nil {
		return err
	}
	seen := make(map[string]bool, len(d.Inputs))
	for _, in := range d.Inputs {
		transform, output, dotted := strings.Cut(in.Name, ".")
		if !ValidName(transform) || dotted && !ValidName(output) {
			return fmt.Errorf("input %q: use the name of a column, or transform.output", clip(in.Name))
		}
		if seen[in.Name] {
			return fmt.Errorf("input %q is there twice: read it once", in.Name)
		}
		seen[in.Name] = true
	}
	return nil
}

func (d Description) validOutputs() error {
	if err := validCount("outputs", len(d.Outputs)); err != nil {
		return err
	}
	seen := make(map[string]bool, len(d.Outputs))
	for _, out := range d.Outputs {
		if !ValidName(out.Name) {
			return fmt.Errorf("output %q: use "+NameRule, clip(out.Name))
		}
		if seen[out.Name] {
			return fmt.Errorf("output %q is there twice: give each a name of its own", out.Name)
		}
		seen[out.Name] = true
		if err := out.valid(); err != nil {
			return fmt.Errorf("output %q: %w", out.Name, err)
		}
	}
	return nil
}

func (o Output) valid() error {
	for _, bound := range []*float64{o.Min, o.Max} {
		if bound != nil && (math.IsNaN(*bound) || math.IsInf(*bound, 0)) {
			return fmt.Errorf("bound %v: leave out a bound that is not finite", *bound)
		}
	}
	if o.Min != nil && o.Max != nil && *o.Min > *o.Max {
		return fmt.Errorf("min %v is above max %v: swap them", *o.Min, *o.Max)
	}
	return validDoc(o.Doc)
}

func validCount(what string, n int) error {
	if n == 0 {
		return fmt.Errorf("no %s: name at least one", what)
	}
	if n > MaxColumns {
		return fmt.Errorf("%d %s: name at most %d", n, what, MaxColumns)
	}
	return nil
}

// validVersion leaves it to the author how versions look, as long as they fit
// into a table.
func validVersion(s string) bool {
	return s != "" && len(s) <= MaxVersion && only(s, letters+numbers+".+-_")
}

// validDoc refuses what could play tricks on a terminal or a log.
func validDoc(s string) error {
	if len(s) > MaxDoc {
		return fmt.Errorf("doc of %d bytes: use at most %d", len(s), MaxDoc)
	}
	if !utf8.ValidString(s) {
		return errors.New("doc is not UTF-8: encode it so")
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) {
			return fmt.Errorf("doc has the character %U: use one line of printable ones", r)
		}
	}
	return nil
}

func only(s, set string) bool {
	for i := range len(s) {
		if strings.IndexByte(set, s[i]) < 0 {
			return false
		}
	}
	return true
}

// clip keeps an error short whatever a module says.
func clip(s string) string {
	if len(s) > MaxName {
		return s[:MaxName] + "..."
	}
	return s
}
