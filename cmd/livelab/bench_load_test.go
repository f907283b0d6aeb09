package main

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"livelab/sql/pgtest"
	"livelab/sql/postgres"
)

// The load is short, so that all is done in five minutes; a machine with other
// things to do may want more of it.
var (
	loadRounds  = flag.Int("load.rounds", 5, "how often BenchmarkLoad measures each server")
	loadLasting = flag.Duration("load.lasting", 3*time.Second, "how long it does so, in whole seconds")
)

// question is what wrk asks a server.
type question struct {
	name, path, body string
	connections      int
	bare             bool // whether the bare handler can answer it
}

var loadQuestions = []question{
	{"eight features", "/predict", classicQuestion, 1, true},
	{"eight features", "/predict", classicQuestion, 64, true},
	{"stored data", "/predict", "{}", 64, false},
	{"version 2", "/v2/models/network-shortage/infer", protocolQuestion, 64, false},
}

// protocolQuestion is classicQuestion by the Open Inference Protocol.
const protocolQuestion = `{"inputs":[` +
	`{"name":"stations_count","shape":[1],"datatype":"FP64","data":[60]},` +
	`{"name":"free_bikes","shape":[1],"datatype":"FP64","data":[400]},` +
	`{"name":"empty_slots","shape":[1],"datatype":"FP64","data":[800]},` +
	`{"name":"total_slots","shape":[1],"datatype":"FP64","data":[1200]},` +
	`{"name":"free_ratio","shape":[1],"datatype":"FP64","data":[0.3333]},` +
	`{"name":"temp_2m","shape":[1],"datatype":"FP64","data":[7.5]},` +
	`{"name":"precipitation","shape":[1],"datatype":"FP64","data":[0]},` +
	`{"name":"wind_speed_10m","shape":[1],"datatype":"FP64","data":[12]}]}`

// contender is a server that is measured.
type contender struct {
	name string
	*serving

	log *logTable // nil where predictions are not logged
}

// BenchmarkLoad is `livelab serve` under load, with its predictions logged to
// SQLite, to a PostgreSQL that waits for its disk, and not at all, beside a
// bare Gin handler that decodes and answers the same JSON. All of them run for
// the whole time, and wrk asks one after the other, again and again, so that
// what else the machine does meets all alike. The result is a table with
// medians over the rounds; a ratio is the median of the rounds' ratios.
//
// After each run it waits until every prediction that was answered is in its
// table: one that is not fails the benchmark, and the time and the processor
// that the log took for it are in the table.
func BenchmarkLoad(b *testing.B) {
	needWrk(b)
	contenders := startContenders(b)
	for _, c := range contenders {
		if c.log != nil { // what it was asked to see that it serves
			c.log.drain(b, func() int64 { return int64(c.counter("predictions_total")) })
		}
		c.measure(b, loadQuestions[1], time.Second) // until its memory has grown
	}
	var measured results
	for range loadQuestions {
		measured = append(measured, make([][]measurement, len(contenders)))
	}
	for round := range *loadRounds {
		for i, q := range loadQuestions {
			for turn := range contenders {
				// Nobody is always the first, or always comes after another.
				which := (turn + round) % len(contenders)
				if c := contenders[which]; q.bare || c.name != bareGin {
					measured[i][which] = append(measured[i][which], c.measure(b, q, *loadLasting))
				}
			}
		}
	}
	for _, c := range contenders {
		if c.name != bareGin { // which knows no orderly way
			c.stop()
		}
	}
	measured.report(b, contenders)
	measured.print(os.Stdout, contenders)
}

// The names of the contenders.
const (
	bareGin        = "bare Gin"
	notLogged      = "LiveLab, no log"
	loggedSQLite   = "LiveLab, SQLite"
	loggedPostgres = "LiveLab, PostgreSQL"
)

