package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// liar is a source whose every path answers with another lie.
type liar struct {
	name string
	lie  http.HandlerFunc
	says string // what the error names; empty where the answer can be mended
}

// payload is an answer of CityBikes whose stations differ from a sound one.
func payload(stations ...string) string {
	return `{"network": {"id": "here", "name": "Here", "location": {"latitude": 59.9, "longitude": 10.7, "city": "C", "country": "NO"},
		"stations": [` + strings.Join(stations, ",") + `]}}`
}

func station(id, free, empty string, at time.Time) string {
	return fmt.Sprintf(`{"id": %q, "name": "A", "latitude": 59.9, "longitude": 10.7, "free_bikes": %s, "empty_slots": %s, "timestamp": %q}`,
		id, free, empty, at.UTC().Format("2006-01-02T15:04:05.000000+00:00Z"))
}

func answerWith(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }
}

func refuseWith(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		http.Error(w, "no", code)
	}
}

func lies(now time.Time) []liar {
	sound := payload(station("a", "3", "7", now))
	return []liar{
		{"html", answerWith("<html><body>Down for maintenance</body></html>"), "HTML"},
		{"empty", answerWith(""), "empty"},
		{"text", answerWith("404 Not Found"), `"404 Not Found"`},
		{"404", refuseWith(404), `network "here" is not known`},
		{"429", refuseWith(429, "Retry-After", "3600"), "429 Too Many Requests"},
		{"503", refuseWith(503, "Retry-After", "3600"), "503 Service Unavailable"},
		{"truncated", answerWith(sound[:len(sound)-20]), "cut off"},
		{"no-stations", answerWith(payload()), "no stations"},
		{"future", answerWith(payload(station("a", "3", "7", now.AddDate(10, 0, 0)))), "in the future"},
		{"huge", huge(now), "more than 33554432 bytes"},
		{"hangs-up", hangUp, "EOF"},
		{"numbers-as-text", answerWith(payload(station("a", `"3"`, `"7"`, now))), ""},
		{"negative", answerWith(payload(station("a", "-3", "7", now), station("b", "3", "7", now))), ""},
		{"absurd", answerWith(payload(station("a", "99999999999999999999", "7", now), station("b", "3", "7", now))), ""},
		{"twice", answerWith(payload(station("a", "3", "7", now), station("a", "4", "6", now))), ""},
		{"nulls", answerWith(payload(station("a", "3", "null", now))), ""},
	}
}

// huge is 50 MB of stations.
func huge(now time.Time) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.TrimSuffix(payload(station("a", "3", "7", now)), "]}}"))
		for n := 0; n < 50<<20; {
			wrote, err := fmt.Fprint(w, ",", station("s"+strconv.Itoa(n), "3", "7", now))
			if err != nil {
				return
			}
			n += wrote
		}
		fmt.Fprint(w, "]}}")
	}
}

// hangUp breaks the connection off within an answer that may not be asked for
// again at once.
func hangUp(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "1000")
	fmt.Fprint(w, "{")
	panic(http.ErrAbortHandler)
}

// TestIngestFromLiar asks each lying source once: what cannot be believed is
// one line of error, and the store stays as it is.
func TestIngestFromLiar(t *testing.T) {
	t.Parallel()
	all := lies(time.Now().Add(-time.Minute))
	mux := http.NewServeMux()
	mux.HandleFunc("/weather", answerWith(`{"latitude": 59.9, "longitude": 10.7, "current": {"time": "`+time.Now().UTC().Format("2006-01-02T15:04")+
		`", "interval": 900, "temperature_2m": 5, "precipitation": 0, "wind_speed_10m": 3}}`))
	for _, l := range all {
		mux.HandleFunc("/"+l.name+"/", l.lie)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for _, l := range all {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t)
			if err := os.WriteFile(filepath.Join(s.dir, "before.csv"), []byte("ts,network,station_id,free_bikes,empty_slots\n2026-01-01T00:00:00Z,here,a,3,7\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			s.must(t, "import", "before.csv")
			before := dumpOf(t, s)
			args := []string{"ingest", "--once", "--source", "live", "--network", "here",
				"--citybikes-url", server.URL + "/" + l.name, "--openmeteo-url", server.URL + "/weather"}
			if l.says == "" {
				if out := s.must(t, args...); !strings.Contains(out, "1 snapshots") {
					t.Errorf("it stores %s", out)
				}
				return
			}
			if said := s.refused(t, exitFailed, args...); !strings.Contains(said, l.says) {
				t.Errorf("the error does not name %q: %s", l.says, said)
			}
			if after := dumpOf(t, s); after != before {
				t.Errorf("the store changed from\n%s\nto\n%s", before, after)
			}
		})
	}
}

