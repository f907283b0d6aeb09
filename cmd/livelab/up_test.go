package main

import (
	"context"
	"database/sql"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features/featurestest"
)

// TestUp starts on an empty folder, stops, and goes on.
func TestUp(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	p := s.start(t, "up", "--source", "sim", "--months", "2")
	first := p.post(t, "/predict", "{}")
	first.want(t, 200, "y", "proba", "version")
	if h := p.get(t, "/health"); h.json["source"] != "simulated" || h.json["status"] != "ok" {
		t.Errorf("health: %s", h.body)
	}
	// What is shipped is trained with; a program that ships nothing says so.
	carried := strings.Contains(p.get(t, "/plugins").body, `"state":"carried"`)
	without := strings.Contains(p.stderr.String(), "this program was built without the shipped ones")
	if carried != (len(shipped()) > 0) || without == carried {
		t.Errorf("%d transforms are shipped; calendar is carried: %v; it is said that none is: %v", len(shipped()), carried, without)
	}
	said := s.refused(t, exitFailed, "up", "--source", "sim", "--listen", "127.0.0.1:0")
	if !strings.Contains(said, "in use by another livelab") {
		t.Errorf("a second up on the same store: %s", said)
	}
	address := strings.TrimPrefix(p.base, "http://")
	said = s.refused(t, exitFailed, "up", "--source", "sim", "--store", "other.db", "--listen", address)
	if !strings.Contains(said, address) || !strings.Contains(said, "--listen") {
		t.Errorf("a port in use: %s", said)
	}
	p.stop(t)
	before := counts(t, filepath.Join(s.dir, "livelab.db"))

	// The second start serves what is published before it fetches anything.
	p = s.start(t, "up", "--source", "sim", "--months", "2")
	again := p.post(t, "/predict", "{}")
	again.want(t, 200, "version")
	if again.json["version"] != first.json["version"] {
		t.Errorf("the second start serves %v, want %v", again.json["version"], first.json["version"])
	}
	p.stop(t)
	for table, n := range counts(t, filepath.Join(s.dir, "livelab.db")) {
		if n < before[table] {
			t.Errorf("%s has %d rows after the second start, had %d", table, n, before[table])
		}
	}
	if before["snapshots"] < 8000 || before["prediction_log"] != 1 {
		t.Errorf("stored by the first start: %v", before)
	}
}

// TestUpFillsGap starts on a store whose data ends hours ago: what lies between
// is fetched, although the first snapshot of now is there at once.
func TestUpFillsGap(t *testing.T) {
	t.Parallel()
	s := trained(t)
	s.must(t, "publish")
	store := filepath.Join(s.dir, "livelab.db")
	whole := counts(t, store)["snapshots"]
	db, err := sql.Open("sqlite", "file:"+store)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range []string{"observations", "snapshots", "weather"} {
		if _, err := db.Exec("DELETE FROM "+table+" WHERE at > ?", time.Now().Add(-6*time.Hour).Unix()); err != nil {
			t.Fatal(err)
		}
	}
	if left := counts(t, store)["snapshots"]; left >= whole {
		t.Fatalf("%d snapshots are left of %d", left, whole)
	}
	p := s.start(t, "up", "--source", "sim")
	eventually(t, "the gap to be filled", func() bool { return counts(t, store)["snapshots"] >= whole })
	p.stop(t)
}

// counts gives the rows of each table of a SQLite store.
func counts(t *testing.T, path string) map[string]int {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	n := make(map[string]int)
	for _, table := range []string{"networks", "stations", "observations", "snapshots", "weather", "raw_bikes", "raw_weather", "prediction_log"} {
		var rows int
		if err := db.QueryRow("SELECT count(*) FROM " + table).Scan(&rows); err != nil {
			t.Fatalf("count %s: %v", table, err)
		}
		n[table] = rows
	}
	return n
}

// TestUpInterruptedEarly interrupts a first start in the midst of its work:
// it ends well, and the next start makes up for it.
func TestUpInterruptedEarly(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	address := freeAddress(t)
	cmd := s.command("up", "--source", "sim", "--months", "2", "--listen", address)
	p := &process{cmd: cmd, ended: make(chan struct{}), base: "http://" + address}
	cmd.Stderr = &p.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		cmd.Wait()
		close(p.ended)
	}()
	eventually(t, "the first line of the log", func() bool { return p.stderr.String() != "" || p.hasEnded() })
	p.stop(t)
	if strings.Contains(p.stderr.String(), "livelab: ") {
		t.Errorf("interrupted, it says: %s", p.stderr.String())
	}
	p = s.start(t, "up", "--source", "sim", "--months", "2")
	p.post(t, "/predict", "{}").want(t, 200, "y")
	p.stop(t)
}

