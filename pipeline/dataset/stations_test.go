package dataset

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// peopled is a city with stations: more changes than are read at once, one
// station that never showed anything, and one that moved.
func peopled(days int) *memory {
	m := city(days)
	m.stations = []observation.Station{
		{ID: "10", Name: "Dock", Latitude: 59.9, Longitude: 10.7, Capacity: 20},
		{ID: "9", Name: "Quay", Latitude: math.NaN(), Longitude: math.NaN(), Capacity: observation.Unknown},
		{ID: "a", Name: "Hill", Latitude: 59.95, Longitude: 10.75, Capacity: 12, MovedAt: start.Add(time.Hour)},
		{ID: "never seen", Capacity: 5},
	}
	for s, station := range m.stations[:3] {
		for i, p := range m.points {
			state := observation.State{FreeBikes: int32((i + s) % 15), EmptySlots: int32(i % 7), InService: i%50 != 0}
			if i%97 == 0 {
				state.EmptySlots = observation.Unknown
			}
			m.changes = append(m.changes, observation.Observation{StationID: station.ID, At: p.At, State: state})
		}
	}
	return m
}

func stationTask() features.Task { return features.StationShortage(0) }

func TestStationsAreReadFrozenAndRead(t *testing.T) {
	t.Parallel()
	m := peopled(40)
	d := read(t, m)
	if len(d.Stations.List) != 3 || d.Changes() != 3*len(m.points) || d.Changes() <= 4*rowsAtOnce {
		t.Fatalf("read %d changes of %d stations", d.Changes(), len(d.Stations.List))
	}
	for i, c := range m.changes {
		past, k := &d.Stations.Past[i/len(m.points)], i%len(m.points)
		got := observation.Observation{StationID: d.Stations.List[i/len(m.points)].ID, At: time.Unix(past.At[k], 0).UTC(),
			State: observation.State{FreeBikes: past.FreeBikes[k], EmptySlots: past.EmptySlots[k], InService: past.InService[k]}}
		if got != c {
			t.Fatalf("change %d came as %+v, want %+v", i, got, c)
		}
	}
	dir := filepath.Join(t.TempDir(), "frozen")
	if err := d.Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("after a round trip (-want +got):\n%s", diff)
	}
	if err := d.Write(dir); err != nil {
		t.Errorf("writing the same dataset again: %v", err)
	}
	part, err := OpenFor(dir, features.NetworkShortage())
	if err != nil || part.Stations != nil || part.Digest() != d.For(features.NetworkShortage()).Digest() {
		t.Errorf("the network's part was opened as %s with stations %v: %v", part.Digest(), part.Stations != nil, err)
	}
}

// TestNetworksPartIsTheNetworkAlone holds the digest of a network's model to
// what it was before there were stations.
func TestNetworksPartIsTheNetworkAlone(t *testing.T) {
	t.Parallel()
	const frozenBefore = "cd7fe55114698b4d617a52729b6326a7876b9b6dffb733909967d46b58ccc18c"
	alone := read(t, city(1))
	if got := alone.Digest(); got != frozenBefore {
		t.Errorf("the digest of a network is %s, was %s", got, frozenBefore)
	}
	with := read(t, peopled(1))
	if got := with.For(features.NetworkShortage()); got.Stations != nil || got.Digest() != frozenBefore {
		t.Errorf("the digest of the network's part is %s, want %s", got.Digest(), frozenBefore)
	}
	if with.For(stationTask()).Digest() != with.Digest() || with.Digest() == frozenBefore {
		t.Error("a task about stations does not read the whole dataset")
	}
	none := &Dataset{Network: alone.Network, Origin: alone.Origin, Series: alone.Series, Stations: &features.Stations{}}
	if none.Digest() == frozenBefore {
		t.Error("no stations in the store and no stations read have one digest")
	}
	dir := filepath.Join(t.TempDir(), "frozen")
	if err := alone.Write(dir); err != nil {
		t.Fatal(err)
	}
	if m, err := readManifest(dir); err != nil || m.Format != networkFormat {
		t.Errorf("a network alone has the format %d, which older programs do not read: %v", m.Format, err)
	}
}

