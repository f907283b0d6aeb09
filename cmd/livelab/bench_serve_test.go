package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"livelab/pipeline/features/featurestest"
	"livelab/sql/sqlite"
)

// classicQuestion has the eight features that every client sends.
const classicQuestion = `{"features":{"stations_count":60,"free_bikes":400,"empty_slots":800,"total_slots":1200,` +
	`"free_ratio":0.3333,"temp_2m":7.5,"precipitation":0,"wind_speed_10m":12}}`

// BenchmarkServe is `livelab serve` with a published model over a SQLite store
// of 80 days up to now: the time from the start of the process to the first
// answer to eight features (budget: 100 ms), and to the first from stored data
// after it; then the resident memory two seconds later, and after 20,000
// requests on eight connections, half of them of each kind (budget: 64 MiB).
// It does so with a model that has no transform; with one in Go, whose machine
// code is in the cache, as it is from the second start on; and with the same,
// which is not.
func BenchmarkServe(b *testing.B) {
	binary, plain, dir := buildBinary(b), b.TempDir(), b.TempDir()
	publishModel(b, binary, plain, "none")
	featurestest.BuildSkewed(b, "1.0", filepath.Join(dir, "skewed.wasm"))
	publishModel(b, binary, dir, "skewed.wasm")
	for _, kind := range []struct {
		name, dir string
		env       func(b *testing.B) []string
	}{
		{"transform=none", plain, func(*testing.B) []string { return nil }},
		{"transform=cached", dir, func(*testing.B) []string { return nil }},
		{"transform=new", dir, func(b *testing.B) []string { return []string{"LIVELAB_TRANSFORM_CACHE=" + b.TempDir()} }},
	} {
		b.Run("snapshots=11520/sqlite/"+kind.name, func(b *testing.B) {
			var first, stored float64
			var idle, loaded float64
			for range b.N {
				s := startServing(b, binary, kind.dir, kind.env(b))
				first += s.await(classicQuestion)
				stored += s.await("{}")
				time.Sleep(2 * time.Second)
				idle = max(idle, residentMiB(b, s.cmd.Process.Pid))
				s.load(20_000, 8)
				loaded = max(loaded, residentMiB(b, s.cmd.Process.Pid))
				s.stop()
			}
			n := float64(b.N)
			b.ReportMetric(first/n*1e3, "first-answer-ms")
			b.ReportMetric(stored/n*1e3, "first-stored-ms")
			b.ReportMetric(idle, "idle-MiB")
			b.ReportMetric(loaded, "loaded-MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// publishModel fills a folder with a store and a registry that has a champion,
// trained with a transform. It gives what is in the store.
func publishModel(b *testing.B, binary, dir, transform string) past {
	b.Helper()
	s, err := sqlite.Open(b.Context(), filepath.Join(dir, "livelab.db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	city := simulatedPast(b, 80*144*60, time.Now().UTC().Truncate(time.Minute))
	city.record(b, s)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	measure(b, livelab(binary, dir, nil, "train", "--transform", transform))
	// What is measured is no matter of how good the model is today.
	if out, err := livelab(binary, dir, nil, "gate").CombinedOutput(); err != nil {
		b.Logf("the gate: %v\n%s", err, out)
	}
	measure(b, livelab(binary, dir, nil, "publish", "--force"))
	return city
}

// serving is a running `livelab serve`, or what it is compared with.
type serving struct {
	b      *testing.B
	cmd    *exec.Cmd
	stderr bytes.Buffer
	base   string // http://host:port
	began  time.Time
	client *http.Client
}

func startServing(b *testing.B, binary, dir string, env []string, args ...string) *serving {
	b.Helper()
	address := freeAddress(b)
	return startProcess(b, address, livelab(binary, dir, env, append([]string{"serve", "--listen", address}, args...)...))
}

// startProcess starts a command that is to answer on an address.
func startProcess(b *testing.B, address string, cmd *exec.Cmd) *serving {
	b.Helper()
	s := &serving{
		b: b, cmd: cmd, base: "http://" + address,
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
	s.cmd.Stderr = &s.stderr
	s.began = time.Now()
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { // unless it was stopped
		if s.cmd.ProcessState == nil {
			s.cmd.Process.Kill()
			s.cmd.Wait()
		}
	})
	return s
}

// await asks until there is an answer and gives the seconds since the start.
func (s *serving) await(question string) float64 {
	s.b.Helper()
	for time.Since(s.began) < 10*time.Second {
		if err := s.ask(question); err == nil {
			return time.Since(s.began).Seconds()
		}
		time.Sleep(500 * time.Microsecond)
	}
	err := s.ask(question)
	s.stop()
	s.b.Fatalf("no answer to %s within 10 s: %v\n%s", question, err, s.stderr.Bytes())
	return 0
}

func (s *serving) ask(question string) error {
	_, err := s.answer(question)
	return err
}

// answer gives the body of the answer.
func (s *serving) answer(question string) ([]byte, error) {
	r, err := s.client.Post(s.base+"/predict", "application/json", strings.NewReader(question))
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", r.Status, body)
	}
	return body, err
}

// load asks a number of questions over several connections at once.
func (s *serving) load(requests int64, connections int) {
	s.b.Helper()
	var asked atomic.Int64
	var workers sync.WaitGroup
	for range connections {
		workers.Go(func() {
			for i := asked.Add(1); i <= requests; i = asked.Add(1) {
				question := classicQuestion
				if i%2 == 0 {
					question = "{}"
				}
				if err := s.ask(question); err != nil {
					s.b.Errorf("under load: %v", err)
					return
				}
			}
		})
	}
	workers.Wait()
}

// counter gives a sum over the labels of one of the metrics.
func (s *serving) counter(name string) (sum float64) {
	s.b.Helper()
	r, err := s.client.Get(s.base + "/metrics")
	if err != nil {
		s.b.Fatal(err)
	}
	defer r.Body.Close()
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		rest, ok := strings.CutPrefix(lines.Text(), name)
		if !ok || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		n, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			s.b.Fatal(err)
		}
		sum += n
	}
	return sum
}

func (s *serving) stop() {
	s.b.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.b.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		s.b.Errorf("livelab serve ended badly: %v\n%s", err, s.stderr.Bytes())
	}
}
