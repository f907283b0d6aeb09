package quality

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

const (
	// trail is how far back a snapshot's stations are compared, and leastTrail
	// the number of snapshots in it that a comparison needs.
	trail      = 24 * time.Hour
	leastTrail = 6

	// leastFrozen is the number of equal snapshots that a feed which stands
	// still shows at least.
	leastFrozen = 3
)

// window fills in when the snapshots were.
func (in *inspection) window() {
	points, r := in.d.Series.Points, &in.report
	if len(points) == 0 {
		r.Gaps.Longest = []Stretch{}
		return
	}
	r.From, r.To = timestamp(points[0].At), timestamp(points[len(points)-1].At)
	var between []time.Duration
	var gaps []Stretch
	for i := 1; i < len(points); i++ {
		apart := points[i].At.Sub(points[i-1].At)
		between = append(between, apart)
		if apart > hours(in.rules.MaxGapHours) {
			gaps = append(gaps, stretch(points[i-1].At, points[i].At))
		}
	}
	if len(between) > 0 {
		slices.Sort(between)
		r.IntervalMinutes = between[len(between)/2].Minutes()
	}
	r.Gaps = stretches(gaps, 0)
}

// stretches sums them up and lists the longest, in order of time.
func stretches(all []Stretch, snapshots int) Stretches {
	s := Stretches{Count: len(all), Snapshots: snapshots}
	for _, x := range all {
		s.Hours += x.Hours
	}
	s.Longest = largest(all, func(x Stretch) float64 { return x.Hours }, func(x Stretch) string { return x.From })
	return s
}

// largest lists at most maxListed in order of time. It is never nil.
func largest[T any](all []T, size func(T) float64, at func(T) string) []T {
	kept := slices.Clone(all)
	slices.SortStableFunc(kept, func(a, b T) int { return cmp.Compare(size(b), size(a)) })
	kept = kept[:min(len(kept), maxListed)]
	slices.SortStableFunc(kept, func(a, b T) int { return cmp.Compare(at(a), at(b)) })
	return append([]T{}, kept...)
}

// points gives the snapshots that are not excluded.
func (in *inspection) points(stations *features.Stations) []observation.Totals {
	all := in.d.Series.Points
	frozen := in.frozen(stations)
	kept := make([]observation.Totals, 0, len(all))
	var impossible, still int
	var most int32 // stations of any snapshot kept
	for i, p := range all {
		switch {
		case in.impossiblePoint(p):
			impossible++
		case frozen[i]:
			still++
		case float64(p.Stations) < float64(in.rules.MinStationsShare*float64(most)) && in.partial(kept, p):
			in.notePartial(p)
		default:
			in.jump(kept, p)
			kept = append(kept, p)
			most = max(most, p.Stations)
		}
	}
	in.report.Impossible.Snapshots = impossible
	in.exclude(impossible, "snapshot", "their counts cannot be true")
	in.exclude(still, "snapshot", fmt.Sprintf("nothing in the feed had moved for %v hours", in.rules.FrozenHours))
	in.exclude(in.report.Partial.Count, "snapshot",
		fmt.Sprintf("they count fewer than %v of the stations that were there the day before", in.rules.MinStationsShare))
	in.excluded = len(all) - len(kept)
	in.report.Jumps.Largest = largest(in.report.Jumps.Largest, func(j Jump) float64 { return j.share }, func(j Jump) string { return j.At })
	return kept
}

// impossiblePoint reports whether a snapshot's sums cannot be true. Unknown
// sums are no sums.
func (in *inspection) impossiblePoint(p observation.Totals) bool {
	most := float64(p.Stations) * in.rules.MaxDocks
	return p.Stations < 0 ||
		p.FreeBikes < observation.Unknown || p.EmptySlots < observation.Unknown ||
		float64(p.FreeBikes) > most || float64(p.EmptySlots) > most
}

// frozen says of each snapshot whether it only repeats what a feed that stands
// still showed before.
func (in *inspection) frozen(stations *features.Stations) []bool {
	points := in.d.Series.Points
	marks := make([]bool, len(points))
	moved := movedAt(points, stations)
	var found []Stretch
	snapshots := 0
	for first := 0; first < len(points); {
		last := first
		for last+1 < len(points) && !moved[last+1] && points[last+1].At.Sub(points[last].At) <= hours(in.rules.MaxGapHours) {
			last++
		}
		if last-first+1 >= leastFrozen && points[last].At.Sub(points[first].At) >= hours(in.rules.FrozenHours) {
			found = append(found, stretch(points[first].At, points[last].At))
			snapshots += last - first
			for i := first + 1; i <= last; i++ {
				marks[i] = true
			}
		}
		first = last + 1
	}
	in.report.Frozen = stretches(found, snapshots)
	return marks
}

