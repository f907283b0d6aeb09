package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"livelab/pipeline/observation"
)

// historyRow is a row of CityBikes' history; its time is a timestamp.
type historyRow struct {
	Tag       string    `parquet:"tag,dict"`
	NUID      string    `parquet:"nuid,dict"`
	Name      string    `parquet:"name,dict"`
	Latitude  float64   `parquet:"latitude"`
	Longitude float64   `parquet:"longitude"`
	Bikes     *int32    `parquet:"bikes,optional"`
	Free      *int64    `parquet:"free,optional"`
	Timestamp time.Time `parquet:"timestamp,timestamp(microsecond)"`
}

// historyTextRow is the same with the time as text and decimals for counts.
type historyTextRow struct {
	NUID      string   `parquet:"nuid"`
	Timestamp string   `parquet:"timestamp"`
	Name      string   `parquet:"name"`
	Latitude  string   `parquet:"latitude"`
	Longitude string   `parquet:"longitude"`
	Bikes     float64  `parquet:"bikes"`
	Free      *float64 `parquet:"free,optional"`
}

// change is a row of history.
func change(id string, at time.Time, bikes int32, free int64) historyRow {
	return historyRow{Tag: "n", NUID: id, Name: "S " + id, Latitude: 43, Longitude: 11, Bikes: &bikes, Free: &free, Timestamp: at}
}

func parquetBytes[T any](t testing.TB, rows []T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "h.parquet")
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// fakeHistory serves months by "2026-02", and weather that is 1 degree at
// every hour asked for.
type fakeHistory struct {
	months map[string][]byte
	fails  map[string]error
	ids    map[string]string
	lost   bool // nobody knows where the network is
	asked  []string
	now    time.Time
}

func (f *fakeHistory) History(_ context.Context, _ string, t time.Time, to File) error {
	month := t.Format("2006-01")
	if err := f.fails[month]; err != nil {
		return err
	}
	data, ok := f.months[month]
	if !ok {
		return fmt.Errorf("%w for %s", ErrNoHistory, month)
	}
	_, err := to.Write(data)
	return err
}

func (f *fakeHistory) StationIDs(context.Context, string) (map[string]string, error) {
	return f.ids, nil
}

func (f *fakeHistory) Network(context.Context, string) (observation.Network, error) {
	if f.lost {
		return observation.Network{}, errUnreachable
	}
	return observation.Network{Latitude: 43, Longitude: 11}, nil
}

func (f *fakeHistory) Recent(_ context.Context, at Place, days int) (observation.Payload, error) {
	f.asked = append(f.asked, fmt.Sprintf("recent %g %d", at.Latitude, days))
	today := f.now.Truncate(day)
	return f.hours(today.AddDate(0, 0, -days), today.AddDate(0, 0, 1))
}

func (f *fakeHistory) Archive(_ context.Context, _ Place, from, to time.Time) (observation.Payload, error) {
	f.asked = append(f.asked, "archive "+from.Format(time.DateOnly)+" "+to.Format(time.DateOnly))
	return f.hours(from.Truncate(day), to.Truncate(day).AddDate(0, 0, 1))
}

func (f *fakeHistory) hours(from, to time.Time) (observation.Payload, error) {
	var times, values []string
	for ; from.Before(to); from = from.Add(time.Hour) {
		times, values = append(times, from.Format(`"2006-01-02T15:04"`)), append(values, "1")
	}
	body := fmt.Sprintf(`{"hourly":{"time":[%s],"temperature_2m":[%s]}}`, strings.Join(times, ","), strings.Join(values, ","))
	return observation.Payload{Kind: observation.KindWeather, FetchedAt: f.now, Body: []byte(body)}, nil
}

