package retrain

import (
	"fmt"
	"strings"

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
	found := func(n int, name, format string, args ...any) {
		if n > 0 {
			data.Findings = append(data.Findings, report.Fact{Name: name, Text: fmt.Sprintf(format, args...)})
		}
	}
	found(r.Gaps.Count, "gaps", "%d of more than %v hours, %.1f hours in all%s", r.Gaps.Count, r.Rules.MaxGapHours, r.Gaps.Hours, longest(r.Gaps))
	found(r.Frozen.Count, "frozen feed", "%d times nothing moved for %v hours or more%s", r.Frozen.Count, r.Rules.FrozenHours, longest(r.Frozen))
	found(r.Partial.Count, "partial snapshots", "%d, from %s to %s", r.Partial.Count, r.Partial.First, r.Partial.Last)
	if len(r.Jumps.Largest) > 0 {
		j := r.Jumps.Largest[0]
		found(r.Jumps.Count, "jumps of the fleet", "%d, such as from %d to %d %s at %s", r.Jumps.Count, j.Was, j.Is, j.What, j.At)
	}
	impossible := r.Impossible
	found(impossible.Snapshots+impossible.Changes+impossible.Weather, "impossible values", "%d in snapshots, %d in changes of stations, %d in the weather",
		impossible.Snapshots, impossible.Changes, impossible.Weather)
	if s := r.Stations; s != nil {
		data.Facts = append(data.Facts, report.Fact{Name: "stations", Text: fmt.Sprintf("%d, with %d changes", s.Count, s.Changes)})
		found(s.Duplicates, "duplicates", "%d changes of stations change nothing", s.Duplicates)
		for _, x := range []struct {
			name string
			quality.Named
		}{
			{"dead stations", s.Dead}, {"out of service", s.OutOfService}, {"new stations", s.New}, {"moved stations", s.Moved},
			{"stations never seen", s.NeverSeen}, {"unknown capacity", s.UnknownCapacity}, {"no coordinates", s.Unplaced},
		} {
			found(x.Count, x.name, "%d: %s", x.Count, listed(x.Named))
		}
	}
	for _, x := range r.Excluded {
		data.Excluded = append(data.Excluded, report.Fact{Name: x.What, Text: x.Why})
	}
	return data
}

func longest(s quality.Stretches) string {
	var most quality.Stretch
	for _, x := range s.Longest {
		if x.Hours > most.Hours {
			most = x
		}
	}
	if most.From == "" {
		return ""
	}
	return fmt.Sprintf("; the longest from %s to %s", most.From, most.To)
}

// listed names the first few.
func listed(n quality.Named) string {
	const most = 12
	if n.Count <= min(most, len(n.IDs)) {
		return strings.Join(n.IDs, ", ")
	}
	return strings.Join(n.IDs[:min(most, len(n.IDs))], ", ") + " …"
}
