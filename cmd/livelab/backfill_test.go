package main

import (
	"strings"
	"testing"

	"livelab/pipeline/ingest"
)

func TestPrintBackfillTellsWhatWasDropped(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		dropped  int64
		asJSON   bool
		want     string
		unwanted string
	}{
		{3, false, "3 of the rows were dropped", "no history"},
		{0, false, "8 rows of history", "dropped"},
		{3, true, `"dropped": 3`, "no history"},
		{0, true, `"dropped": 0`, "no history"},
	} {
		var out strings.Builder
		a := &app{stdout: &out}
		if err := a.printBackfill("n", ingest.BackfillResult{Rows: 8, Dropped: test.dropped}, test.asJSON); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), test.want) || strings.Contains(out.String(), test.unwanted) {
			t.Errorf("%+v printed %s", test, out.String())
		}
	}
}
