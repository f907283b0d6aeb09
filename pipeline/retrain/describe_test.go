package retrain

import (
	"testing"

	"livelab/pipeline/quality"
)

// TestDescribeShowsWhatWasFound holds that a report lists what is the matter,
// and nothing that was looked for in vain.
func TestDescribeShowsWhatWasFound(t *testing.T) {
	t.Parallel()
	data := describe(quality.Report{
		Gaps:     quality.Stretches{Count: 1, Hours: 30, Longest: []quality.Stretch{{From: "Monday", To: "Tuesday", Hours: 30}}},
		Rules:    quality.Rules{MaxGapHours: 2},
		Stations: &quality.Stations{Count: 3, Dead: quality.Named{Count: 1, IDs: []string{"a"}}},
		Excluded: []quality.Exclusion{{What: "12 snapshots", Why: "nothing moved"}},
	})
	want := []string{
		"gaps: 1 longer than 2 hours, 30.0 hours in all; the longest from Monday to Tuesday (30.0 h)",
		"dead stations: 1 with no change for 0 days: a",
	}
	if len(data.Findings) != len(want) {
		t.Fatalf("found %+v", data.Findings)
	}
	for i, f := range data.Findings {
		if got := f.Name + ": " + f.Text; got != want[i] {
			t.Errorf("got  %q\nwant %q", got, want[i])
		}
	}
	if len(data.Excluded) != 1 || data.Excluded[0].Name != "12 snapshots" {
		t.Errorf("excluded %+v", data.Excluded)
	}
}