func TestDigestIsOfTheStations(t *testing.T) {
	t.Parallel()
	base := read(t, peopled(1)).Digest()
	changes := map[string]func(*features.Stations){
		"a bike":     func(s *features.Stations) { s.Past[1].FreeBikes[5]++ },
		"a slot":     func(s *features.Stations) { s.Past[1].EmptySlots[5]++ },
		"a second":   func(s *features.Stations) { s.Past[1].At[5]++ },
		"a service":  func(s *features.Stations) { s.Past[2].InService[5] = !s.Past[2].InService[5] },
		"a place":    func(s *features.Stations) { s.List[0].Latitude += 1e-9 },
		"a dock":     func(s *features.Stations) { s.List[0].Capacity++ },
		"a move":     func(s *features.Stations) { s.List[2].MovedAt = s.List[2].MovedAt.Add(time.Second) },
		"an ID":      func(s *features.Stations) { s.List[2].ID = "b" },
		"one less":   func(s *features.Stations) { s.List, s.Past = s.List[:2], s.Past[:2] },
		"of another": func(s *features.Stations) { s.Past[0], s.Past[1] = s.Past[1], s.Past[0] },
	}
	for name, change := range changes {
		d := read(t, peopled(1))
		change(d.Stations)
		if d.Digest() == base {
			t.Errorf("%s does not change the digest", name)
		}
	}
	d := read(t, peopled(1))
	d.Stations.List[0].Name = "renamed"
	if d.Digest() != base {
		t.Error("a name changes the digest")
	}
}

// TestStationsOfAnEarlierTime reads up to a time as the store was then.
func TestStationsOfAnEarlierTime(t *testing.T) {
	t.Parallel()
	m := peopled(2)
	to := start.Add(24*time.Hour - time.Second)
	m.stations = append(m.stations, observation.Station{ID: "zoo"})
	m.changes = append(m.changes, observation.Observation{StationID: "zoo", At: to.Add(time.Hour)})
	d, err := FromStore(t.Context(), m, Selection{To: to, Stations: true})
	if err != nil {
		t.Fatal(err)
	}
	if want := read(t, peopled(1)).Digest(); d.Digest() != want {
		t.Errorf("the first of two days has the digest %s, the only one %s", d.Digest(), want)
	}
}

// TestWhatIsSaidAgainIsNoChange gives rows as a store has them where older data
// came in after newer.
func TestWhatIsSaidAgainIsNoChange(t *testing.T) {
	t.Parallel()
	m := peopled(1)
	want := read(t, m).Digest()
	last := m.changes[len(m.changes)-1]
	m.points = append(m.points, m.points[len(m.points)-1])
	m.points[len(m.points)-1].At = last.At.Add(time.Minute)
	withPoint := read(t, m).Digest()
	last.At = last.At.Add(time.Minute)
	m.changes = append(m.changes, last)
	if got := read(t, m).Digest(); got != withPoint || got == want {
		t.Error("a row that says again what held is a change")
	}
}

func TestChangesOutOfOrderAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		spoil func(m *memory)
		want  string
	}{
		"a time twice":     {func(m *memory) { m.changes[7].At = m.changes[6].At }, `the changes of station "10" are not in ascending order of time: 2026-03-02T01:00:00Z comes after 2026-03-02T01:00:00Z`},
		"a time back":      {func(m *memory) { m.changes[7].At = m.changes[3].At }, `2026-03-02T00:30:00Z comes after 2026-03-02T01:00:00Z`},
		"an ID back":       {func(m *memory) { m.changes[len(m.changes)-1].StationID = "10" }, `station "10" come after those of "a"`},
		"a station absent": {func(m *memory) { m.stations = m.stations[1:] }, `changes of station "10", which is not in the list`},
	}
	for name, tt := range tests {
		m := peopled(1)
		tt.spoil(m)
		_, err := FromStore(t.Context(), m, Selection{Stations: true})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
}

