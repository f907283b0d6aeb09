package dataset

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// memory is a Store of what it holds.
type memory struct {
	networks []observation.Network
	points   []observation.Totals
	weather  []observation.Weather
	stations []observation.Station
	changes  []observation.Observation
}

func (m *memory) Origin(context.Context) (observation.Origin, error) {
	return observation.OriginSimulated, nil
}
func (m *memory) Networks(context.Context) ([]observation.Network, error) { return m.networks, nil }
func (m *memory) Stations(context.Context, string) ([]observation.Station, error) {
	return m.stations, nil
}

func (m *memory) Totals(_ context.Context, _ string, from, to time.Time) ([]observation.Totals, error) {
	var out []observation.Totals
	for _, p := range m.points {
		if inside(p.At, from, to) {
			out = append(out, p)
		}
	}
	return out, nil
}

func (m *memory) Weather(_ context.Context, _ string, from, to time.Time) ([]observation.Weather, error) {
	var out []observation.Weather
	for _, w := range m.weather {
		if inside(w.At, from, to) {
			out = append(out, w)
		}
	}
	return out, nil
}

func (m *memory) Newest(context.Context, string) (snapshot, weather time.Time, err error) {
	return lastAt(m.points), time.Time{}, nil
}

func (m *memory) Changes(_ context.Context, _ string, from, to time.Time, yield func(observation.Observation) error) error {
	for _, c := range m.changes {
		if !inside(c.At, from, to) {
			continue
		}
		if err := yield(c); err != nil {
			return err
		}
	}
	return nil
}

func inside(t, from, to time.Time) bool {
	return (from.IsZero() || !t.Before(from)) && (to.IsZero() || !t.After(to))
}

// city holds a point every ten minutes for the given days, and hourly weather
// with a value missing.
func city(days int) *memory {
	m := &memory{networks: []observation.Network{{ID: "here", Name: "Here", Latitude: 59.9, Longitude: math.NaN()}}}
	for t := start; t.Before(start.Add(time.Duration(days) * 24 * time.Hour)); t = t.Add(10 * time.Minute) {
		free := int32(300 + t.Hour()*10 + t.Day())
		m.points = append(m.points, observation.Totals{At: t, Stations: 50, FreeBikes: free, EmptySlots: 900 - free})
		if t.Minute() == 0 {
			m.weather = append(m.weather, observation.Weather{At: t, Temperature: 7.1, Precipitation: math.NaN(), WindSpeed: 12})
		}
	}
	return m
}

func read(t *testing.T, m *memory) *Dataset {
	t.Helper()
	d, err := FromStore(t.Context(), m, Selection{Stations: m.stations != nil})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestWriteAndOpen(t *testing.T) {
	t.Parallel()
	d := read(t, city(3))
	dir := filepath.Join(t.TempDir(), "a", "frozen")
	if err := d.Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest() != d.Digest() {
		t.Errorf("digest is %s after a round trip, was %s", got.Digest(), d.Digest())
	}
	if got.Network.Name != "Here" || !math.IsNaN(got.Network.Longitude) || got.Origin != observation.OriginSimulated {
		t.Errorf("the network came back as %+v, %s", got.Network, got.Origin)
	}
	if err := d.Write(dir); err != nil {
		t.Errorf("writing the same dataset again: %v", err)
	}
	if err := read(t, city(2)).Write(dir); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("another dataset was written over it: %v", err)
	}
}

func TestDigestIsOfTheContent(t *testing.T) {
	t.Parallel()
	base := read(t, city(1)).Digest()
	changes := map[string]func(*Dataset){
		"a bike":      func(d *Dataset) { d.Series.Points[5].FreeBikes++ },
		"a second":    func(d *Dataset) { d.Series.Points[5].At = d.Series.Points[5].At.Add(time.Second) },
		"a degree":    func(d *Dataset) { d.Series.Weather[2].Temperature++ },
		"a latitude":  func(d *Dataset) { d.Network.Latitude++ },
		"a longitude": func(d *Dataset) { d.Network.Longitude = 10.7 },
		"the network": func(d *Dataset) { d.Network.ID = "there" },
		"the origin":  func(d *Dataset) { d.Origin = observation.OriginReal },
		"a row less":  func(d *Dataset) { d.Series.Points = d.Series.Points[1:] },
	}
	for name, change := range changes {
		d := read(t, city(1))
		change(d)
		if d.Digest() == base {
			t.Errorf("%s does not change the digest", name)
		}
	}
	if read(t, city(1)).Digest() != base {
		t.Error("the same content has another digest")
	}
}

