package quality

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// city is ten days of a network of three stations of 20 docks, seen every ten
// minutes, in which a bike moves each time.
func city() *dataset.Dataset {
	d := &dataset.Dataset{
		Network:  observation.Network{ID: "town", Latitude: 45, Longitude: 9},
		Origin:   observation.OriginReal,
		Stations: &features.Stations{Past: make([]features.Changes, 3)},
	}
	for _, id := range []string{"a", "b", "c"} {
		d.Stations.List = append(d.Stations.List, observation.Station{ID: id, Capacity: 20, Latitude: 45, Longitude: 9})
	}
	for i := range 10 * 144 {
		at := start.Add(time.Duration(i) * 10 * time.Minute)
		p := observation.Totals{At: at, Stations: 3, FreeBikes: 30, EmptySlots: 30}
		bikes := int32(10 + i%2)
		p.FreeBikes += bikes - 10
		p.EmptySlots -= bikes - 10
		d.Stations.Past[i%3].Add(at, observation.State{FreeBikes: bikes, EmptySlots: 20 - bikes, InService: true})
		d.Series.Points = append(d.Series.Points, p)
		if i%6 == 0 {
			d.Series.Weather = append(d.Series.Weather, observation.Weather{At: at, Temperature: 10, WindSpeed: 5})
		}
	}
	return d
}

func inspect(t *testing.T, d *dataset.Dataset, change func(*Rules)) (Report, *dataset.Dataset) {
	t.Helper()
	rules := DefaultRules()
	if change != nil {
		change(&rules)
	}
	r, clean := Inspect(d, features.StationShortage(0), rules)
	again, _ := Inspect(d, features.StationShortage(0), rules)
	if !reflect.DeepEqual(r, again) {
		t.Fatal("a second look found something else")
	}
	return r, clean
}

func TestGoodDataIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	d := city()
	r, clean := inspect(t, d, nil)
	if clean != d || len(r.Excluded) != 0 || r.Err() != nil {
		t.Fatalf("excluded %v, refused %v", r.Excluded, r.Refused)
	}
	if r.Coverage != 1 || r.IntervalMinutes != 10 || r.Gaps.Count != 0 || r.Frozen.Count != 0 || r.Jumps.Count != 0 || r.Weather.Missing != 0 {
		t.Errorf("got %+v", r)
	}
}

func TestGap(t *testing.T) {
	t.Parallel()
	d := city()
	d.Series.Points = append(d.Series.Points[:100], d.Series.Points[100+6*30:]...) // 30 h away
	r, clean := inspect(t, d, nil)
	if r.Gaps.Count != 1 || r.Gaps.Longest[0].Hours != 30+1.0/6 {
		t.Errorf("gaps: %+v", r.Gaps)
	}
	if math.Abs(r.Coverage-(1-29.0/240)) > 0.01 {
		t.Errorf("coverage %v", r.Coverage)
	}
	if clean != d {
		t.Error("a gap excludes nothing")
	}
}

func TestFrozenFeed(t *testing.T) {
	t.Parallel()
	// From the 200th snapshot on nothing moves for a day, then all goes on.
	freeze := func(d *dataset.Dataset) {
		for i := 200; i <= 200+144; i++ {
			d.Series.Points[i].FreeBikes, d.Series.Points[i].EmptySlots = d.Series.Points[200].FreeBikes, d.Series.Points[200].EmptySlots
		}
		from, to := d.Series.Points[200].At.Unix(), d.Series.Points[344].At.Unix()
		for s := range d.Stations.Past {
			var kept features.Changes
			old := d.Stations.Past[s]
			for k, at := range old.At {
				if at <= from || at > to {
					kept.Add(time.Unix(at, 0), observation.State{FreeBikes: old.FreeBikes[k], EmptySlots: old.EmptySlots[k], InService: true})
				}
			}
			d.Stations.Past[s] = kept
		}
	}
	for name, stations := range map[string]bool{"with stations": true, "sums alone": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := city()
			freeze(d)
			if !stations {
				d.Stations = nil
			}
			r, clean := inspect(t, d, nil)
			if r.Frozen.Count != 1 || r.Frozen.Snapshots != 144 || r.Frozen.Longest[0].Hours != 24 {
				t.Fatalf("frozen: %+v", r.Frozen)
			}
			if n := len(d.Series.Points) - len(clean.Series.Points); n != 144 {
				t.Fatalf("%d snapshots are left out", n)
			}
			if clean.Series.Points[200].At != d.Series.Points[200].At || clean.Series.Points[201].At != d.Series.Points[345].At {
				t.Error("others are left out than those that repeat the first")
			}
			// Half a day less is no standstill under the default rules; a
			// longer patience finds none.
			r, clean = inspect(t, d, func(r *Rules) { r.FrozenHours = 25 })
			if r.Frozen.Count != 0 || clean.Series.Points[201].At != d.Series.Points[201].At {
				t.Error("the rule decides nothing")
			}
		})
	}
}

