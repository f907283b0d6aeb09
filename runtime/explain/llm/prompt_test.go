package llm

import (
	"flag"
	"os"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/runtime/explain"
)

var update = flag.Bool("update", false, "write the golden files anew")

var eleven = time.Date(2026, 5, 11, 11, 57, 0, 0, time.UTC)

// stored are facts of a prediction from stored data.
func stored() *explain.Facts {
	return &explain.Facts{
		Task: features.NetworkShortage(), Network: "oslo-bysykkel", AsOf: eleven,
		Probability: 0.784, Threshold: 0.4, Positive: true,
		Parts: []explain.Part{
			{Feature: "margin", Value: -0.034, LogOdds: 2.1},
			{Feature: "climatology", Value: 0.61, LogOdds: 0.9},
			{Feature: "hour_sin", Value: 0.5, LogOdds: -0.7},
			{Feature: "temp_2m", Value: 3.25, LogOdds: -0.3, Unit: "°C"},
			{Feature: "hour_cos", Value: 0.8, LogOdds: -0.2},
			{Feature: "short_now", Value: 1, LogOdds: 0.2},
			{Feature: "calendar.holiday", Value: 1, LogOdds: 0.1},
			{Feature: "wind_speed_10m", Value: 8, LogOdds: 0.01, Unit: "km/h"},
		},
	}
}

// TestPrompt holds all that a model is told, word by word.
func TestPrompt(t *testing.T) {
	t.Parallel()
	for _, l := range explain.Languages() {
		facts, err := told(l, stored())
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "testdata/prompt."+string(l)+".txt", instructions(l)+"\n\n"+facts+"\n")
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at what changed, then write it anew with -update\n%s", file, got)
	}
}
