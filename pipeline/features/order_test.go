package features_test

import (
	"slices"
	"strings"
	"testing"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
)

// reader is a transform with one output, y.
func reader(name string, inputs ...string) features.Transform {
	return featurestest.New(name, inputs, []string{"y"}, nil)
}

// TestOrder holds that each order of the same transforms becomes the same one.
func TestOrder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		ts   []features.Transform
		want string
	}{
		{"none", nil, ""},
		{"by name", []features.Transform{reader("b", "temp_2m"), reader("c", "temp_2m"), reader("a", "temp_2m")}, "a b c"},
		{"a chain", []features.Transform{reader("a", "b.y"), reader("b", "c.y", "temp_2m"), reader("c", "temp_2m")}, "c b a"},
		{"a diamond", []features.Transform{reader("a", "m.y", "n.y"), reader("m", "z.y"), reader("n", "z.y"), reader("z", "temp_2m")}, "z m n a"},
		{"name goes after dependency", []features.Transform{reader("a", "z.y"), reader("b", "temp_2m"), reader("z", "temp_2m")}, "b z a"},
	} {
		permute(tt.ts, func(ts []features.Transform) {
			before := namesOf(ts)
			got, err := features.Order(ts)
			if err != nil || namesOf(got) != tt.want {
				t.Errorf("%s: %s become %s (%v), want %s", tt.name, before, namesOf(got), err, tt.want)
			}
			if namesOf(ts) != before {
				t.Errorf("%s: what was given was changed", tt.name)
			}
		})
	}
}

func TestOrderRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		ts   []features.Transform
		want string
	}{
		{[]features.Transform{reader("c_other", "calendar.weekend")}, "transform c_other reads calendar.weekend: add --transform calendar"},
		{[]features.Transform{reader("a", "b.x"), reader("b", "temp_2m")}, "transform a reads b.x, but b gives only y"},
		{[]features.Transform{reader("b", "a.y"), reader("a", "b.y"), reader("after", "b.y")}, "the transforms a and b read each other"},
		{[]features.Transform{reader("c", "a.y"), reader("a", "b.y"), reader("b", "c.y")}, "the transforms a, b and c read each other"},
		{[]features.Transform{reader("a", "a.y")}, "transform a reads its own output"},
		{[]features.Transform{reader("a", "temp_2m"), reader("a", "free_bikes")}, "there are two transforms a,"},
	} {
		permute(tt.ts, func(ts []features.Transform) {
			if _, err := features.Order(ts); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v, want %q", namesOf(ts), err, tt.want)
			}
		})
	}
}

func namesOf(ts []features.Transform) string {
	var names []string
	for _, t := range ts {
		names = append(names, t.Spec().Name)
	}
	return strings.Join(names, " ")
}

// permute calls f with each order of ts.
func permute(ts []features.Transform, f func([]features.Transform)) {
	var put func(done, left []features.Transform)
	put = func(done, left []features.Transform) {
		if len(left) == 0 {
			f(done)
		}
		for i, t := range left {
			put(append(slices.Clone(done), t), slices.Delete(slices.Clone(left), i, i+1))
		}
	}
	put(nil, ts)
}
