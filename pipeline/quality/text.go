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
	line("gaps", "%s", r.Gaps.text(fmt.Sprintf("longer than %v hours", r.Rules.MaxGapHours)))
	line("frozen feed", "%s", r.Frozen.text(fmt.Sprintf("in which nothing moved for %v hours", r.Rules.FrozenHours)))
	line("partial snapshots", "%s", r.Partial.text())
	line("jumps of the fleet", "%s", r.Jumps.text())
	line("impossible values", "%d in snapshots, %d in changes of stations, %d in the weather", r.Impossible.Snapshots, r.Impossible.Changes, r.Impossible.Weather)
	line("weather", "%s, missing at %.1f %% of the snapshots", counted(r.Weather.Readings, "reading"), 100*r.Weather.Missing)
	if s := r.Stations; s != nil {
		line("stations", "%d with %s, %d of which change nothing", s.Count, counted(s.Changes, "change"), s.Duplicates)
		for _, x := range []struct {
			what string
			n    Named
		}{
			{fmt.Sprintf("no change for %v days", r.Rules.DeadDays), s.Dead},
			{"out of service", s.OutOfService},
			{"new", s.New},
			{"moved", s.Moved},
			{"never seen", s.NeverSeen},
			{"unknown capacity", s.UnknownCapacity},
			{"no coordinates", s.Unplaced},
		} {
			if x.n.Count > 0 {
				line("", "%d %s: %s", x.n.Count, x.what, x.n.text())
			}
		}
	}
	for _, x := range r.Excluded {
		line("excluded", "%s: %s", x.What, x.Why)
	}
	for _, why := range r.Refused {
		line("TOO BAD", "%s", why)
	}
	return b.String()
}

func (s Stretches) text(what string) string {
	if s.Count == 0 {
		return "none " + what
	}
	longest := s.Longest[0]
	for _, x := range s.Longest {
		if x.Hours > longest.Hours {
			longest = x
		}
	}
	return fmt.Sprintf("%d %s, %.1f hours in all; the longest from %s to %s (%.1f h)", s.Count, what, s.Hours, longest.From, longest.To, longest.Hours)
}

func (p Partial) text() string {
	if p.Count == 0 {
		return "none"
	}
	return fmt.Sprintf("%d, from %s to %s", p.Count, p.First, p.Last)
}

func (j Jumps) text() string {
	if j.Count == 0 {
		return "none"
	}
	largest := j.Largest[0]
	for _, x := range j.Largest {
		if x.share > largest.share {
			largest = x
		}
	}
	return fmt.Sprintf("%d; the largest at %s, from %d to %d %s", j.Count, largest.At, largest.Was, largest.Is, largest.What)
}

func (n Named) text() string {
	s := strings.Join(n.IDs, " ")
	if n.Count > len(n.IDs) {
		s += " …"
	}
	return s
}
