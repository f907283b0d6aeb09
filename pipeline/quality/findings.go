package quality

import (
	"fmt"
	"strings"
)

// Finding is one thing that may be the matter with data.
type Finding struct {
	Name  string
	Count int    // 0 where it is not
	Text  string // with the numbers, also for none
}

// Findings lists what was looked for, in words. Of stations it has only what
// was found.
func (r Report) Findings() []Finding {
	impossible := r.Impossible
	list := []Finding{
		{"gaps", r.Gaps.Count, r.Gaps.text(fmt.Sprintf("longer than %v hours", r.Rules.MaxGapHours))},
		{"frozen feed", r.Frozen.Count, r.Frozen.text(fmt.Sprintf("in which nothing moved for %v hours", r.Rules.FrozenHours))},
		{"partial snapshots", r.Partial.Count, r.Partial.text()},
		{"jumps of the fleet", r.Jumps.Count, r.Jumps.text()},
		{"impossible values", impossible.Snapshots + impossible.Changes + impossible.Weather, fmt.Sprintf(
			"%d in snapshots, %d in changes of stations, %d in the weather", impossible.Snapshots, impossible.Changes, impossible.Weather)},
	}
	if r.Stations != nil {
		list = append(list, r.Stations.findings(r.Rules)...)
	}
	return list
}

func (s *Stations) findings(rules Rules) (list []Finding) {
	if s.Duplicates > 0 {
		list = append(list, Finding{"duplicates", s.Duplicates, counted(s.Duplicates, "change") + " of stations that change nothing"})
	}
	for _, x := range []struct {
		name, what string
		n          Named
	}{
		{"dead stations", fmt.Sprintf("with no change for %v days", rules.DeadDays), s.Dead},
		{"out of service", "at the end", s.OutOfService},
		{"new stations", "first seen late", s.New},
		{"moved stations", "whose past before does not count", s.Moved},
		{"never seen", "without any change", s.NeverSeen},
		{"unknown capacity", "known by what they show only", s.UnknownCapacity},
		{"no coordinates", "without neighbours", s.Unplaced},
	} {
		if x.n.Count > 0 {
			list = append(list, Finding{x.name, x.n.Count, fmt.Sprintf("%d %s: %s", x.n.Count, x.what, x.n.text())})
		}
	}
	return list
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