func dumpOf(t *testing.T, s shell) string {
	t.Helper()
	text, err := dumpSQLite(filepath.Join(s.dir, "livelab.db"))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestIngestFromFeedThatStandsStill stores what is old, and says so on both
// streams: also where it is stored already.
func TestIngestFromFeedThatStandsStill(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/networks/", answerWith(payload(station("a", "3", "7", time.Now().Add(-50*time.Hour)))))
	mux.HandleFunc("/weather", answerWith(`{"latitude": 59.9, "longitude": 10.7, "current": {"time": "`+time.Now().UTC().Format("2006-01-02T15:04")+
		`", "interval": 900, "temperature_2m": 5, "precipitation": 0, "wind_speed_10m": 3}}`))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s := newShell(t)
	for _, says := range []string{"1 snapshots", "is stored already"} {
		cmd := s.command("ingest", "--once", "--network", "here", "--citybikes-url", server.URL, "--openmeteo-url", server.URL+"/weather")
		var out, said buffer
		cmd.Stdout, cmd.Stderr = &out, &said
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v\n%s", err, said.String())
		}
		if line := out.String(); !strings.Contains(line, says) || !strings.HasSuffix(line, "; the feed stands still, this is 50h0m0s old\n") {
			t.Errorf("it says %q", line)
		}
		if log := said.String(); strings.Count(log, "the feed stands still") != 1 || !strings.Contains(log, "age=50h0m0s") {
			t.Errorf("the log is %q", log)
		}
	}
}

// TestIngestFromSlowSource interrupts a wait for a source that never comes to
// an end.
func TestIngestFromSlowSource(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		for r.Context().Err() == nil {
			fmt.Fprint(w, " ")
			w.(http.Flusher).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	}))
	t.Cleanup(server.Close)
	s := newShell(t)
	cmd := s.command("ingest", "--once", "--network", "here", "--citybikes-url", server.URL)
	var said buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("an interrupted ingest says that it is done")
	}
	if said.String() != "livelab: stopped\n" {
		t.Errorf("an interrupted ingest says %q", said.String())
	}
}

// TestIngestWeatherWhereTold asks for the weather of the place that the
// classic variables name.
func TestIngestWeatherWhereTold(t *testing.T) {
	t.Parallel()
	var asked buffer
	mux := http.NewServeMux()
	mux.HandleFunc("/networks/", answerWith(payload(station("a", "3", "7", time.Now().Add(-time.Minute)))))
	mux.HandleFunc("/weather", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(&asked, r.URL.Query().Get("latitude"), r.URL.Query().Get("longitude"))
		refuseWith(404)(w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s := newShell(t, "LAT=43.36", "LON=-8.41")
	s.refused(t, exitFailed, "ingest", "--once", "--network", "here", "--citybikes-url", server.URL, "--openmeteo-url", server.URL+"/weather")
	if got := strings.Fields(asked.String()); len(got) < 2 || !strings.HasPrefix(got[0], "43.36") || !strings.HasPrefix(got[1], "-8.41") {
		t.Errorf("asked for the weather at %q", asked.String())
	}
	s.env = []string{"LAT=43.36"}
	s.refused(t, exitUsage, "ingest", "--once")
	s.env = []string{"LAT=91", "LON=0"}
	if said := s.refused(t, exitUsage, "ingest", "--once"); !strings.Contains(said, `the variable LAT is "91"`) {
		t.Errorf("a latitude that is none: %s", said)
	}
}
