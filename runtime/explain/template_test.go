package explain

import (
	"flag"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/model"
)

var update = flag.Bool("update", false, "write the golden files anew")

var eleven = time.Date(2026, 5, 11, 11, 57, 0, 0, time.UTC)

// stored are facts of a prediction from stored data.
func stored() *Facts {
	return &Facts{
		Task: features.NetworkShortage(), Network: "oslo-bysykkel", AsOf: eleven,
		Probability: 0.784, Threshold: 0.4, Positive: true,
		Parts: []Part{
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

// station are facts of a prediction by trees about a station.
func station() *Facts {
	task := features.NetworkShortage()
	task.Entity = features.EntityStation
	return &Facts{
		Task: task, Family: model.FamilyTrees, Network: "oslo-bysykkel", Station: "4711", AsOf: eleven,
		Probability: 0.784, Threshold: 0.4, Positive: true,
		Parts: []Part{
			{Feature: "free_bikes", Value: 2, LogOdds: 2.1, Unit: "bikes"},
			{Feature: "free_bikes_change_60m", Value: -3.5, LogOdds: 0.9, Unit: "bikes"},
			{Feature: "latitude", Value: 59.9, LogOdds: 0.3, Unit: "°"},
			{Feature: "longitude", Value: 10.7, LogOdds: 0.3, Unit: "°"},
			{Feature: "capacity", Value: math.NaN(), LogOdds: -0.5, Unit: "docks"},
			{Feature: "network_free_ratio_change_60m", Value: 0.012, LogOdds: -0.2, Unit: "ratio"},
			{Feature: "shortage_rate", Value: 0.25, LogOdds: -0.1, Unit: "probability"},
		},
		Imputed: []string{"capacity", "free_bikes_yesterday"},
	}
}

// cases are facts to write about, by what is special in them.
func cases() []struct {
	name  string
	facts *Facts
} {
	with := func(change func(*Facts)) *Facts {
		f := stored()
		change(f)
		return f
	}
	return []struct {
		name  string
		facts *Facts
	}{
		{"a shortage", stored()},
		{"no shortage, from given features", with(func(f *Facts) {
			f.Positive, f.Probability, f.Network, f.AsOf = false, 0.269, "", time.Time{}
		})},
		{"one each way", with(func(f *Facts) { f.Parts = f.Parts[1:3] })},
		{"only what lowers, one", with(func(f *Facts) { f.Parts = f.Parts[2:3] })},
		{"only what lowers, several", with(func(f *Facts) { f.Parts = f.Parts[2:4] })},
		{"nothing stands out", with(func(f *Facts) { f.Parts = f.Parts[7:] })},
		{"right now", with(func(f *Facts) { f.Task.HorizonMinutes = 0 })},
		{"in a minute", with(func(f *Facts) { f.Task.HorizonMinutes = 1 })},
		{"tomorrow", with(func(f *Facts) { f.Task.HorizonMinutes = 1440 })},
		{"a station", with(func(f *Facts) { f.Station = "4711"; f.Task.Entity = features.EntityStation })},
		{"one missing", with(func(f *Facts) { f.Imputed = []string{"climatology"} })},
		{"two of one name missing", with(func(f *Facts) { f.Imputed = []string{"hour_sin", "hour_cos"} })},
		{"four missing", with(func(f *Facts) {
			f.Imputed = []string{"climatology", "free_ratio_lag_30m", "shortage_threshold", "calendar.holiday"}
		})},
		{"five missing", with(func(f *Facts) {
			f.Imputed = []string{"climatology", "free_ratio_lag_30m", "shortage_threshold", "calendar.holiday", "temp_2m"}
		})},
		{"a station, by trees", station()},
		{"a station, by trees, one missing", func() *Facts { f := station(); f.Imputed = f.Imputed[:1]; return f }()},
		{"almost certain", with(func(f *Facts) { f.Probability = 0.99999 })},
		{"almost impossible", with(func(f *Facts) { f.Probability, f.Positive = 1e-9, false })},
		{"certain, as far as floats go", with(func(f *Facts) { f.Probability = 1 })},
		{"just under the threshold", with(func(f *Facts) { f.Probability, f.Positive = 0.39996, false })},
		{"at the threshold", with(func(f *Facts) { f.Probability = 0.4 })},
		{"small numbers", with(func(f *Facts) { f.Probability, f.Threshold = 0.083, 0.004 })},
		{"a name from elsewhere", with(func(f *Facts) { f.Network = "evil\nname \u202e" + strings.Repeat("x", 100) })},
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	for _, l := range Languages() {
		var got strings.Builder
		for _, c := range cases() {
			text := Template{}.Explain(t.Context(), l, c.facts)
			if text.LLMUsed || text.Reason != NotConfigured {
				t.Errorf("%s: %+v", c.name, text)
			}
			fmt.Fprintf(&got, "# %s\n%s\n\n", c.name, text.Words)
		}
		golden(t, "testdata/template."+string(l)+".txt", got.String())
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

func TestTextCallsAStationByItsName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, it, en string }{
		{"39. Printing\nHouse", "alla stazione 39. Printing House nella rete", "at the station 39. Printing House in the network"},
		{"", "alla stazione 4711 nella rete", "at the station 4711 in the network"},
		{" \u202e", "alla stazione 4711 nella rete", "at the station 4711 in the network"},
	} {
		f := station()
		f.StationName = tt.name
		for l, want := range map[Language]string{Italian: tt.it, English: tt.en} {
			if got := l.write(f); !strings.Contains(got, want) {
				t.Errorf("a station called %q, in %s: %s", tt.name, l, got)
			}
		}
		if told := Italian.Tell(f).Station; !strings.Contains(tt.it, " "+told+" ") {
			t.Errorf("a station called %q is told as %q", tt.name, told)
		}
	}
}
