package ingest

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/observation"
)

var fetched = time.Date(2026, 5, 11, 6, 30, 0, 0, time.UTC)

// network wraps stations into the answer of a network.
func network(stations ...string) string {
	return `{"network":{"id":"n","name":"Bicincittà","location":{"city":"Siena","country":"IT","latitude":43.3,"longitude":"11.3"},"stations":[` +
		strings.Join(stations, ",") + `]}}`
}

// station is one whose other fields are as they should be.
func station(id, fields string) string {
	return fmt.Sprintf(`{"id":%q,"name":"S","latitude":43.1,"longitude":11.2,"timestamp":"2026-05-11T06:24:19.678388+00:00Z",%s}`, id, fields)
}

func TestDecodeBikesMendsOddities(t *testing.T) {
	t.Parallel()
	const unknown = observation.Unknown
	state := func(free, slots int32) observation.State {
		return observation.State{FreeBikes: free, EmptySlots: slots, InService: true}
	}
	out := func(free, slots int32) observation.State {
		return observation.State{FreeBikes: free, EmptySlots: slots}
	}
	tests := map[string]struct {
		fields   string
		want     observation.State
		capacity int32
		odd      string
	}{
		"plain":                 {`"free_bikes":3,"empty_slots":4`, state(3, 4), 7, ""},
		"capacity given":        {`"free_bikes":3,"empty_slots":4,"extra":{"slots":9}`, state(3, 4), 9, ""},
		"null, slots known":     {`"free_bikes":3,"empty_slots":null,"extra":{"slots":9}`, state(3, 6), 9, "1 derived empty slots"},
		"null, slots as text":   {`"free_bikes":3,"empty_slots":null,"extra":{"slots":"9"}`, state(3, 6), 9, "1 derived empty slots"},
		"null, slots too few":   {`"free_bikes":3,"empty_slots":null,"extra":{"slots":2}`, state(3, unknown), 2, "1 missing counts"},
		"null, nothing known":   {`"free_bikes":3,"empty_slots":null`, state(3, unknown), unknown, "1 missing counts"},
		"absent":                {`"extra":null`, state(unknown, unknown), unknown, "2 missing counts"},
		"negative":              {`"free_bikes":-1,"empty_slots":-4`, state(unknown, unknown), unknown, "2 negative counts"},
		"text":                  {`"free_bikes":"7","empty_slots":" 2 "`, state(7, 2), 9, "2 counts as text"},
		"whole decimals":        {`"free_bikes":7.0,"empty_slots":2e0`, state(7, 2), 9, ""},
		"fraction, words":       {`"free_bikes":7.5,"empty_slots":"many"`, state(unknown, unknown), unknown, "2 unreadable values"},
		"objects, booleans":     {`"free_bikes":{"n":1},"empty_slots":true`, state(unknown, unknown), unknown, "2 unreadable values"},
		"largest, absurd":       {`"free_bikes":10000,"empty_slots":10001`, state(10000, unknown), unknown, "1 absurd counts"},
		"astronomic":            {`"free_bikes":1e300,"empty_slots":1e999`, state(unknown, unknown), unknown, "1 absurd counts, 1 unreadable values"},
		"offline":               {`"free_bikes":1,"empty_slots":2,"extra":{"status":"Offline"}`, out(1, 2), 3, ""},
		"closed":                {`"free_bikes":1,"empty_slots":2,"extra":{"status":"CLOSED"}`, out(1, 2), 3, ""},
		"online":                {`"free_bikes":1,"empty_slots":2,"extra":{"status":"online","online":true}`, state(1, 2), 3, ""},
		"not online":            {`"free_bikes":1,"empty_slots":2,"extra":{"online":false}`, out(1, 2), 3, ""},
		"not renting":           {`"free_bikes":1,"empty_slots":2,"extra":{"renting":0}`, out(1, 2), 3, ""},
		"closed by flag":        {`"free_bikes":1,"empty_slots":2,"extra":{"closed":true}`, out(1, 2), 3, ""},
		"extra of another type": {`"free_bikes":1,"empty_slots":2,"extra":["offline"]`, state(1, 2), 3, ""},
		"bad coordinates":       {`"free_bikes":1,"empty_slots":2,"latitude":91`, state(1, 2), 3, "1 bad coordinates"},
		"odd name":              {`"free_bikes":1,"empty_slots":2,"name":"A\u0000B"`, state(1, 2), 3, "1 mended names"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := DecodeBikes([]byte(network(station("a", tc.fields))), fetched)
			if err != nil {
				t.Fatal(err)
			}
			if r := got.Snapshot.Readings[0]; r.State != tc.want || r.StationID != "a" {
				t.Errorf("reading %+v, want %+v", r, tc.want)
			}
			if c := got.Stations[0].Capacity; c != tc.capacity {
				t.Errorf("capacity %d, want %d", c, tc.capacity)
			}
			if s := got.Oddities.String(); s != tc.odd {
				t.Errorf("oddities %q, want %q", s, tc.odd)
			}
			if at := time.Date(2026, 5, 11, 6, 24, 19, 0, time.UTC); !got.Snapshot.At.Equal(at) || got.Snapshot.At.Location() != time.UTC {
				t.Errorf("time %s, want %s", got.Snapshot.At, at)
			}
			if n := got.Network; n.ID != "n" || n.Name != "Bicincittà" || n.Latitude != 43.3 || n.Longitude != 11.3 || n.Country != "IT" {
				t.Errorf("network %+v", n)
			}
		})
	}
}

