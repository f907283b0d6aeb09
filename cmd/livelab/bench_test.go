package main

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"livelab/pipeline/ingest"
	"livelab/pipeline/ingest/sim"
	"livelab/pipeline/observation"
	"livelab/sql/pgtest"
	"livelab/sql/postgres"
	"livelab/sql/sqlite"
)

// The benchmarks of this package measure the whole program: the binary as
// `make build` makes it, in a process of its own, with the peak of its
// resident memory as the kernel counted it.

// osloFile is a recorded autumn that lies beside the repository: 1,800,827
// rows, 6,863 snapshots of 271 stations.
const osloFile = "../../../shared/data/availability_oslo.csv.gz"

// oslo gives the path of osloFile.
func oslo(b *testing.B) string {
	b.Helper()
	path, err := filepath.Abs(osloFile)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		b.Skipf("the recorded data is not beside the repository: %v", err)
	}
	return path
}

// buildBinary builds livelab.
func buildBinary(b *testing.B) string {
	b.Helper()
	return build(b, "livelab", ".")
}

// build builds a program as `make build` does.
func build(b *testing.B, name, source string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), name)
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return path
}

// usage is what a process took.
type usage struct {
	seconds float64 // from its start to its end
	mib     float64 // peak of its resident memory
	stdout  []byte
}

// measure runs a command to its end.
func measure(b *testing.B, cmd *exec.Cmd) usage {
	b.Helper()
	forgetPeak(b)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.Bytes())
	}
	took := time.Since(began).Seconds()
	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss // KiB
	return usage{took, float64(peak) / 1024, stdout.Bytes()}
}

// forgetPeak makes this process small and its peak forgotten. A child starts
// in its parent's memory, and the kernel counts the parent's peak as the
// child's own up to then.
func forgetPeak(b *testing.B) {
	b.Helper()
	debug.FreeOSMemory()
	const resetPeak = "5" // see proc(5), clear_refs
	if err := os.WriteFile("/proc/self/clear_refs", []byte(resetPeak), 0); err != nil {
		b.Logf("memory may be overstated by this process's own: %v", err)
	}
}

// livelab prepares the binary with settings from LIVELAB_… variables and
// nothing else from the environment.
func livelab(binary, dir string, env []string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}, env...)
	return cmd
}

// postgresKinds are the servers that are compared: the one that tests use, and
// one that waits for the disk as a server in production does.
var postgresKinds = []struct {
	name     string
	settings []string
}{
	{"postgres,fsync=off", nil},
	{"postgres,fsync=on", []string{"fsync=on", "full_page_writes=on"}},
}

// BenchmarkImport is `livelab import` of the recorded autumn into an empty
// store, from the start of the process to its end, migration included.
func BenchmarkImport(b *testing.B) {
	file, binary := oslo(b), buildBinary(b)
	b.Run("rows=1800827/sqlite", func(b *testing.B) {
		benchmarkImport(b, binary, file, func() []string { return nil })
	})
	for _, kind := range postgresKinds {
		b.Run("rows=1800827/"+kind.name, func(b *testing.B) {
			server := pgtest.Start(b, kind.settings...)
			benchmarkImport(b, binary, file, func() []string {
				return []string{"DATABASE_URL=" + server.Schema(b)}
			})
		})
	}
}

func benchmarkImport(b *testing.B, binary, file string, newStore func() []string) {
	var seconds, mib float64
	var result struct{ Rows int }
	for range b.N {
		u := measure(b, livelab(binary, b.TempDir(), newStore(), "import", "--json", file))
		if err := json.Unmarshal(u.stdout, &result); err != nil {
			b.Fatal(err)
		}
		seconds, mib = seconds+u.seconds, max(mib, u.mib)
	}
	b.ReportMetric(float64(result.Rows)*float64(b.N)/seconds, "rows/s")
	b.ReportMetric(seconds/float64(b.N), "s")
	b.ReportMetric(mib, "peak-MiB")
	b.ReportMetric(0, "ns/op")
}

// openSQLite and openPostgres give an empty, migrated store.
func openSQLite(b *testing.B) store {
	b.Helper()
	s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "livelab.db"), sqlite.Options{})
	return migrated(b, s, err)
}

func openPostgres(b *testing.B) store {
	b.Helper()
	s, err := postgres.Open(b.Context(), pgtest.Start(b).URL(), postgres.Options{})
	return migrated(b, s, err)
}

func migrated(b *testing.B, s store, err error) store {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	if err := s.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	return s
}

// stores are opened by name.
var stores = []struct {
	name string
	open func(*testing.B) store
}{{"sqlite", openSQLite}, {"postgres", openPostgres}}

// past is some time of a simulated city.
type past struct {
	network   observation.Network
	stations  int
	snapshots []observation.Snapshot
	weather   []observation.Weather
}

// observations is the number of observations in it: stations seen, each
// counted in each snapshot.
func (p past) observations() int { return len(p.snapshots) * p.stations }

// simulatedPast makes a snapshot every ten minutes up to a time: as many as
// hold the given number of observations.
func simulatedPast(b *testing.B, observations int, until time.Time) past {
	b.Helper()
	city, err := sim.NewCity(sim.Config{})
	if err != nil {
		b.Fatal(err)
	}
	const step = 10 * time.Minute
	p := past{network: city.Network(), stations: len(city.Stations())}
	since := until.Add(-step * time.Duration(observations/p.stations-1))
	for s := range city.History(since, until, step) {
		p.snapshots = append(p.snapshots, s)
	}
	p.weather = city.WeatherHistory(since, until)
	return p
}

// record stores a past.
func (p past) record(b *testing.B, s store) {
	b.Helper()
	r := ingest.Recorder{Store: s, Origin: observation.OriginSimulated}
	if _, err := r.Record(b.Context(), ingest.Series{Network: p.network.ID, Snapshots: p.each(), Weather: p.weather}); err != nil {
		b.Fatal(err)
	}
}

func (p past) each() func(yield func(observation.Snapshot, error) bool) {
	return func(yield func(observation.Snapshot, error) bool) {
		for _, s := range p.snapshots {
			if !yield(s, nil) {
				return
			}
		}
	}
}

// scaling gathers the times of several sizes and reports the exponent k of
// time ~ size^k, by least squares on logarithms: 1 is linear.
type scaling struct{ x, y []float64 }

func (s *scaling) add(size int, b *testing.B) {
	s.x = append(s.x, math.Log(float64(size)))
	s.y = append(s.y, math.Log(b.Elapsed().Seconds()/float64(b.N)))
}

func (s *scaling) report(b *testing.B, name string) {
	b.Run(name+"/exponent", func(b *testing.B) {
		var mx, my, sxy, sxx float64
		for i := range s.x {
			mx, my = mx+s.x[i]/float64(len(s.x)), my+s.y[i]/float64(len(s.y))
		}
		for i := range s.x {
			sxy += (s.x[i] - mx) * (s.y[i] - my)
			sxx += (s.x[i] - mx) * (s.x[i] - mx)
		}
		b.ReportMetric(sxy/sxx, "exponent")
		b.ReportMetric(0, "ns/op")
	})
}
