package features_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/pipeline/observation"
)

// TestStationColumnsAreWithinTheirBounds also has a transform, which is applied
// to every block anew.
func TestStationColumnsAreWithinTheirBounds(t *testing.T) {
	t.Parallel()
	twice := featurestest.New("twice", []string{"free_bikes"}, []string{"bikes"}, func(in, out []float64) error {
		out[0] = 2 * in[0]
		return nil
	})
	// So many stations that they make several blocks.
	source, err := features.NewSource(features.StationShortage(0), features.StationWorld(3, 250, 9), []features.Transform{twice})
	if err != nil {
		t.Fatal(err)
	}
	blocks, seen := 0, map[string]bool{}
	var last time.Time
	if err := source.Blocks(t.Context(), time.Time{}, time.Time{}, func(f *features.Frame) error {
		blocks++
		if !f.At[0].After(last) {
			t.Errorf("a block begins at %s, the one before ended at %s", f.At[0], last)
		}
		last = f.At[f.Rows()-1]
		free, doubled := f.Column("free_bikes"), f.Column("twice.bikes")
		for _, name := range f.Names() {
			least, greatest := features.Bounds(name)
			for i, v := range f.Column(name) {
				if v < least || v > greatest || math.IsInf(v, 0) {
					t.Fatalf("%s is %v in row %d, must be %v to %v", name, v, i, least, greatest)
				}
				seen[name] = seen[name] || !math.IsNaN(v)
			}
		}
		for i := range free {
			if !equal(doubled[i], 2*free[i]) {
				t.Fatalf("twice %v is %v in row %d of block %d", free[i], doubled[i], i, blocks)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if blocks < 2 {
		t.Errorf("%d blocks are too few to show anything", blocks)
	}
	for _, c := range features.Catalogue() {
		if c.Doc == "" || c.Unit == "" || c.Network == features.Absent && c.Station == features.Absent {
			t.Errorf("%s has no words or is of no entity", c.Name)
		}
		if c.Station != features.Absent && !seen[c.Name] {
			t.Errorf("%s is never there", c.Name)
		}
	}
}

func TestNewSourceRefuses(t *testing.T) {
	t.Parallel()
	sorted := func() *features.Stations { return features.StationWorld(1, 3, 1).Stations }
	for want, change := range map[string]func(*features.Task, *features.History){
		"the data has no stations":     func(_ *features.Task, h *features.History) { h.Stations = nil },
		"target is free_bikes_at_most": func(task *features.Task, _ *features.History) { task.Target = features.NetworkShortage().Target },
		"state TTL is 0 minutes":       func(task *features.Task, _ *features.History) { task.StateTTLMinutes = 0 },
		"have 2 pasts":                 func(_ *features.Task, h *features.History) { h.Stations.Past = h.Stations.Past[:2] },
		"not sorted by ID at s0001":    func(_ *features.Task, h *features.History) { h.Stations.List[0].ID = "s0002" },
	} {
		task, h := features.StationShortage(0), features.History{Stations: sorted()}
		change(&task, &h)
		if _, err := features.NewSource(task, h, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	h := features.StationWorld(1, 3, 1)
	h.Stations.Past[1].At[1] = h.Stations.Past[1].At[0]
	if _, err := features.NewTracker(features.StationShortage(0), h); err == nil || !strings.Contains(err.Error(), "s0001 are not in ascending order") {
		t.Errorf("changes out of order give the error %v", err)
	}
}

// TestTrackerSaysWhatIsMissing has a station for each reason, and one that
// joins later.
func TestTrackerSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	task := features.StationShortage(0)
	now := monday.AddDate(0, 0, 10)
	h := features.History{Stations: &features.Stations{}}
	states := map[string]observation.State{
		"a": {FreeBikes: 3, EmptySlots: 4, InService: true}, "b": observation.Gone, "c": {InService: true},
		"d": {FreeBikes: observation.Unknown, EmptySlots: 2, InService: true}, "e": {FreeBikes: 3, EmptySlots: observation.Unknown, InService: true},
	}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		var c features.Changes
		c.Add(now.Add(-time.Hour), states[id])
		h.Stations.List = append(h.Stations.List, observation.Station{ID: id, Latitude: math.NaN(), Longitude: math.NaN(), Capacity: 8})
		h.Stations.Past = append(h.Stations.Past, c)
	}
	tracker, err := features.NewTracker(task, h)
	if err != nil {
		t.Fatal(err)
	}
	if f := tracker.Rows(); f.Rows() != 0 || tracker.Missing()[0] != "it has not been seen yet" {
		t.Errorf("without a snapshot there are %d rows, and %q is missing", f.Rows(), tracker.Missing()[0])
	}
	check := func(at time.Time, next features.History, want ...string) *features.Frame {
		t.Helper()
		next.Series.Points = []observation.Totals{{At: at, Stations: 1, FreeBikes: 3, EmptySlots: 4}}
		if err := tracker.Observe(next); err != nil {
			t.Fatal(err)
		}
		f := tracker.Rows()
		for i, why := range tracker.Missing() {
			if !strings.Contains(why, want[i]) || (why == "") != (want[i] == "") || (why == "") == math.IsNaN(f.Value("free_bikes", i)) {
				t.Errorf("station %d has %v bikes, and misses %q, want %q", i, f.Value("free_bikes", i), why, want[i])
			}
		}
		return f
	}
	f := check(now, features.History{}, "", "out of service", "closed", "bikes is unknown", "")
	if f.Value("total_slots", 4) != 8 || !math.IsNaN(f.Value("empty_slots", 4)) || f.Value("free_ratio", 4) != 3.0/8 {
		t.Errorf("of unknown empty slots, %v docks and a ratio of %v are made, want 8 and 0.375", f.Value("total_slots", 4), f.Value("free_ratio", 4))
	}
	joined := features.History{Stations: &features.Stations{List: append([]observation.Station{{ID: "Z", Capacity: observation.Unknown}}, h.Stations.List...), Past: make([]features.Changes, 6)}}
	joined.Stations.Past[0].Add(now.Add(time.Minute), observation.State{FreeBikes: 1, EmptySlots: 1, InService: true})
	f = check(now.Add(time.Minute), joined, "", "", "out of service", "closed", "bikes is unknown", "")
	if tracker.Entities()[0] != "Z" || f.Value("free_bikes", 0) != 1 || f.Value("free_bikes", 1) != 3 {
		t.Errorf("after a station joined, the stations are %v", tracker.Entities())
	}
	check(now.AddDate(0, 0, 7), features.History{}, "", "nothing new since 2026-02-11T23:00:00Z, for longer than 7 days", "out of service", "closed", "bikes is unknown", "nothing new")
}

func TestStationDerive(t *testing.T) {
	t.Parallel()
	task := features.StationShortage(2)
	if of, otherwise := task.DerivedFrom("short_now"); of != "free_bikes" || otherwise != "" {
		t.Errorf("short_now is of %q, else %q", of, otherwise)
	}
	if of, _ := task.DerivedFrom("margin"); of != "" {
		t.Errorf("a station's margin is of %q", of)
	}
	for bikes, want := range map[float64]float64{0: 1, 2: 1, 3: 0} {
		if got := task.Derive("short_now", bikes, math.NaN()); got != want {
			t.Errorf("short_now of %v bikes is %v, want %v", bikes, got, want)
		}
	}
	if got := task.Derive("short_now", math.NaN(), math.NaN()); !math.IsNaN(got) {
		t.Errorf("short_now of nothing is %v", got)
	}
}