func TestOpenRefusesWhatWasChanged(t *testing.T) {
	t.Parallel()
	for _, name := range []string{snapshotsFile, weatherFile, manifestFile} {
		dir := filepath.Join(t.TempDir(), "frozen")
		if err := read(t, city(1)).Write(dir); err != nil {
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
		if _, err := Open(dir); err == nil {
			t.Errorf("a changed %s was taken", name)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a missing %s is not named: %v", name, err)
		}
	}
}

func TestKeepReplacesADamagedCopy(t *testing.T) {
	t.Parallel()
	d, datasets := read(t, city(1)), t.TempDir()
	dir := filepath.Join(datasets, d.Digest())
	for range 2 {
		if err := d.Keep(datasets); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, weatherFile), []byte("damaged"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := d.Write(filepath.Join(blocked, "x")); err == nil || strings.Contains(err.Error(), "is there already") {
		t.Errorf("a folder that cannot be made: %v", err)
	}
}

func TestFindNetwork(t *testing.T) {
	t.Parallel()
	two := &memory{networks: []observation.Network{{ID: "b"}, {ID: "a"}}}
	tests := []struct {
		store *memory
		id    string
		want  string
		err   string
	}{
		{city(1), "", "here", ""},
		{city(1), "here", "here", ""},
		{city(1), "there", "", `there is no network "there": the store holds here`},
		{two, "a", "a", ""},
		{two, "", "", "name a network: the store holds a, b"},
		{&memory{}, "", "", "there is no data: the store holds none yet; run `livelab ingest`"},
		{&memory{}, "here", "", `there is no network "here": the store holds none yet`},
	}
	for _, tt := range tests {
		n, err := FindNetwork(t.Context(), tt.store, tt.id)
		if n.ID != tt.want || (tt.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("network %q of %d: %q, %v", tt.id, len(tt.store.networks), n.ID, err)
		}
	}
}

// TestNewestRowIsTheTrainingRow holds serving to training: the row of a time
// that training has a row at too has the same values.
func TestNewestRowIsTheTrainingRow(t *testing.T) {
	t.Parallel()
	m, task := city(30), features.NetworkShortage()
	now := m.points[len(m.points)-1].At
	row, err := NewLive(m, func() time.Time { return now }).Newest(t.Context(), task, "")
	if err != nil {
		t.Fatal(err)
	}
	f, err := features.Build(task, features.PlaceOf(m.networks[0]), features.Series{Points: m.points, Weather: m.weather}, []time.Time{now})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range f.Names() {
		want := f.Value(name, 0)
		got, there := row.Values[name]
		if there == math.IsNaN(want) || there && got != want {
			t.Errorf("%s is %v (there: %v), training has %v", name, got, there, want)
		}
	}
	if !row.AsOf.Equal(now) || row.WeatherAt.IsZero() {
		t.Errorf("as of %s, weather of %s", row.AsOf, row.WeatherAt)
	}
}

func TestNewestFollowsTheStore(t *testing.T) {
	t.Parallel()
	m, task := city(30), features.NetworkShortage()
	all := m.points
	m.points = all[:len(all)-6]
	now := m.points[len(m.points)-1].At
	live := NewLive(m, func() time.Time { return now })
	newest := func() (Row, error) { return live.Newest(t.Context(), task, "here") }
	if row, err := newest(); err != nil || !row.AsOf.Equal(now) {
		t.Fatalf("as of %s: %v", row.AsOf, err)
	}

	now = now.Add(5 * time.Minute)
	m.points = all[:len(all)-5]
	m.points[len(m.points)-1].At = now
	if row, err := newest(); err != nil || !row.AsOf.Equal(now) {
		t.Errorf("a new point is not seen: as of %s, %v", row.AsOf, err)
	}

	now = now.Add(61 * time.Minute)
	_, err := newest()
	var missing *MissingError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "stands for 1h0m0s") {
		t.Errorf("old data is not refused: %v", err)
	}
	if _, err := NewLive(&memory{networks: m.networks}, func() time.Time { return now }).Newest(t.Context(), task, ""); !errors.As(err, &missing) {
		t.Errorf("an empty store is not a MissingError: %v", err)
	}
	var unknown *NetworkError
	if _, err := live.Newest(t.Context(), task, "there"); !errors.As(err, &unknown) {
		t.Errorf("an unknown network is not a NetworkError: %v", err)
	}
}

func TestNewestWithoutWeather(t *testing.T) {
	t.Parallel()
	m := city(20)
	m.weather = nil
	now := m.points[len(m.points)-1].At.Add(20 * time.Minute)
	row, err := NewLive(m, func() time.Time { return now }).Newest(t.Context(), features.NetworkShortage(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, there := row.Values["temp_2m"]; there || !row.WeatherAt.IsZero() {
		t.Error("weather was made up")
	}
	if _, there := row.Values["free_ratio"]; !there {
		t.Error("a point 20 minutes old does not stand for now")
	}
}
