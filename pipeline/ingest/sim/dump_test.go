package sim

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"livelab/pipeline/observation"
)

func readDump(t *testing.T, raw []byte) []dumpRow {
	t.Helper()
	rows, err := parquet.Read[dumpRow](bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// replay turns the rows of one station into what it showed at each sample.
func replay(rows []dumpRow, from, to time.Time, step time.Duration) []observation.State {
	var states []observation.State
	state := observation.Gone
	for at := from; !at.After(to); at = at.Add(step) {
		for len(rows) > 0 && rows[0].Timestamp <= at.UnixMicro() {
			state = observation.State{FreeBikes: *rows[0].Bikes, EmptySlots: observation.Unknown, InService: true}
			if rows[0].Free != nil {
				state.EmptySlots = *rows[0].Free
				state.InService = *rows[0].Bikes+*rows[0].Free > 0
			}
			rows = rows[1:]
		}
		states = append(states, state)
	}
	return states
}

func TestTheDumpReproducesTheSnapshots(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 4, 19, 17, 3, 30, 0, time.UTC)
	s, _ := testServer(t, ServerConfig{Now: func() time.Time { return now }})
	for _, tt := range []struct {
		file     string
		from, to time.Time
	}{
		{"202603", time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 31, 23, 55, 0, 0, time.UTC)},
		{"202604", time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 19, 17, 0, 0, 0, time.UTC)},
	} {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			rows := readDump(t, get(s, "/dumps/by-network/2026/"+tt.file+"-sim-city-stats.parquet").Body.Bytes())
			c := s.cities["sim-city"]
			want := make([][]observation.State, len(c.stations))
			for snapshot := range c.History(tt.from, tt.to, 5*time.Minute) {
				for i, r := range snapshot.Readings {
					want[i] = append(want[i], r.State)
				}
			}
			for i, station := range c.stations {
				n := slices.IndexFunc(rows, func(r dumpRow) bool { return r.NUID != station.uid })
				if n < 0 {
					n = len(rows)
				}
				if !slices.Equal(replay(rows[:n], tt.from, tt.to, 5*time.Minute), want[i]) {
					t.Errorf("station %s of the dump does not show what the snapshots show", station.uid)
				}
				for j := 1; j < n; j++ {
					if rows[j].Timestamp <= rows[j-1].Timestamp || rows[j].Timestamp > now.UnixMicro() {
						t.Fatalf("station %s: row %d is out of order or in the future", station.uid, j)
					}
				}
				rows = rows[n:]
			}
			if len(rows) > 0 {
				t.Errorf("%d rows are of no station", len(rows))
			}
		})
	}
}

func TestTheDumpHasCityBikesColumns(t *testing.T) {
	t.Parallel()
	c := testCity(t, Config{Stations: 3})
	var b bytes.Buffer
	if err := c.WriteDump(context.Background(), &b, start, start.Add(time.Hour), 5*time.Minute); err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, field := range f.Schema().Fields() {
		names = append(names, field.Name())
	}
	want := []string{"tag", "nuid", "name", "latitude", "longitude", "bikes", "free", "timestamp"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("columns differ:\n%s", diff)
	}
	first := readDump(t, b.Bytes())[0]
	if s := c.stations[0]; first.Tag != "sim-city" || first.NUID != s.uid || first.Name != s.Name || first.Timestamp != start.UnixMicro() {
		t.Errorf("first row is %+v, want station %+v at %s", first, s.Station, start)
	}
}

func TestADumpEndsWhenTheClientGoes(t *testing.T) {
	t.Parallel()
	c := testCity(t, Config{Stations: 3})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := c.WriteDump(ctx, io.Discard, start, start.AddDate(0, 1, 0), 5*time.Minute)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("WriteDump for nobody = %v, want context canceled", err)
	}
	s, _ := testServer(t, ServerConfig{})
	defer func() {
		if r := recover(); r != http.ErrAbortHandler {
			t.Errorf("the answer ended with %v, want it aborted", r)
		}
	}()
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/dumps/by-network/2026/202604-sim-city-stats.parquet", nil).WithContext(ctx))
}

func BenchmarkDump(b *testing.B) {
	b.Run("stations=60/days=31/step=5m", func(b *testing.B) {
		c := testCity(b, Config{})
		b.ReportAllocs()
		for b.Loop() {
			var out bytes.Buffer
			if err := c.WriteDump(context.Background(), &out, start, start.AddDate(0, 1, 0), 5*time.Minute); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(out.Len()))
		}
	})
}
