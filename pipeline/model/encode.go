package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Encode gives model.json: canonical, so that equal models are equal bytes.
func Encode(m *Model) ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	rest := *m
	rest.Trees = nil
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(&rest); err != nil {
		return nil, fmt.Errorf("encode model %s: %w", m.Name, err)
	}
	if m.Trees == nil {
		return b.Bytes(), nil
	}
	return withTrees(b.Bytes(), m.Trees)
}

// family is the line after which the trees are. There is one such line: what
// is within a value is indented further, and a string has no line breaks.
var family = []byte("\n  \"family\": \"trees\",\n")

// withTrees puts the trees into the encoding of the rest of their model, each
// array of numbers on one line: the encoder would give each number its own.
func withTrees(rest []byte, t *Trees) ([]byte, error) {
	before, after, ok := bytes.Cut(rest, family)
	if !ok {
		return nil, errors.New("encode trees: the model is not of their family")
	}
	var w writer
	w.b.Write(before)
	w.b.Write(family)
	w.text("  \"trees\": {\n    \"edges\": ")
	w.list(len(t.Edges), func(i int) {
		w.text("      ")
		writeNumbers(&w, t.Edges[i])
	})
	w.text(",\n    \"trees\": ")
	w.list(len(t.Trees), func(i int) { w.tree(&t.Trees[i]) })
	w.text("\n  },\n")
	w.b.Write(after)
	return w.b.Bytes(), w.err
}

// writer builds JSON. It keeps the first error.
type writer struct {
	b   bytes.Buffer
	err error
}

func (w *writer) text(s string) { w.b.WriteString(s) }

// list writes so many items within the trees, each on lines of its own.
func (w *writer) list(items int, write func(i int)) {
	if items == 0 {
		w.text("[]")
		return
	}
	w.text("[\n")
	for i := range items {
		write(i)
		if i < items-1 {
			w.text(",")
		}
		w.text("\n")
	}
	w.text("    ]")
}

func (w *writer) tree(t *Tree) {
	w.text("      {\n        \"input\": ")
	writeNumbers(w, t.Input)
	w.text(",\n        \"edge\": ")
	writeNumbers(w, t.Edge)
	w.text(",\n        \"missing_left\": ")
	writeNumbers(w, t.MissingLeft)
	w.text(",\n        \"left\": ")
	writeNumbers(w, t.Left)
	w.text(",\n        \"right\": ")
	writeNumbers(w, t.Right)
	w.text(",\n        \"value\": ")
	writeNumbers(w, t.Value)
	w.text(",\n        \"rows\": ")
	writeNumbers(w, t.Rows)
	w.text("\n      }")
}

// writeNumbers writes [1,2,3]; no numbers are [], never null.
func writeNumbers[T int | float64](w *writer, numbers []T) {
	if len(numbers) == 0 {
		w.text("[]")
		return
	}
	b, err := json.Marshal(numbers)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("encode trees: %w", err)
	}
	w.b.Write(b)
}

// Decode reads model.json. It refuses what Encode would not have written.
func Decode(b []byte) (*Model, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	m := new(Model)
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("decode model: %w", err)
	}
	canonical, err := Encode(m)
	if err != nil {
		return nil, fmt.Errorf("decode model: %w", err)
	}
	if !bytes.Equal(canonical, b) {
		return nil, errors.New("decode model: the file is not in its canonical form; it was changed after training")
	}
	return m, nil
}
