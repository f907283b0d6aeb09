package features

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Order puts transforms into the one order in which they are applied, whatever
// order they come in: each after those whose outputs it reads and, of those
// that could be next, the one whose name sorts first. ts stays as it is.
//
// The error says which transform reads what none gives, which read each other,
// or which name is there twice.
func Order(ts []Transform) ([]Transform, error) {
	left := make(map[string]Transform, len(ts))
	for _, t := range ts {
		name := t.Spec().Name
		if left[name] != nil {
			return nil, fmt.Errorf("there are two transforms %s, and their outputs would have the same names: choose one", name)
		}
		left[name] = t
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if err := partners(left[name].Spec(), left); err != nil {
			return nil, err
		}
	}
	ordered := make([]Transform, 0, len(ts))
	for len(left) > 0 {
		name := nextOf(left)
		if name == "" {
			return nil, cycleError(left)
		}
		ordered = append(ordered, left[name])
		delete(left, name)
	}
	return ordered, nil
}

// partners checks that what a transform reads of others is given.
func partners(spec TransformSpec, all map[string]Transform) error {
	for _, in := range spec.Inputs {
		name, output, ok := strings.Cut(in, ".")
		switch {
		case !ok:
		case all[name] == nil:
			return fmt.Errorf("transform %s reads %s: add --transform %s", spec.Name, in, name)
		case !slices.Contains(all[name].Spec().Outputs, output):
			return fmt.Errorf("transform %s reads %s, but %s gives only %s: take versions that fit together",
				spec.Name, in, name, strings.Join(all[name].Spec().Outputs, " "))
		}
	}
	return nil
}

// nextOf names the first transform that waits for none of those left, empty
// where each does.
func nextOf(left map[string]Transform) string {
	for _, name := range slices.Sorted(maps.Keys(left)) {
		if waitsFor(left[name].Spec(), left) == "" {
			return name
		}
	}
	return ""
}

// waitsFor names a transform of those left that one reads, empty for none.
func waitsFor(spec TransformSpec, left map[string]Transform) string {
	for _, in := range spec.Inputs {
		if name, _, ok := strings.Cut(in, "."); ok && left[name] != nil {
			return name
		}
	}
	return ""
}

// cycleError names those that read each other, where each of those left waits
// for another of them.
func cycleError(left map[string]Transform) error {
	var path []string
	name := slices.Min(slices.Collect(maps.Keys(left)))
	for !slices.Contains(path, name) {
		path = append(path, name)
		name = waitsFor(left[name].Spec(), left)
	}
	circle := path[slices.Index(path, name):]
	slices.Sort(circle)
	if len(circle) == 1 {
		return fmt.Errorf("transform %s reads its own output: leave it out", name)
	}
	last := len(circle) - 1
	return fmt.Errorf("the transforms %s and %s read each other, and neither can be first: leave one out",
		strings.Join(circle[:last], ", "), circle[last])
}