// movedAt says of each snapshot whether anything had changed since the one
// before it: at a station, or where these are not known, in the sums.
func movedAt(points []observation.Totals, stations *features.Stations) []bool {
	moved := make([]bool, len(points))
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		moved[i] = a.Stations != b.Stations || a.FreeBikes != b.FreeBikes || a.EmptySlots != b.EmptySlots
	}
	if stations == nil {
		return moved
	}
	for s := range stations.Past {
		for _, at := range stations.Past[s].At {
			i, _ := slices.BinarySearchFunc(points, at, func(p observation.Totals, at int64) int { return cmp.Compare(p.At.Unix(), at) })
			if i < len(moved) {
				moved[i] = true
			}
		}
	}
	return moved
}

// partial reports whether a snapshot shows a part of the stations only that
// were there over the time before it. Once a day has passed there is nothing
// left to compare with: a network that was cut down for good counts again. It
// sorts the counts of a day, so the caller asks where it could be true alone.
func (in *inspection) partial(before []observation.Totals, p observation.Totals) bool {
	from := len(before)
	for from > 0 && p.At.Sub(before[from-1].At) <= trail {
		from--
	}
	near := before[from:]
	if len(near) < leastTrail {
		return false
	}
	counts := make([]int32, len(near))
	for i, n := range near {
		counts[i] = n.Stations
	}
	slices.Sort(counts)
	return float64(p.Stations) < float64(in.rules.MinStationsShare*float64(counts[len(counts)/2]))
}

func (in *inspection) notePartial(p observation.Totals) {
	found := &in.report.Partial
	if found.Count == 0 {
		found.First = timestamp(p.At)
	}
	found.Count++
	found.Last = timestamp(p.At)
}

// jump notes a jump of the fleet from the snapshot before to p.
func (in *inspection) jump(before []observation.Totals, p observation.Totals) {
	if len(before) == 0 {
		return
	}
	q := before[len(before)-1]
	if p.At.Sub(q.At) > hours(in.rules.MaxGapHours) {
		return
	}
	for _, x := range []struct {
		what    string
		was, is int32
	}{
		{"bikes", q.FreeBikes, p.FreeBikes},
		{"docks", q.FreeBikes + q.EmptySlots, p.FreeBikes + p.EmptySlots},
	} {
		share := math.Abs(float64(x.is)-float64(x.was)) / math.Max(float64(x.was), 1)
		if x.was >= leastFleet && share > in.rules.MaxFleetJump {
			in.report.Jumps.Count++
			in.report.Jumps.Largest = append(in.report.Jumps.Largest, Jump{At: timestamp(p.At), What: x.what, Was: x.was, Is: x.is, share: share})
		}
	}
}

// leastFleet is under which a few bikes are a large share.
const leastFleet = 20

// coverage is the share of hours with a snapshot.
func (in *inspection) coverage(kept []observation.Totals) {
	points := in.d.Series.Points
	if len(points) == 0 {
		return
	}
	seen, last := 0, int64(math.MinInt64)
	for _, p := range kept {
		if h := p.At.Unix() / 3600; h != last {
			seen, last = seen+1, h
		}
	}
	span := points[len(points)-1].At.Unix()/3600 - points[0].At.Unix()/3600 + 1
	in.report.Coverage = float64(seen) / float64(span)
}

// judge says why the data is too bad, if it is. Data that is not there at all is
// for the training to refuse.
func (in *inspection) judge() {
	r := &in.report
	if r.Snapshots == 0 {
		return
	}
	refuse := func(format string, args ...any) { r.Refused = append(r.Refused, fmt.Sprintf(format, args...)) }
	if r.Coverage < in.rules.MinCoverage {
		refuse("only %.1f %% of the hours from %s to %s have a usable snapshot, at least %.1f %% must have one (min_coverage)",
			100*r.Coverage, r.From, r.To, 100*in.rules.MinCoverage)
	}
	if share := float64(in.excluded) / float64(r.Snapshots); share > in.rules.MaxExcluded {
		refuse("%d of %d snapshots are excluded, at most %.1f %% may be (max_excluded)", in.excluded, r.Snapshots, 100*in.rules.MaxExcluded)
	}
	if s := r.Stations; s != nil && in.task.Entity == features.EntityStation && s.Count > 0 {
		if share := float64(s.Dead.Count) / float64(s.Count); share > in.rules.MaxDeadStations {
			refuse("%d of %d stations have not changed for %v days at the end, at most %.1f %% may be dead (max_dead_stations)",
				s.Dead.Count, s.Count, in.rules.DeadDays, 100*in.rules.MaxDeadStations)
		}
	}
}
