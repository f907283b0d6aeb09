package main

import (
	"slices"
	"strings"
	"testing"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
)

// TestWithOutputs chooses what a model reads of the transforms it is trained
// with.
func TestWithOutputs(t *testing.T) {
	t.Parallel()
	ts := []features.Transform{
		featurestest.New("a", []string{"temp_2m"}, []string{"x", "y"}, nil),
		featurestest.New("b", []string{"temp_2m"}, []string{"z"}, nil),
	}
	for _, tt := range []struct{ chosen, want, err string }{
		{"", "", ""}, // the training's default has all
		{"temp_2m", "temp_2m a.x a.y b.z", ""},
		{"temp_2m a.y", "temp_2m a.y b.z", ""},
		{"b.z a.x", "b.z a.x", ""},
		{"temp_2m a.w", "", `"a.w", which no --transform gives`},
		{"c.x", "", `"c.x"`},
	} {
		got, err := withOutputs(strings.Fields(tt.chosen), ts)
		if tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) || tt.err == "" && err != nil {
			t.Errorf("%q: error %v, want %q", tt.chosen, err, tt.err)
		}
		if !slices.Equal(got, strings.Fields(tt.want)) {
			t.Errorf("%q: the inputs are %q, want %q", tt.chosen, got, tt.want)
		}
	}
}