// The sums of a network can stand still while bikes move between its stations.
func TestMovesWithinTheSumsAreNoStandstill(t *testing.T) {
	t.Parallel()
	d := city()
	for i := range d.Series.Points {
		d.Series.Points[i].FreeBikes, d.Series.Points[i].EmptySlots = 30, 30
	}
	if r, _ := inspect(t, d, nil); r.Frozen.Count != 0 {
		t.Errorf("frozen: %+v", r.Frozen)
	}
	d.Stations = nil
	if r, _ := inspect(t, d, nil); r.Frozen.Count != 1 {
		t.Errorf("of sums alone that never move: %+v", r.Frozen)
	}
}

func TestPartialSnapshots(t *testing.T) {
	t.Parallel()
	d := city()
	for _, i := range []int{500, 501} {
		d.Series.Points[i] = observation.Totals{At: d.Series.Points[i].At, Stations: 1, FreeBikes: 10, EmptySlots: 10}
	}
	r, clean := inspect(t, d, nil)
	if r.Partial.Count != 2 || r.Partial.First != timestamp(d.Series.Points[500].At) || len(clean.Series.Points) != len(d.Series.Points)-2 {
		t.Errorf("partial: %+v", r.Partial)
	}
	if r.Jumps.Count != 0 {
		t.Errorf("what is excluded is no jump: %+v", r.Jumps)
	}

	// It is compared with the usual day, not with the worst moment of it.
	d = city()
	d.Series.Points[499].Stations, d.Series.Points[500].Stations = 2, 1
	if r, _ := inspect(t, d, nil); r.Partial.Count != 1 || r.Partial.First != timestamp(d.Series.Points[500].At) {
		t.Errorf("after a snapshot of two of three stations: %+v", r.Partial)
	}

	// A network that is cut down for good counts again after a day.
	d = city()
	for i := 500; i < len(d.Series.Points); i++ {
		d.Series.Points[i].Stations = 1
	}
	if r, _ := inspect(t, d, nil); r.Partial.Count < 138 || r.Partial.Count > 144 {
		t.Errorf("%d snapshots of the cut-down network are left out, want those of about a day", r.Partial.Count)
	}
}

func TestJump(t *testing.T) {
	t.Parallel()
	d := city()
	for i := 700; i < len(d.Series.Points); i++ {
		d.Series.Points[i].EmptySlots += 60
	}
	r, clean := inspect(t, d, nil)
	want := Jump{At: timestamp(d.Series.Points[700].At), What: "docks", Was: 60, Is: 120, share: 1}
	if r.Jumps.Count != 1 || r.Jumps.Largest[0] != want || clean != d {
		t.Errorf("jumps: %+v", r.Jumps)
	}
}

func TestImpossibleValues(t *testing.T) {
	t.Parallel()
	d := city()
	d.Series.Points[10].FreeBikes = -7
	d.Series.Points[11].EmptySlots = 1_000_000
	d.Stations.Past[1].FreeBikes[5] = -3
	d.Stations.Past[1].FreeBikes[8] = 61 // of 20 docks
	d.Stations.Past[2].EmptySlots[9] = observation.Unknown
	d.Series.Weather[3].Precipitation = -1
	d.Series.Weather[4].Temperature = 999
	d.Series.Weather[5].Temperature = math.NaN()
	r, clean := inspect(t, d, nil)
	want := Impossible{Snapshots: 2, Changes: 2, Stations: []string{"b"}, Weather: 2}
	if !reflect.DeepEqual(r.Impossible, want) {
		t.Errorf("got %+v, want %+v", r.Impossible, want)
	}
	if clean.Stations.Past[1].InService[5] || clean.Stations.Past[1].FreeBikes[5] != observation.Unknown {
		t.Error("an impossible state still counts")
	}
	if !clean.Stations.Past[1].InService[6] {
		t.Error("a state after an impossible one does not count")
	}
	if !math.IsNaN(clean.Series.Weather[3].Precipitation) || clean.Series.Weather[3].Temperature != 10 || !math.IsNaN(clean.Series.Weather[4].Temperature) {
		t.Error("impossible weather still counts, or more than it is gone")
	}
	if d.Stations.Past[1].FreeBikes[5] != -3 || d.Series.Weather[4].Temperature != 999 {
		t.Error("the dataset itself was changed")
	}
	if len(r.Excluded) != 3 {
		t.Errorf("excluded: %+v", r.Excluded)
	}
}