// freeAddress gives an address that nothing listens on at the moment.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestUpAutoWithoutNetwork falls back to the simulator where nothing answers,
// now and at the next start, whatever network was asked for.
func TestUpAutoWithoutNetwork(t *testing.T) {
	t.Parallel()
	dead := freeAddress(t)
	s := newShell(t, "LIVELAB_CITYBIKES_URL=http://"+dead+"/v2", "BIKE_NETWORK_ID=oslo-bysykkel")
	for range 2 {
		p := s.start(t, "up", "--months", "2")
		p.post(t, "/predict", "{}").want(t, 200, "y")
		if h := p.get(t, "/health"); h.json["source"] != "simulated" {
			t.Errorf("health: %s", h.body)
		}
		p.stop(t)
	}
}

// TestUpOnPostgres holds the lock there too.
func TestUpOnPostgres(t *testing.T) {
	t.Parallel()
	s := newShell(t, classicPostgres(t)...)
	p := s.start(t, "up", "--source", "sim", "--months", "2")
	p.post(t, "/predict", "{}").want(t, 200, "y")
	said := s.refused(t, exitFailed, "up", "--source", "sim", "--listen", "127.0.0.1:0")
	if !strings.Contains(said, "is in use by another") {
		t.Errorf("a second up on the same store: %s", said)
	}
	p.stop(t)
}

// TestUpReplay plays an import as if it were now.
func TestUpReplay(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	said := s.refused(t, exitFailed, "up", "--source", "replay", "--listen", "127.0.0.1:0")
	if !strings.Contains(said, "livelab import") {
		t.Errorf("a replay of nothing: %s", said)
	}
	s.must(t, "backfill", "--source", "sim", "--months", "2")
	before := counts(t, filepath.Join(s.dir, "livelab.db"))
	p := s.start(t, "up", "--source", "replay")
	p.post(t, "/predict", "{}").want(t, 200, "y")
	// What is simulated is called so, however it is played.
	if h := p.get(t, "/health"); h.json["source"] != "simulated" {
		t.Errorf("health: %s", h.body)
	}
	p.stop(t)
	after := counts(t, filepath.Join(s.dir, "livelab.db"))
	if before["snapshots"] != after["snapshots"] {
		t.Errorf("a replay stored snapshots: %d, had %d", after["snapshots"], before["snapshots"])
	}
}

// TestSchedule says when a retraining is due.
func TestSchedule(t *testing.T) {
	t.Parallel()
	two, err := parseSchedule("02:00")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		now  string
		want time.Duration
	}{
		{"2026-03-01T01:59:00Z", time.Minute},
		{"2026-03-01T02:00:00Z", 24 * time.Hour},
		{"2026-03-01T03:00:00+02:00", time.Hour},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		if got := two.next(now); got != c.want {
			t.Errorf("from %s it is %s, want %s", c.now, got, c.want)
		}
	}
	for _, bad := range []string{"", "25:00", "2", "02:00:00", "noon"} {
		if _, err := parseSchedule(bad); err == nil {
			t.Errorf("%q is a schedule", bad)
		}
	}
}

// TestResultThatCannotBeWritten is a failure, not half a result.
func TestResultThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	if code := run(context.Background(), []string{"version"}, fullDisk{}, &said); code != exitFailed {
		t.Errorf("exit code %d: %s", code, said.String())
	}
	if problem := oneError(said.String()); problem != "" {
		t.Error(problem)
	}
}

// TestUpTransforms trains with what is in the plugins folder, refuses at once a
// name that is not, and says what it does without by default.
func TestUpTransforms(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	said := s.refused(t, exitUsage, "up", "--source", "sim", "--months", "2", "--transform", "moon", "--listen", "127.0.0.1:0")
	if !strings.Contains(said, `there is no transform "moon"`) {
		t.Errorf("a transform that there is none of: %s", said)
	}
	featurestest.BuildSkewed(t, "1.0", filepath.Join(s.dir, "plugins", "skewed.wasm"))
	p := s.start(t, "up", "--source", "sim", "--months", "2", "--transform", "skewed")
	a := p.post(t, "/explain", "{}")
	a.want(t, 200, "y")
	if !regexp.MustCompile(`"feature":"skewed.sun",[^}]*"imputed":false`).MatchString(a.body) {
		t.Errorf("from stored data: %s", a.body)
	}
	p.stop(t)
	// The champion serves whatever the next training would take.
	p = s.start(t, "up", "--source", "sim", "--transform", "moon")
	p.post(t, "/predict", "{}").want(t, 200, "y")
	eventually(t, "a word about the transform", func() bool { return strings.Contains(p.stderr.String(), "the next training will fail") })
	p.stop(t)
}