// startContenders starts them with the same model, over the same 80 days.
func startContenders(b *testing.B) []contender {
	binary, published := buildBinary(b), b.TempDir()
	past := publishModel(b, binary, published, "none")
	copied := func() string {
		dir := b.TempDir()
		if err := os.CopyFS(dir, os.DirFS(published)); err != nil {
			b.Fatal(err)
		}
		return dir
	}

	off := contender{name: notLogged, serving: startServing(b, binary, copied(), nil, "--log-predictions=false")}
	embedded := copied()
	lite := contender{loggedSQLite, startServing(b, binary, embedded, nil), openSQLiteLog(b, filepath.Join(embedded, "livelab.db"))}

	server := pgtest.Start(b, "fsync=on", "full_page_writes=on")
	s, err := postgres.Open(b.Context(), server.URL(), postgres.Options{})
	past.record(b, migrated(b, s, err))
	pg := contender{
		loggedPostgres, startServing(b, binary, copied(), []string{"DATABASE_URL=" + server.URL()}),
		openPostgresLog(b, server.URL()),
	}

	for _, c := range []contender{off, lite, pg} {
		c.await(classicQuestion)
		c.await("{}")
	}
	return []contender{startBareGin(b, lite), off, lite, pg}
}

// startBareGin starts a handler that answers as another server does.
func startBareGin(b *testing.B, like contender) contender {
	b.Helper()
	want, err := like.answer(classicQuestion)
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "answer.json")
	if err := os.WriteFile(file, want, 0o600); err != nil {
		b.Fatal(err)
	}
	address := freeAddress(b)
	s := startProcess(b, address, exec.Command(build(b, "baregin", "./testdata/baregin"), "-listen", address, "-answer", file))
	s.await(classicQuestion)
	got, err := s.answer(classicQuestion)
	if err != nil {
		b.Fatal(err)
	}
	if !reflect.DeepEqual(fields(b, got), fields(b, want)) {
		b.Fatalf("the bare handler answers\n%s, not as LiveLab\n%s; give it the same fields", got, want)
	}
	return contender{name: bareGin, serving: s}
}

// fields decodes an answer.
func fields(b *testing.B, answer []byte) map[string]any {
	b.Helper()
	var m map[string]any
	if err := json.Unmarshal(answer, &m); err != nil {
		b.Fatalf("%v: %s", err, answer)
	}
	return m
}

// measurement is what a contender did in one run.
type measurement struct {
	load
	cpu         float64 // of the server, µs a request, its log drained
	postgresCPU float64 // of PostgreSQL, the same
	allocs      float64 // a request
	resident    float64 // MiB, at the end of the load
	peak        float64 // MiB
	drain       time.Duration
}

// measure asks one question for some time.
func (c *contender) measure(b *testing.B, q question, lasting time.Duration) measurement {
	b.Helper()
	pid := c.cmd.Process.Pid
	answered := c.counter("predictions_total")
	mallocs := c.counter("go_memstats_mallocs_total")
	resetPeak(b, pid)
	cpu, postgresCPU := cpuTime(b, pid), c.log.cpuTime(b)

	m := measurement{load: wrk(b, c.base+q.path, q.body, q.connections, lasting)}
	m.resident, m.peak = residentMiB(b, pid), peakMiB(b, pid)
	if c.log != nil {
		// What wrk no longer waited for was answered and logged as well.
		m.drain = c.log.drain(b, func() int64 { return int64(c.counter("predictions_total") - answered) })
	}

	n := float64(m.Requests)
	m.cpu = float64((cpuTime(b, pid) - cpu).Microseconds()) / n
	m.postgresCPU = float64((c.log.cpuTime(b) - postgresCPU).Microseconds()) / n
	m.allocs = (c.counter("go_memstats_mallocs_total") - mallocs) / n
	return m
}

// median of some numbers, which it sorts; 0 of none.
func median(of []float64) float64 {
	slices.Sort(of)
	switch n := len(of); {
	case n == 0:
		return 0
	case n%2 == 1:
		return of[n/2]
	default:
		return (of[n/2-1] + of[n/2]) / 2
	}
}
