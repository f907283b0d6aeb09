package retrain

import (
	"fmt"

	"livelab/pipeline/quality"
	"livelab/pipeline/report"
)

// describe says what a report shows of the data.
func describe(r quality.Report) *report.Data {
	data := &report.Data{Facts: []report.Fact{
		{Name: "network", Text: r.Network + " (" + r.Origin + " data)"},
		{Name: "snapshots", Text: fmt.Sprintf("%d, one in %.3g minutes", r.Snapshots, r.IntervalMinutes)},
		{Name: "window", Text: r.From + " to " + r.To},
		{Name: "coverage", Text: fmt.Sprintf("%.1f %% of the hours", 100*r.Coverage)},
		{Name: "weather", Text: fmt.Sprintf("%d readings, missing at %.1f %% of the snapshots", r.Weather.Readings, 100*r.Weather.Missing)},
	}}
	if s := r.Stations; s != nil {
		data.Facts = append(data.Facts, report.Fact{Name: "stations", Text: fmt.Sprintf("%d, with %d changes", s.Count, s.Changes)})
	}
	for _, f := range r.Findings() {
		if f.Count > 0 {
			data.Findings = append(data.Findings, report.Fact{Name: f.Name, Text: f.Text})
		}
	}
	for _, x := range r.Excluded {
		data.Excluded = append(data.Excluded, report.Fact{Name: x.What, Text: x.Why})
	}
	return data
}