func TestDecodeBikesStations(t *testing.T) {
	t.Parallel()
	at := func(id, timestamp string, free int) string {
		return fmt.Sprintf(`{"id":%s,"free_bikes":%d,"empty_slots":1,"timestamp":%s,"latitude":1,"longitude":1}`, id, free, timestamp)
	}
	tests := map[string]struct {
		stations []string
		want     string // "id free service" of each
		odd      string
	}{
		"sorted by ID":            {[]string{at(`"b"`, `"2026-05-11T06:00:00Z"`, 1), at(`"a"`, `"2026-05-11T06:00:00Z"`, 2)}, "a 2 true;b 1 true", ""},
		"duplicate: newest":       {[]string{at(`"a"`, `"2026-05-11T06:00:00Z"`, 1), at(`"a"`, `"2026-05-11T06:10:00Z"`, 2)}, "a 2 true", "1 duplicate stations"},
		"duplicate: then first":   {[]string{at(`"a"`, `"2026-05-11T06:00:00Z"`, 1), at(`"a"`, `"2026-05-11T06:00:00Z"`, 2)}, "a 1 true", "1 duplicate stations"},
		"no ID, empty, number":    {[]string{at(`null`, `"2026-05-11T06:00:00Z"`, 1), at(`""`, `"2026-05-11T06:00:00Z"`, 1), at(`17`, `"2026-05-11T06:00:00Z"`, 2)}, "17 2 true", "2 stations without ID"},
		"endless ID":              {[]string{at(`"`+strings.Repeat("x", 257)+`"`, `null`, 1), at(`"a"`, `"2026-05-11T06:00:00Z"`, 2)}, "a 2 true", "1 stations without ID"},
		"not a station":           {[]string{`null`, `"x"`, `[]`, `{}`, at(`"a"`, `"2026-05-11T06:00:00Z"`, 2)}, "a 2 true", "4 malformed stations"},
		"a day and more behind":   {[]string{at(`"a"`, `"2026-05-10T05:59:59Z"`, 1), at(`"b"`, `"2026-05-10T06:00:00Z"`, 1), at(`"c"`, `"2026-05-11T06:00:00Z"`, 1)}, "a 1 false;b 1 true;c 1 true", "1 stale stations"},
		"no time, future, epoch":  {[]string{at(`null`, `null`, 1), at(`"a"`, `null`, 1), at(`"b"`, `"2026-05-11T07:00:00Z"`, 1), at(`"c"`, `"1970-01-01T00:00:00Z"`, 1), at(`"d"`, `"2026-05-11T06:00:00Z"`, 1)}, "a 1 true;b 1 true;c 1 true;d 1 true", "2 missing times, 1 future times, 1 stations without ID"},
		"a little in the future":  {[]string{at(`"a"`, `"2026-05-11T06:39:00Z"`, 1)}, "a 1 true", ""},
		"months old all together": {[]string{at(`"a"`, `"2025-01-01T06:39:00Z"`, 1)}, "a 1 true", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bikes, err := DecodeBikes([]byte(network(tc.stations...)), fetched)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for i, r := range bikes.Snapshot.Readings {
				if bikes.Stations[i].ID != r.StationID {
					t.Errorf("station %d is %q, its reading is of %q", i, bikes.Stations[i].ID, r.StationID)
				}
				got = append(got, fmt.Sprintf("%s %d %t", r.StationID, r.FreeBikes, r.InService))
			}
			if s := strings.Join(got, ";"); s != tc.want {
				t.Errorf("stations %s, want %s", s, tc.want)
			}
			if s := bikes.Oddities.String(); s != tc.odd {
				t.Errorf("oddities %q, want %q", s, tc.odd)
			}
		})
	}
}

