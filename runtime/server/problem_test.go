package server

import (
	"errors"
	"testing"
)

func TestProblemTellsItsCauseOnce(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk on fire")
	for _, test := range []struct {
		problem *Problem
		want    string
	}{
		{noData.problem("no weather"), "no weather"},
		{internal.problem("see the log").because(cause), "see the log: disk on fire"},
		{reloadFailed.problem("%v; no model is loaded", cause).because(cause), "disk on fire; no model is loaded"},
	} {
		if got := test.problem.Error(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