func TestStations(t *testing.T) {
	t.Parallel()
	d := city()
	end := d.Series.Points[len(d.Series.Points)-1].At
	keep := func(s int, from, to time.Time) {
		old, kept := d.Stations.Past[s], features.Changes{}
		for k, at := range old.At {
			if at >= from.Unix() && at <= to.Unix() {
				kept.Add(time.Unix(at, 0), observation.State{FreeBikes: old.FreeBikes[k], EmptySlots: old.EmptySlots[k], InService: true})
			}
		}
		d.Stations.Past[s] = kept
	}
	keep(0, start, end.Add(-8*24*time.Hour)) // dead
	keep(1, start.Add(5*24*time.Hour), end)  // new
	d.Stations.Past[1].Add(end.Add(time.Second), observation.Gone)
	d.Stations.List[2].MovedAt = end
	d.Stations.List[2].Capacity = observation.Unknown
	d.Stations.List[2].Latitude = math.NaN()
	d.Stations.List = append(d.Stations.List, observation.Station{ID: "d", Capacity: 3})
	d.Stations.Past = append(d.Stations.Past, features.Changes{})
	past := &d.Stations.Past[2]
	again := observation.State{FreeBikes: past.FreeBikes[past.Len()-1], EmptySlots: past.EmptySlots[past.Len()-1], InService: true}
	past.Add(end.Add(time.Second), again)

	r, clean := inspect(t, d, nil)
	one := func(id string) Named { return Named{Count: 1, IDs: []string{id}} }
	want := Stations{
		Count: 4, Dead: one("a"), New: one("b"), Moved: one("c"), OutOfService: one("b"), NeverSeen: one("d"),
		UnknownCapacity: one("c"), Unplaced: one("c"), Changes: r.Stations.Changes, Duplicates: 1,
	}
	if !reflect.DeepEqual(*r.Stations, want) {
		t.Errorf("got  %+v\nwant %+v", *r.Stations, want)
	}
	if clean.Stations.Past[2].Len() != past.Len()-1 {
		t.Error("a change that changes nothing is still there")
	}
	if r.Err() != nil {
		t.Errorf("refused: %v", r.Err())
	}
	if r, _ := inspect(t, d, func(r *Rules) { r.MaxDeadStations = 0.2 }); r.Err() == nil || !strings.Contains(r.Err().Error(), "1 of 4 stations") {
		t.Errorf("got %v", r.Err())
	}
	text := r.Text()
	for _, want := range []string{"dead stations      1 with no change for 7 days: a\n", "moved stations     1 whose past before does not count: c\n", "4 with ", "excluded"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestTooBad(t *testing.T) {
	t.Parallel()
	// One snapshot a day covers a twentieth of the hours.
	d := city()
	var few []observation.Totals
	for i := 0; i < len(d.Series.Points); i += 144 {
		few = append(few, d.Series.Points[i])
	}
	d.Series.Points = few
	if r, _ := inspect(t, d, nil); r.Err() == nil || !strings.Contains(r.Err().Error(), "min_coverage") {
		t.Errorf("got %v", r.Err())
	}

	// A feed that stands still for most of the time.
	d = city()
	d.Stations = nil
	for i := 400; i < len(d.Series.Points); i++ {
		d.Series.Points[i].FreeBikes, d.Series.Points[i].EmptySlots = 30, 30
	}
	r, _ := inspect(t, d, nil)
	if r.Err() == nil || !strings.Contains(r.Err().Error(), "max_excluded") || !strings.Contains(r.Text(), "TOO BAD") {
		t.Errorf("got %v", r.Err())
	}
	if r, _ := inspect(t, d, func(r *Rules) { r.MaxExcluded, r.MinCoverage = 1, 0 }); r.Err() != nil {
		t.Errorf("rules that allow it: %v", r.Err())
	}
}

// What is not there at all is for training to refuse, in its own words.
func TestNoData(t *testing.T) {
	t.Parallel()
	r, _ := inspect(t, &dataset.Dataset{}, nil)
	if r.Err() != nil || r.Text() == "" {
		t.Errorf("got %v", r.Err())
	}
	if b, err := json.Marshal(r); err != nil || strings.Contains(string(b), "null") {
		t.Errorf("%s, %v", b, err)
	}
}

func TestDefaultRules(t *testing.T) {
	t.Parallel()
	if err := DefaultRules().Validate(); err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(DefaultRules())
	for i := range v.NumField() {
		if v.Field(i).Float() == 0 {
			t.Errorf("rules.yaml does not set %s", v.Type().Field(i).Tag.Get("yaml"))
		}
	}
}

func TestParseRules(t *testing.T) {
	t.Parallel()
	r, err := ParseRules([]byte("frozen_hours: 3\n"))
	want := DefaultRules()
	want.FrozenHours = 3
	if err != nil || r != want {
		t.Errorf("got %+v, %v", r, err)
	}
	for file, want := range map[string]string{
		"frozen_hours: 0\n":   "frozen_hours is 0, must be above 0",
		"min_coverage: 1.5\n": "min_coverage is 1.5, must be 0 to 1",
		"max_gap: 1\n":        "unknown field",
		"max_docks: many\n":   "must be a number",
	} {
		if _, err := ParseRules([]byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", file, err, want)
		}
	}
}