func TestDecodeBikesRefuses(t *testing.T) {
	t.Parallel()
	many := strings.Repeat(`{"id":"x"},`, maxStations+1)
	tests := map[string]struct{ body, want string }{
		"empty":               {"", "empty"},
		"blanks":              {" \n", "empty"},
		"HTML":                {"<!DOCTYPE html><html>Bad gateway</html>", "HTML"},
		"404 text":            {"404 Not Found", "not JSON"},
		"cut off":             {network(station("a", `"free_bikes":1`))[:150], "broken or cut off"},
		"array":               {"[]", "not an object"},
		"text":                {`"hello"`, "not an object"},
		"other object":        {`{"networks":[]}`, "no network"},
		"network is text":     {`{"network":"n"}`, "no network"},
		"null":                {`{"network":null}`, "no network"},
		"no stations":         {`{"network":{"id":"n"}}`, "no stations"},
		"empty list":          {network(), "no stations"},
		"stations of no type": {`{"network":{"id":"n","stations":{"a":1}}}`, "no stations"},
		"no IDs":              {network(`{"name":"x"}`), "has an ID"},
		"no times":            {network(`{"id":"a"}`), "readable timestamp"},
		"future":              {network(`{"id":"a","timestamp":"2027-01-01T00:00:00Z"}`), "in the future"},
		"too many":            {network(many + `{"id":"x"}`), "more than 50000 stations"},
		"too large":           {`{"a":"` + strings.Repeat("x", DefaultMaxBody) + `"}`, "33554432"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := DecodeBikes([]byte(tc.body), fetched)
			var decode *DecodeError
			if !errors.As(err, &decode) || !strings.Contains(err.Error(), tc.want) || decode.Hint == "" {
				t.Fatalf("error %v, want one with %q", err, tc.want)
			}
			if start := strings.TrimSpace(tc.body); !strings.HasPrefix(decode.Excerpt, start[:min(len(start), 10)]) || len(decode.Excerpt) > 400 {
				t.Errorf("the error quotes %q", decode.Excerpt)
			}
		})
	}
}

func TestParseTime(t *testing.T) {
	t.Parallel()
	want := time.Date(2026, 5, 11, 6, 24, 19, 0, time.UTC)
	for _, s := range []string{
		"2026-05-11T06:24:19.678388+00:00Z", "2026-05-11T06:24:19Z", "2026-05-11T06:24:19.678388", "2026-05-11 06:24:19",
		"2026-05-11 06:24:19 +00:00", "2026-05-11T08:24:19+02:00", "2026-05-11T08:24:19+0200Z", "2026-05-11T08:24:19+02",
		"2026-05-11 06:24:19 UTC", "1778480659", "1778480659678", " 2026-05-11t06:24:19Z ",
	} {
		if got, ok := parseTime(s, time.UTC); !ok || !got.Truncate(time.Second).Equal(want) {
			t.Errorf("%q is %s, %t", s, got, ok)
		}
	}
	for _, s := range []string{"", "now", "0", "-5", "2026-13-01T00:00:00Z", "11/05/2026", "99999999999999999999"} {
		if got, ok := parseTime(s, time.UTC); ok {
			t.Errorf("%q was read as %s", s, got)
		}
	}
}

