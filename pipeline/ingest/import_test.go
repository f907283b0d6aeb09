package ingest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/parquet-go/parquet-go"

	"livelab/pipeline/observation"
)

func importString(t *testing.T, store *memStore, data string, opts ImportOptions) (ImportResult, error) {
	t.Helper()
	rec := &Recorder{Store: store, Origin: observation.OriginReal}
	return ImportReader(t.Context(), rec, strings.NewReader(data), "f.csv", opts)
}

const bikesHeader = "ts,network,station_id,free_bikes,empty_slots\n"

func TestImportBikes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		data string
		opts ImportOptions
		want string // "at id free slots" of every change, sorted
		res  ImportResult
	}{
		"plain": {
			data: bikesHeader + "2026-03-01T00:00:00Z,n,a,1,2\n2026-03-01T00:00:00Z,n,b,3,4\n2026-03-01T00:10:00Z,n,a,0,3\n2026-03-01T00:10:00Z,n,b,3,4\n",
			want: "n 00:00 a 1 2;n 00:00 b 3 4;n 00:10 a 0 3",
			res:  ImportResult{Rows: 4, Networks: []string{"n"}, Recorded: Recorded{Snapshots: 2, Changes: 3}},
		},
		"any order of columns and rows, two networks, a stranger": {
			data: "empty_slots,Station_ID,why,network,free_bikes,ts\r\n2,a,x,m,1,2026-03-01 00:10:00Z\r\n4,b,x,n,3,1772323200\r\n\r\n3,a,x,m,0,2026-03-01T01:00:00+01:00",
			want: "m 00:00 a 0 3;m 00:10 a 1 2;n 00:00 b 3 4",
			res:  ImportResult{Rows: 3, Networks: []string{"m", "n"}, Ignored: []string{"why"}, Recorded: Recorded{Snapshots: 3, Changes: 3}},
		},
		"unknown, decimals, quotes, mark, no network": {
			data: "\xef\xbb\xbf\"ts\",station_id,free_bikes,empty_slots\n2026-03-01T00:00:00Z,\"a,1\",,2.0\n",
			opts: ImportOptions{Network: "n"},
			want: "n 00:00 a,1 -1 2",
			res:  ImportResult{Rows: 1, Networks: []string{"n"}, Recorded: Recorded{Snapshots: 1, Changes: 1}},
		},
		"duplicates: same and contradicting": {
			data: bikesHeader + "2026-03-01T00:00:00Z,n,a,1,2\n2026-03-01T00:00:00Z,n,a,1,2\n2026-03-01T00:00:00Z,n,a,9,2\n",
			want: "n 00:00 a 9 2",
			res:  ImportResult{Rows: 3, Repeated: 1, Contradicted: 1, Networks: []string{"n"}, Recorded: Recorded{Snapshots: 1, Changes: 1}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newMemStore()
			got, err := importString(t, store, tc.data, tc.opts)
			if err != nil {
				t.Fatal(err)
			}
			if all := allChanges(store); all != tc.want {
				t.Errorf("changes %s, want %s", all, tc.want)
			}
			if got.Kind != observation.KindBikes || got.Rows != tc.res.Rows || got.Repeated != tc.res.Repeated || got.Contradicted != tc.res.Contradicted ||
				!slices.Equal(got.Networks, tc.res.Networks) || !slices.Equal(got.Ignored, tc.res.Ignored) ||
				got.Snapshots != tc.res.Snapshots || got.Changes != tc.res.Changes || !got.First.Equal(day0) {
				t.Errorf("result %+v, want %+v", got, tc.res)
			}
			again, err := importString(t, store, tc.data, tc.opts)
			if err != nil || again.Snapshots != 0 || again.Changes != 0 || again.Skipped != got.Snapshots {
				t.Errorf("the same file again: %+v, %v", again, err)
			}
		})
	}
}

