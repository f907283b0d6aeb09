package quality

import (
	"fmt"
	"strings"
)

// Text says the report in lines for a terminal.
func (r Report) Text() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-18s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&b, "%s data of %s: %s", r.Origin, r.Network, counted(r.Snapshots, "snapshot"))
	if r.Snapshots > 0 {
		fmt.Fprintf(&b, " from %s to %s, %.3g minutes apart", r.From, r.To, r.IntervalMinutes)
	}
	b.WriteString("\n")
	line("coverage", "%.1f %% of the hours", 100*r.Coverage)
	line("weather", "%s, missing at %.1f %% of the snapshots", counted(r.Weather.Readings, "reading"), 100*r.Weather.Missing)
	if s := r.Stations; s != nil {
		line("stations", "%d with %s", s.Count, counted(s.Changes, "change"))
	}
	for _, f := range r.Findings() {
		line(f.Name, "%s", f.Text)
	}
	for _, x := range r.Excluded {
		line("excluded", "%s: %s", x.What, x.Why)
	}
	for _, why := range r.Refused {
		line("TOO BAD", "%s", why)
	}
	return b.String()
}
