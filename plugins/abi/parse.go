package abi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// ParseDescription reads the JSON that a module gives of itself, and takes it
// only where there is one way to read it: every field known, in its right
// case and there once, nothing null, nothing after the end.
func ParseDescription(data []byte) (Description, error) {
	d, err := parse(data)
	if err != nil {
		return Description{}, fmt.Errorf("description: %w", err)
	}
	return d, nil
}

func parse(data []byte) (Description, error) {
	if len(data) > MaxDescription {
		return Description{}, fmt.Errorf("%d bytes: use at most %d", len(data), MaxDescription)
	}
	if !utf8.Valid(data) {
		return Description{}, errors.New("it is not UTF-8: encode it so")
	}
	if !json.Valid(data) {
		return Description{}, errors.New("it is not one JSON object: check its syntax, and that nothing follows it")
	}
	var d Description
	r := reader{json.NewDecoder(bytes.NewReader(data))}
	r.UseNumber()
	err := r.object(fields{
		"name":    r.text(&d.Name),
		"version": r.text(&d.Version),
		"doc":     r.text(&d.Doc),
		"inputs":  r.list(func() error { return r.input(&d) }),
		"outputs": r.list(func() error { return r.output(&d) }),
	})
	if err != nil {
		return Description{}, err
	}
	return d, d.Validate()
}

// A reader walks over JSON whose syntax is known to be right. The standard
// library's own way into structs lets duplicates, nulls and other cases pass.
type reader struct{ *json.Decoder }

// fields are the known ones of an object, each with what reads its value.
type fields map[string]func() error

func (r reader) object(known fields) error {
	if err := r.delim('{', "an object"); err != nil {
		return err
	}
	seen := make(map[string]bool, len(known))
	for r.More() {
		t, err := r.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		read, ok := known[name]
		if !ok {
			return fmt.Errorf("field %q is not known: leave it out", clip(name))
		}
		if seen[name] {
			return fmt.Errorf("field %q is there twice: keep one", name)
		}
		seen[name] = true
		if err := read(); err != nil {
			return fmt.Errorf("field %q: %w", name, err)
		}
	}
	_, err := r.Token()
	return err
}

func (r reader) list(item func() error) func() error {
	return func() error {
		if err := r.delim('[', "a list"); err != nil {
			return err
		}
		for r.More() {
			if err := item(); err != nil {
				return err
			}
		}
		_, err := r.Token()
		return err
	}
}

func (r reader) input(d *Description) error {
	var in Input
	err := r.object(fields{"name": r.text(&in.Name)})
	d.Inputs = append(d.Inputs, in)
	return err
}

func (r reader) output(d *Description) error {
	var out Output
	err := r.object(fields{
		"name": r.text(&out.Name),
		"doc":  r.text(&out.Doc),
		"min":  r.number(&out.Min),
		"max":  r.number(&out.Max),
	})
	d.Outputs = append(d.Outputs, out)
	return err
}

func (r reader) text(to *string) func() error {
	return func() error {
		t, err := r.Token()
		if err != nil {
			return err
		}
		s, ok := t.(string)
		if !ok {
			return errors.New("a text is needed")
		}
		*to = s
		return nil
	}
}

func (r reader) number(to **float64) func() error {
	return func() error {
		t, err := r.Token()
		if err != nil {
			return err
		}
		n, ok := t.(json.Number)
		if !ok {
			return errors.New("a number is needed; leave the field out for no bound")
		}
		f, err := n.Float64()
		if err != nil {
			return fmt.Errorf("%s is out of range: leave the field out for no bound", clip(n.String()))
		}
		*to = &f
		return nil
	}
}

func (r reader) delim(want json.Delim, what string) error {
	t, err := r.Token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("%s is needed", what)
	}
	return nil
}