// TestDecodeRecordedBikes decodes recorded answers where they are found
// beside the repository.
func TestDecodeRecordedBikes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		stations, counted int
		at                string
	}{
		"citybikes_bicincitta-siena_2024-07-17.json":               {19, 0, "2024-07-17"},
		"citybikes_wienmobil-rad_2023-03-14_null-empty_slots.json": {231, 169, "2023-03-14"},
	}
	for name, want := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := DecodeBikes(fixture(t, name), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %s; oddities: %s; totals %+v", got.Network.Name, got.Snapshot.At, got.Oddities, got.Snapshot.Totals())
			if len(got.Stations) != want.stations || got.Snapshot.At.Format(time.DateOnly) != want.at || !got.Network.Located() {
				t.Errorf("%d stations at %s", len(got.Stations), got.Snapshot.At)
			}
			if n := int(got.Snapshot.Totals().Stations); want.counted > 0 && n != want.counted {
				t.Errorf("%d stations counted, want %d", n, want.counted)
			}
		})
	}
}

// fixture reads a recorded answer, or skips the test where there is none.
func fixture(t *testing.T, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "fixtures", name))
	if err != nil {
		t.Skipf("the recorded answer is not here: %v", err)
	}
	return body
}

func FuzzDecodeBikes(f *testing.F) {
	f.Add(network(station("a", `"free_bikes":1,"empty_slots":null,"extra":{"slots":"9","status":"offline"}`), `{}`, `null`))
	f.Add(network(station("a", `"free_bikes":"-1","empty_slots":2.0`), station("a", `"free_bikes":1`)))
	f.Add(`{"network":{"id":1,"location":[],"stations":[{"id":"\ud800","timestamp":"2026-05-11 06:24"}]}}`)
	f.Add("404 Not Found")
	f.Add("<html>")
	f.Add("")
	f.Fuzz(func(t *testing.T, body string) {
		got, err := DecodeBikes([]byte(body), fetched)
		if err != nil {
			return
		}
		if _, err := newLedger(nil).apply(got.Snapshot, nil); err != nil {
			t.Errorf("not a snapshot: %v", err)
		}
		if got.Snapshot.At.After(fetched.Add(futureSlack)) || got.Snapshot.At.Before(earliest) {
			t.Errorf("time %s", got.Snapshot.At)
		}
		for i, r := range got.Snapshot.Readings {
			if r.FreeBikes < observation.Unknown || r.EmptySlots < observation.Unknown || r.FreeBikes > maxCount || r.EmptySlots > maxCount {
				t.Errorf("reading %+v", r)
			}
			if s := got.Stations[i]; s.ID != r.StationID || s.ID == "" || math.Abs(s.Latitude) > 90 {
				t.Errorf("station %+v", s)
			}
		}
	})
}

func FuzzStorableJSON(f *testing.F) {
	f.Add(`{"a":"\u0000\ud800\udc00\ud800x\\u0000"}`)
	f.Add("\xef\xbb\xbf{\"a\":\"\xff\"}")
	f.Fuzz(func(t *testing.T, body string) {
		once := storableJSON([]byte(body))
		if twice := storableJSON(once); string(twice) != string(once) {
			t.Errorf("%q became %q, then %q", body, once, twice)
		}
	})
}

func TestStorableJSON(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`{"a":"b\u00e9"}`:                 `{"a":"b\u00e9"}`,
		`{"a":"\u0000"}`:                  `{"a":"\ufffd"}`,
		`{"a":"\\u0000"}`:                 `{"a":"\\u0000"}`,
		`{"a":"\ud83d\ude00"}`:            `{"a":"\ud83d\ude00"}`,
		`{"a":"\ud83d\ud83d\ude00"}`:      `{"a":"\ufffd\ud83d\ude00"}`,
		`{"a":"\ude00"}`:                  `{"a":"\ufffd"}`,
		"\xef\xbb\xbf {\"a\":\"\xff\"}\n": "{\"a\":\"\ufffd\"}",
	}
	for in, want := range tests {
		if got := string(storableJSON([]byte(in))); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