// allChanges lists what is stored, for comparison.
func allChanges(s *memStore) string {
	var out []string
	for network, n := range s.networks {
		for id, changes := range n.changes {
			for at, state := range changes {
				out = append(out, fmt.Sprintf("%s %s %s %d %d", network, at.Format("15:04"), id, state.FreeBikes, state.EmptySlots))
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, ";")
}

func TestImportWeather(t *testing.T) {
	t.Parallel()
	store := newMemStore()
	got, err := importString(t, store, "ts,temp_2m,precipitation,wind_speed_10m\n2026-03-01T01:00:00Z,1.5,0,3\n2026-03-01T00:00:00Z,,0.2,\n2026-03-01T01:00:00Z,2,0,3\n", ImportOptions{Network: "n"})
	if err != nil {
		t.Fatal(err)
	}
	if got.Kind != observation.KindWeather || got.Weather != 2 || got.Contradicted != 1 || !got.First.Equal(day0) || !got.Last.Equal(minute(60)) {
		t.Errorf("result %+v", got)
	}
	rows := store.networks["n"].weather
	if w := rows[minute(60)]; w.Temperature != 2 || w.WindSpeed != 3 {
		t.Errorf("the last row should win: %+v", w)
	}
	if w := rows[day0]; !math.IsNaN(w.Temperature) || w.Precipitation != 0.2 {
		t.Errorf("an empty cell should be missing: %+v", w)
	}
}

func TestImportRefusesTheWholeFile(t *testing.T) {
	t.Parallel()
	good := "2026-03-01T00:00:00Z,n,a,1,2\n"
	tests := map[string]struct {
		data string
		want []string
	}{
		"empty":            {"", []string{"f.csv is empty"}},
		"header only":      {bikesHeader, []string{"no rows"}},
		"no network":       {"ts,station_id,free_bikes,empty_slots\n", []string{"--network"}},
		"missing column":   {"ts,network,station_id,free_bikes\n", []string{`"empty_slots"`}},
		"column twice":     {"ts,ts,network,station_id,free_bikes\n", []string{"twice"}},
		"other file":       {"<html>\n", []string{`"ts"`}},
		"a program":        {"\x7fELF\x02\x01\x01\x00\x00", []string{"neither CSV", "ELF"}},
		"noise":            {"\xff\xfe\xfd\xfc\xfb\n", []string{"neither CSV"}},
		"semicolons":       {strings.ReplaceAll(bikesHeader, ",", ";"), []string{`";"`, "commas"}},
		"tabs":             {strings.ReplaceAll(bikesHeader, ",", "\t"), []string{`"\t"`, "commas"}},
		"not a count":      {bikesHeader + good + "2026-03-01T00:00:00Z,n,a,many,2\n", []string{"f.csv, line 3", `free_bikes "many"`, "nothing of the file was stored"}},
		"negative":         {bikesHeader + good + "2026-03-01T00:00:00Z,n,a,1,-2\n", []string{"line 3", `empty_slots "-2"`}},
		"absurd":           {bikesHeader + "2026-03-01T00:00:00Z,n,a,1,10001\n", []string{"line 2", "10000"}},
		"fraction":         {bikesHeader + "2026-03-01T00:00:00Z,n,a,1.5,1\n", []string{"line 2", `"1.5"`}},
		"no zone":          {bikesHeader + good + "2026-03-01T00:00:00,n,a,1,2\n", []string{"line 3", `ts "2026-03-01T00:00:00"`}},
		"no such day":      {bikesHeader + "2026-02-30T00:00:00Z,n,a,1,2\n", []string{"line 2", "ts"}},
		"milliseconds":     {bikesHeader + "1772323200000,n,a,1,2\n", []string{"line 2", "future"}},
		"future":           {bikesHeader + "2097-03-01T00:00:00Z,n,a,1,2\n", []string{"line 2", "future"}},
		"too few fields":   {bikesHeader + good + "\n2026-03-01T00:00:00Z,n,a,1\n", []string{"line 4", "4 fields"}},
		"no station":       {bikesHeader + "2026-03-01T00:00:00Z,n,,1,2\n", []string{"line 2", "station_id"}},
		"network left out": {bikesHeader + "2026-03-01T00:00:00Z,,a,1,2\n", []string{"line 2", "network"}},
		"odd quotes":       {bikesHeader + "2026-03-01T00:00:00Z,n,\"a,1,2\n", []string{"line 2", "quotes"}},
		"bad name":         {bikesHeader + "2026-03-01T00:00:00Z,n,a\x00,1,2\n", []string{"line 2", "printable"}},
		"endless line":     {strings.Repeat("x", maxLine+1), []string{"line 1", "longer"}},
		"weather":          {"ts,network,temp_2m,precipitation,wind_speed_10m\n2026-03-01T00:00:00Z,n,1,-1,2\n", []string{"line 2", `precipitation "-1"`}},
		"broken gzip":      {"\x1f\x8b\x08\x00", []string{"f.csv"}},
		"broken Parquet":   {"PAR1 and nothing", []string{"f.csv"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newMemStore()
			_, err := importString(t, store, tc.data, ImportOptions{})
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
			if len(store.networks) != 0 {
				t.Error("something was stored")
			}
		})
	}
}

func TestImportCutOffGzip(t *testing.T) {
	t.Parallel()
	whole := bikesGzip(t, 5000)
	store := newMemStore()
	_, err := importString(t, store, string(whole[:len(whole)/2]), ImportOptions{})
	if err == nil || !strings.Contains(err.Error(), "after line") || len(store.networks) != 0 {
		t.Errorf("error %v", err)
	}
	if got, err := importString(t, store, string(whole), ImportOptions{}); err != nil || got.Rows != 5000 {
		t.Errorf("%+v, %v", got, err)
	}
}

// bikesGzip makes a file of rows, 250 stations a snapshot.
func bikesGzip(t testing.TB, rows int) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	w.Write(bikesCSV(rows))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func bikesCSV(rows int) []byte {
	buf := bytes.NewBufferString(bikesHeader)
	for i := range rows {
		at := day0.Add(time.Duration(i/250-20_000) * 10 * time.Minute)
		fmt.Fprintf(buf, "%s,oslo-bysykkel,%d,%d,%d\n", at.Format(time.RFC3339), 400+i%250*37%250, (i/250+i)%17, i%11)
	}
	return buf.Bytes()
}

// TestImportBrokenParquet breaks a Parquet file in many ways. Whatever is said
// of it fits a terminal: no control characters, and not much of it.
func TestImportBrokenParquet(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.parquet")
	if err := parquet.WriteFile(path, []parquetBikes{{TS: minute(0), Net: "n", ID: "a", Slots: 2}, {TS: minute(9), Net: "n", ID: "b", Slots: 3}}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	broken := map[string][]byte{
		"no magic at the start":      append([]byte("\x00\x00\x00\x00"), whole[4:]...),
		"text at the start":          append([]byte("ts,\n"), whole[4:]...),
		"a line of text, then bytes": append([]byte(bikesHeader), whole...),
		"a column of bytes":          slices.Concat([]byte("ts,\xff\x1b[31m"), bytes.Repeat([]byte("\u0085\x7f"), 300)),
		"a long name twice":          []byte(strings.Repeat("ts"+strings.Repeat("é", 9000)+",", 2)),
		"no magic at all":            whole[4 : len(whole)-4],
		"bytes alone":                bytes.Repeat([]byte("\x1b]0;\x07\x9b\xff"), 999),
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 0xff
		broken[fmt.Sprintf("byte %d turned", i)] = b
	}
	for name, b := range broken {
		_, err := importString(t, newMemStore(), string(b), ImportOptions{})
		if err == nil {
			if !strings.HasPrefix(name, "byte ") { // a count may be another count
				t.Errorf("%s: no error", name)
			}
			continue
		}
		odd := func(r rune) bool { return !unicode.IsPrint(r) }
		if said := err.Error(); len(said) > 500 || strings.ContainsFunc(said, odd) {
			t.Errorf("%s: it says, in %d bytes, %.500q", name, len(said), said)
		}
	}
}

type parquetBikes struct {
	TS    time.Time `parquet:"ts,timestamp(microsecond)"`
	Net   string    `parquet:"network,dict"`
	ID    string    `parquet:"station_id,dict"`
	Free  *float64  `parquet:"free_bikes,optional"`
	Slots int64     `parquet:"empty_slots"`
	Extra string    `parquet:"extra"`
}

func TestImportParquet(t *testing.T) {
	t.Parallel()
	one := 1.0
	path := filepath.Join(t.TempDir(), "f.parquet")
	rows := []parquetBikes{
		{TS: minute(0), Net: "n", ID: "a", Free: &one, Slots: 2},
		{TS: minute(0), Net: "n", ID: "b", Slots: 3},
		{TS: minute(9), Net: "n", ID: "a", Free: &one, Slots: 0},
	}
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	store := newMemStore()
	rec := &Recorder{Store: store, Origin: observation.OriginReal}
	got, err := Import(t.Context(), rec, path, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const want = "n 00:00 a 1 2;n 00:00 b -1 3;n 00:09 a 1 0;n 00:09 b -1 -1"
	if all := allChanges(store); all != want || got.Rows != 3 || !slices.Equal(got.Ignored, []string{"extra"}) {
		t.Errorf("changes %s, want %s; %+v", all, want, got)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := ImportReader(t.Context(), rec, bytes.NewReader(data), "stream", ImportOptions{}); err != nil || again.Skipped != 2 {
		t.Errorf("from a stream: %+v, %v", again, err)
	}
	rows[1].Slots = -5
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	var bad *RowError
	if _, err := Import(t.Context(), rec, path, ImportOptions{}); !errors.As(err, &bad) || bad.Unit != "row" || bad.Row != 2 || bad.Column != "empty_slots" {
		t.Errorf("a bad row: %v", err)
	}
}

func TestImportProgress(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f.csv.gz")
	if err := os.WriteFile(path, bikesGzip(t, 250_000), 0o600); err != nil {
		t.Fatal(err)
	}
	rec := &Recorder{Store: &discard{}, Origin: observation.OriginReal}
	var last ImportProgress
	calls := 0
	_, err := Import(t.Context(), rec, path, ImportOptions{Progress: func(p ImportProgress) { last, calls = p, calls+1 }})
	if err != nil || calls != 3 || last.Rows != 250_000 || last.Bytes != last.Total || last.Total == 0 {
		t.Errorf("%d calls, last %+v, %v", calls, last, err)
	}
}

// TestImportRecordedOslo reads the recorded autumn of Oslo where it is found
// beside the repository.
func TestImportRecordedOslo(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "..", "shared", "data", "availability_oslo.csv.gz")
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the recorded data is not here: %v", err)
	}
	rec := &Recorder{Store: &discard{}, Origin: observation.OriginReal}
	got, err := Import(t.Context(), rec, path, ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Rows != 1_800_827 || got.Snapshots != 6863 || !slices.Equal(got.Networks, []string{"oslo-bysykkel"}) {
		t.Errorf("%+v", got)
	}
	t.Logf("%+v", got)
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(bikesHeader + "2026-03-01T00:00:00Z,n,a,1,2\n"))
	f.Add([]byte("ts,temp_2m,precipitation,wind_speed_10m\n1772323200,1,,2\n"))
	f.Add([]byte(bikesHeader + "\"2026-03-01T00:00:00Z\",n,\"a\"\"b\",1.0,\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		store := newMemStore()
		rec := &Recorder{Store: store, Origin: observation.OriginReal}
		got, err := ImportReader(t.Context(), rec, bytes.NewReader(data), "f", ImportOptions{Network: "n"})
		if err != nil {
			if len(store.networks) != 0 {
				t.Error("a refused file left something behind")
			}
			return
		}
		if again, err := ImportReader(t.Context(), rec, bytes.NewReader(data), "f", ImportOptions{Network: "n"}); err != nil || again.Snapshots != 0 || again.Skipped != got.Snapshots {
			t.Errorf("the same again: %+v, then %+v, %v", got, again, err)
		}
	})
}

// BenchmarkImportParse reads, parses and sorts a file, without a store.
func BenchmarkImportParse(b *testing.B) {
	for _, rows := range []int{100_000, 1_000_000} {
		for _, form := range []string{"csv", "csv.gz"} {
			data := bikesCSV(rows)
			if form == "csv.gz" {
				data = bikesGzip(b, rows)
			}
			b.Run(fmt.Sprintf("rows=%d/form=%s", rows, form), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					im := newImporter("f", ImportOptions{})
					if err := im.read(b.Context(), bytes.NewReader(data)); err != nil {
						b.Fatal(err)
					}
					if _, err := im.finish(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

func TestImportFolder(t *testing.T) {
	t.Parallel()
	_, err := Import(t.Context(), &Recorder{Store: new(memStore), Origin: observation.OriginReal}, t.TempDir(), ImportOptions{})
	if err == nil || !strings.Contains(err.Error(), "is a folder; name the files in it") {
		t.Errorf("a folder: %v", err)
	}
}