func TestOpenRefusesStationsThatWereChanged(t *testing.T) {
	t.Parallel()
	for _, name := range []string{stationsFile, changesFile} {
		dir := filepath.Join(t.TempDir(), "frozen")
		if err := read(t, peopled(1)).Write(dir); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/2] ^= 1
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a changed %s was taken: %v", name, err)
		}
		if _, err := OpenFor(dir, stationTask()); err == nil {
			t.Errorf("a changed %s was taken for stations", name)
		}
		if _, err := OpenFor(dir, features.NetworkShortage()); err != nil {
			t.Errorf("a network needs %s: %v", name, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a missing %s is not named: %v", name, err)
		}
	}
}

// TestFrozenStationsMustAgree gives files that are whole but do not fit
// together, as only a forger's would.
func TestFrozenStationsMustAgree(t *testing.T) {
	t.Parallel()
	two := []stationRow{{ID: "a", Changes: 2}, {ID: "b", Changes: 1}}
	three := []changeRow{{Station: 0, TS: 1}, {Station: 0, TS: 2}, {Station: 1, TS: 1}}
	tests := map[string]struct {
		stations []stationRow
		changes  []changeRow
		want     string
	}{
		"whole":               {two, three, ""},
		"a change too many":   {two, append(three[:3:3], changeRow{Station: 1, TS: 2}), "1 changes are of no station"},
		"a change too few":    {two, three[:2], `the station "b" has 1 changes, more than there are`},
		"less than none":      {[]stationRow{{ID: "a", Changes: -1}}, nil, "-1 changes"},
		"no such station":     {two, []changeRow{three[0], three[1], {Station: 2, TS: 1}}, "station 2 after one of station 0, of 2 stations"},
		"before the first":    {two, []changeRow{{Station: -1}, three[1], three[2]}, "station -1"},
		"stations not sorted": {[]stationRow{two[1], two[0]}, three, `"a" comes after "b"`},
		"a station twice":     {[]stationRow{two[0], two[0]}, three, `"a" comes after "a"`},
		"a time twice":        {two, []changeRow{three[0], three[0], three[2]}, `"a" are not in ascending order`},
		"one taken by others": {two, []changeRow{three[0], three[2], {Station: 1, TS: 2}}, `station "a" has 1 changes, the list says 2`},
	}
	for name, tt := range tests {
		dir := t.TempDir()
		if err := parquet.WriteFile(filepath.Join(dir, stationsFile), tt.stations); err != nil {
			t.Fatal(err)
		}
		if err := parquet.WriteFile(filepath.Join(dir, changesFile), tt.changes); err != nil {
			t.Fatal(err)
		}
		_, err := readFrozenStations(dir)
		if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// FuzzFrozenStations gives any bytes for the two files, which may be refused
// and must not end the program.
func FuzzFrozenStations(f *testing.F) {
	dir := filepath.Join(f.TempDir(), "frozen")
	m := peopled(1)
	d, err := FromStore(f.Context(), m, Selection{Stations: true})
	if err != nil {
		f.Fatal(err)
	}
	if err := d.Write(dir); err != nil {
		f.Fatal(err)
	}
	var files [2][]byte
	for i, name := range []string{stationsFile, changesFile} {
		if files[i], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(files[0], files[1])
	f.Add(files[1], files[0])
	f.Add([]byte("PAR1"), []byte{})
	f.Fuzz(func(t *testing.T, stations, changes []byte) {
		dir := t.TempDir()
		for name, b := range map[string][]byte{stationsFile: stations, changesFile: changes} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if s, err := readFrozenStations(dir); err == nil && len(s.List) != len(s.Past) {
			t.Error(fmt.Sprint("stations without a past: ", len(s.List), len(s.Past)))
		}
	})
}