func setupBackfill(t *testing.T, src *fakeHistory, change func(*BackfillConfig)) (*Backfiller, *memStore) {
	t.Helper()
	store := newMemStore()
	cfg := BackfillConfig{History: src, Recorder: &Recorder{Store: store, Origin: observation.OriginReal},
		TempDir: t.TempDir(), Now: func() time.Time { return src.now }}
	if change != nil {
		change(&cfg)
	}
	b, err := NewBackfiller(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b, store
}

var nowhere = observation.Network{ID: "n", Latitude: math.NaN(), Longitude: math.NaN()}

// TestBackfillGrid follows two stations over the turn of a month: b is quiet
// for a day and leaves, the network is quiet for six hours and is not seen.
func TestBackfillGrid(t *testing.T) {
	t.Parallel()
	src := &fakeHistory{now: day0.AddDate(0, 1, 0), months: map[string][]byte{
		"2026-02": parquetBytes(t, []historyRow{ // out of order, as files are
			change("b", day0.Add(-23*time.Hour), 3, 1),
			change("a", day0.Add(-10*time.Minute), 1, 3),
			change("a", day0.Add(-5*time.Hour), 9, 9),
		}),
		"2026-03": parquetBytes(t, []historyRow{
			change("a", day0.Add(30*time.Minute), 2, 2),
			change("a", day0.Add(30*time.Minute+time.Second), 0, 4),
			change("a", day0.Add(9*time.Hour), 4, 0),
			change("", day0.Add(9*time.Hour), 4, 0),
			change("a", day0.AddDate(0, 3, 0), 4, 0),
		}),
	}}
	b, store := setupBackfill(t, src, func(c *BackfillConfig) { c.Step = 30 * time.Minute })
	got, err := b.Backfill(t.Context(), nowhere, day0, day0.Add(10*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	const want = "n 00:00 a 1 3;n 00:00 b 3 1;n 00:30 a 2 2;n 01:00 a 0 4;n 01:30 b -1 -1;n 09:00 a 4 0"
	if all := allChanges(store); all != want {
		t.Errorf("changes\n%s, want\n%s", all, want)
	}
	// Every half hour until 6 h after 00:30:01, then again from 09:00 on.
	if got.Snapshots != 14+2 || got.Rows != 8 || got.Dropped != 2 || len(got.Missing) != 0 {
		t.Errorf("result %+v", got)
	}
	if s := store.networks["n"].stations["a"]; s.Name != "S a" || s.Latitude != 43 || s.Capacity != 4 {
		t.Errorf("station %+v", s)
	}
	again, err := b.Backfill(t.Context(), nowhere, day0, day0.Add(10*time.Hour))
	if err != nil || again.Snapshots != 0 || again.Changes != 0 || again.Skipped != got.Snapshots || allChanges(store) != want {
		t.Errorf("a second run: %+v, %v", again, err)
	}
	if left, _ := os.ReadDir(b.cfg.TempDir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestBackfillSkipsWhatIsNotThere(t *testing.T) {
	t.Parallel()
	src := &fakeHistory{now: day0.AddDate(0, 3, 0), months: map[string][]byte{
		"2026-03": []byte("PAR1 not really"),
		"2026-04": parquetBytes(t, []struct {
			NUID string `parquet:"nuid"`
		}{{"a"}}),
		"2026-05": parquetBytes(t, []historyRow{change("a", day0.AddDate(0, 2, 0), 1, 3)}),
	}, fails: map[string]error{"2026-01": errUnreachable}}
	var steps []string
	b, store := setupBackfill(t, src, func(c *BackfillConfig) {
		c.Progress = func(p BackfillProgress) { steps = append(steps, fmt.Sprintf("%s %d/%d", p.Step, p.Done, p.Total)) }
	})
	got, err := b.Backfill(t.Context(), nowhere, day0.AddDate(0, -2, 2), day0.AddDate(1, 0, 0))
	for _, want := range []string{"connection refused", "history of 2026-03", `history of 2026-04: the file has no column "name"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	if !slices.Equal(got.Missing, []string{"2026-02"}) || got.Snapshots == 0 || len(store.networks["n"].totals) != got.Snapshots {
		t.Errorf("result %+v", got)
	}
	if want := "2026-01 1/5 2026-02 2/5 2026-03 3/5 2026-04 4/5 2026-05 5/5"; strings.Join(steps, " ") != want {
		t.Errorf("progress %v, want %s", steps, want)
	}
	if _, err := b.Backfill(t.Context(), nowhere, src.now.Add(time.Hour), src.now.AddDate(0, 1, 0)); err == nil {
		t.Error("a backfill of the future should be refused")
	}
}

func TestBackfillWeather(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 20, 10, 30, 0, 0, time.UTC)
	tests := map[string]struct {
		from, to time.Time
		asked    string
		rows     int
	}{
		"old and young": {now.AddDate(0, -1, 0), now, "archive 2026-04-20 2026-05-14;recent 43 5", 30 * 24},
		"young only":    {now.Add(-26 * time.Hour), now, "recent 43 1", 26},
		"old only":      {now.AddDate(-2, 0, 0), now.AddDate(-1, 0, 0), "archive 2024-05-20 2025-05-20", 365 * 24},
		"three years":   {now.AddDate(-3, 0, 0), now.AddDate(0, 0, -10), "archive 2023-05-20 2024-05-19;archive 2024-05-20 2025-05-20;archive 2025-05-21 2026-05-10", (365*3 + 1 - 10) * 24},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := &fakeHistory{now: now}
			b, store := setupBackfill(t, src, func(c *BackfillConfig) { c.Weather = src })
			got, err := b.Backfill(t.Context(), nowhere, tc.from, tc.to)
			if err != nil {
				t.Fatal(err)
			}
			if asked := strings.Join(src.asked, ";"); asked != tc.asked {
				t.Errorf("asked %s, want %s", asked, tc.asked)
			}
			if n := len(store.networks["n"].weather); n != tc.rows || got.Weather != n {
				t.Errorf("%d rows stored and %d said, want %d", n, got.Weather, tc.rows)
			}
			for at := range store.networks["n"].weather {
				if at.Before(tc.from) || !at.Before(tc.to) {
					t.Errorf("a row of %s", at)
				}
			}
		})
	}
	lost := &fakeHistory{now: now, lost: true}
	b, _ := setupBackfill(t, lost, func(c *BackfillConfig) { c.Weather = lost })
	if _, err := b.Backfill(t.Context(), nowhere, now.AddDate(0, 0, -2), now); !errors.Is(err, errUnreachable) {
		t.Errorf("error %v", err)
	}
}

func TestReadHistoryForms(t *testing.T) {
	t.Parallel()
	three, nan := 3.0, math.NaN()
	rows := []historyTextRow{
		{"a", "2026-03-01 00:10:00.5+00:00", "A\x00", "43", "x", 1, &three},
		{"a", "2026-03-01T00:20:00+00:00Z", "A", "43", "11", 2, nil},
		{"a", "2026-03-01T00:30:00", "A", "43", "11", -2, &nan},
		{"a", "yesterday", "A", "43", "11", 2, nil},
	}
	data := parquetBytes(t, rows)
	h, err := readHistory(t.Context(), strings.NewReader(string(data)), int64(len(data)), day0, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range h.table.rows {
		got = append(got, fmt.Sprintf("%d %d %d", r.at/1000, r.free, r.slots))
	}
	if s := strings.Join(got, ";"); s != "600 1 3;1200 2 -1;1800 -1 -1" || h.dropped != 1 {
		t.Errorf("rows %s, %d dropped", s, h.dropped)
	}
	if s := h.describedStations()[0]; s.Name != "A" || !math.IsNaN(s.Latitude) || s.Capacity != 4 {
		t.Errorf("station %+v", s)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrClosedPipe)
	many := make([]historyRow, 100_000)
	for i := range many {
		many[i] = change("a", day0.Add(time.Duration(i)*time.Second), 1, 1)
	}
	data = parquetBytes(t, many)
	if _, err := readHistory(ctx, strings.NewReader(string(data)), int64(len(data)), day0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a dead context: %v", err)
	}
}

func TestOpenParquetDistrusts(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"PAR1":                         "too few",
		"PAR1 and then it was cut off": "cut off",
		"PAR1xxxx\xff\xff\xff\xffPAR1": "claims 4294967295 bytes of a file of 16",
		"PAR1" + "garbage!" + "\x08\x00\x00\x00PAR1": "Parquet",
	}
	for data, want := range tests {
		if _, err := openParquet(strings.NewReader(data), int64(len(data))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one with %q", data, err, want)
		}
	}
}

// TestBackfillThroughTheClients goes the whole way over HTTP.
func TestBackfillThroughTheClients(t *testing.T) {
	t.Parallel()
	data := parquetBytes(t, []historyRow{change("a", day0.Add(time.Hour), 1, 3)})
	hours, _ := (&fakeHistory{now: day0.AddDate(0, 1, 0)}).hours(day0, day0.Add(day))
	url, _ := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/dumps/by-network/2026/202603-n-stats.parquet":
			_, _ = w.Write(data)
		case "/v2/networks/n":
			_, _ = io.WriteString(w, network())
		case "/archive":
			_, _ = w.Write(hours.Body)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	clock := newFakeClock()
	client := testClient(clock, nil)
	store := newMemStore()
	b, err := NewBackfiller(BackfillConfig{
		History:  NewCityBikes(CityBikesConfig{BaseURL: url + "/v2", HistoryURL: url}, client),
		Weather:  NewOpenMeteo(OpenMeteoConfig{ArchiveURL: url + "/archive"}, client),
		Recorder: &Recorder{Store: store, Origin: observation.OriginReal}, TempDir: t.TempDir(), Now: clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Backfill(t.Context(), nowhere, day0, day0.Add(2*time.Hour))
	if err != nil || got.Snapshots != 6 || got.Changes != 1 || got.Weather != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// FuzzReadHistory fuzzes what a file says. The container is the library's: a
// broken one makes it reserve gigabytes before it fails, which tells nothing
// about the code here and starves the fuzzer.
func FuzzReadHistory(f *testing.F) {
	f.Add("a", "2026-03-01T00:10:00+00:00Z", "A", "43", 1.0, 3.0)
	f.Add("b\x00", "1772323200", "\xff", "NaN", -1.0, 7.5)
	f.Fuzz(func(t *testing.T, id, at, name, lat string, bikes, free float64) {
		data := parquetBytes(t, []historyTextRow{
			{"a", "2026-03-01T00:10:00", "A", "43", "11", 1, nil},
			{id, at, name, lat, lat, bikes, &free},
		})
		h, err := readHistory(t.Context(), strings.NewReader(string(data)), int64(len(data)), day0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if h.rows != 2 || h.dropped+int64(len(h.table.rows)) > 2 || len(h.table.rows) == 0 {
			t.Errorf("%d rows, %d dropped, %d kept", h.rows, h.dropped, len(h.table.rows))
		}
		g := newGrid(day0, day0.AddDate(0, 1, 0), BackfillConfig{Step: day, MaxAge: day, MaxQuiet: day})
		ledger := newLedger(nil)
		for s := range g.month(day0, h) {
			if _, err := ledger.apply(s, nil); err != nil {
				t.Error(err)
			}
		}
	})
}

// BenchmarkReadHistory reads a month of changes.
func BenchmarkReadHistory(b *testing.B) {
	const rows = 500_000
	many := make([]historyRow, rows)
	for i := range many {
		many[i] = change(fmt.Sprintf("%032d", i%400), day0.Add(time.Duration(i)*5*time.Second), int32(i%20), int64(i%7))
	}
	data := parquetBytes(b, many)
	b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := readHistory(b.Context(), strings.NewReader(string(data)), int64(len(data)), day0, nil); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
