package server

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// The crowd is in another process, for the file descriptors and so that the
// memory measured is the server's.
const crowdVariable = "LIVELAB_TEST_CROWD"

func TestMain(m *testing.M) {
	if settings := os.Getenv(crowdVariable); settings != "" {
		if err := crowd(settings); err != nil {
			fmt.Fprintln(os.Stderr, "crowd:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// crowdSettings say who is in the crowd, all on connections of their own.
type crowdSettings struct {
	Address string
	Idle    int // asked once and were answered
	Headers int // send headers for ever
	Bodies  int // send a body for ever
}

// crowd connects, says so, drips until stdin ends and says how many of the idle
// connections the server still holds.
func crowd(text string) error {
	var s crowdSettings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	idle := make([]net.Conn, s.Idle)
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var connecting sync.WaitGroup
	for range 64 {
		connecting.Go(func() {
			for i := next.Add(1) - 1; i < int64(s.Idle) && failed.Load() == nil; i = next.Add(1) - 1 {
				c, err := visit(s.Address)
				if err != nil {
					failed.Store(&err)
					return
				}
				idle[i] = c
			}
		})
	}
	connecting.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	stop := make(chan struct{})
	var dripping sync.WaitGroup
	for i := range s.Headers + s.Bodies {
		head := "GET /health HTTP/1.1\r\nHost: x\r\nX-A: "
		if i >= s.Headers {
			head = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 16000\r\n\r\n"
		}
		dripping.Go(func() { drip(s.Address, head, stop) })
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	close(stop)
	dripping.Wait()
	var held atomic.Int64
	var looking sync.WaitGroup
	for part := range slices.Chunk(idle, 100) {
		looking.Go(func() {
			for _, c := range part {
				_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
				if _, err := c.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
					held.Add(1)
				}
			}
		})
	}
	looking.Wait()
	fmt.Println("held", held.Load())
	return nil
}

// visit sends one good request, and keeps the connection. A crowd that comes
// faster than it is let in may be turned away at first.
func visit(address string) (net.Conn, error) {
	for tries := 0; ; tries++ {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return nil, err
		}
		_, _ = io.WriteString(c, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
		}
		if err == nil {
			return c, nil
		}
		c.Close()
		if tries == 10 {
			return nil, err
		}
	}
}

// drip sends a request byte by byte, and another one when it is cut off.
func drip(address, head string, stop <-chan struct{}) {
	for {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_, err = io.WriteString(c, head)
		}
		for err == nil {
			select {
			case <-stop:
				c.Close()
				return
			case <-time.After(500 * time.Millisecond):
				_, err = io.WriteString(c, " ")
			}
		}
		if c != nil {
			c.Close()
		}
		select {
		case <-stop:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// TestCrowd has 10,000 idle and 1,000 slow connections at once, and good
// clients that are answered nevertheless: on a server that holds all of them,
// and on one that holds fewer.
func TestCrowd(t *testing.T) {
	const idle, slow = 10_000, 1000
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	if need := uint64(idle + slow + 1000); files.Cur < need { // the runtime has raised it as far as it may
		if os.Getenv("CI") == "true" {
			t.Fatalf("%d files may be open, %d are needed: raise the hard limit (ulimit -Hn)", files.Cur, need)
		}
		t.Skipf("%d files may be open, %d are needed: raise the hard limit (ulimit -Hn)", files.Cur, need)
	}
	for _, tt := range []struct {
		name  string
		most  int  // connections
		least int  // of the idle ones are still there
		evict bool // others
	}{
		{"most evicted", 0, 2500, true}, // by default
		{"all held", 16_384, idle, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			alone(t)
			w := serve(t, func(c *Config, _ *Deps) { c.MaxConnections = tt.most })
			debug.FreeOSMemory()
			before := resident(t)
			held := surround(t, crowdSettings{w.address, idle, slow / 2, slow / 2})
			during := resident(t)
			open := w.conns.open.Load().count()
			kept := goodClients(t, w.address, true)
			fresh := goodClients(t, w.address, false)
			evicted := testutil.ToFloat64(w.conns.evicted)
			n := held()
			t.Logf("%d open, %d of %d idle ones held to the end, %v evicted; resident %d MiB before, %d MiB with them (%d KiB each)",
				open, n, idle, evicted, before>>20, during>>20, (during-before)>>10/int64(open))
			t.Logf("good clients that keep their connections: %s", kept)
			t.Logf("good clients on a new connection each time: %s", fresh)
			if n < tt.least || evicted > 0 != tt.evict || open > w.cfg.MaxConnections {
				t.Errorf("%d idle ones held, want %d; %v evicted, want any %t; %d open, want at most %d", n, tt.least, evicted, tt.evict, open, w.cfg.MaxConnections)
			}
			for _, l := range []latencies{kept, fresh} {
				// The slowest of thousands may have met a pause of the machine.
				if p99 := l.at(0.99); p99 > time.Second {
					t.Errorf("good clients waited: %s", l)
				}
			}
		})
	}
}

// surround starts a crowd and waits for it to be there. The function that it
// gives ends it, and gives how many idle ones were held to the end.
func surround(t *testing.T, s crowdSettings) (held func() int) {
	t.Helper()
	settings, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crowdVariable+"="+string(settings))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	t.Cleanup(func() {
		if !ended {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	})
	r := bufio.NewReader(out)
	if line, err := r.ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the crowd says %q: %v", line, err)
	}
	return func() (n int) {
		in.Close()
		if _, err := fmt.Fscanf(r, "held %d\n", &n); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		ended = true
		return n
	}
}

// latencies are sorted.
type latencies []time.Duration

func (l latencies) String() string {
	return fmt.Sprintf("%d answers, p50 %v, p99 %v, the slowest %v", len(l), l.at(0.5), l.at(0.99), l.at(1))
}

// at is the quantile q.
func (l latencies) at(q float64) time.Duration {
	return l[int(q*float64(len(l)-1))].Round(10 * time.Microsecond)
}

// goodClients asks for predictions from eight clients for a while. All must be
// answered.
func goodClients(t *testing.T, address string, keep bool) latencies {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: !keep, MaxIdleConnsPerHost: 8}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	var mu sync.Mutex
	var all latencies
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			for end := time.Now().Add(2 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
				started := time.Now()
				resp, err := client.Post("http://"+address+"/predict", "application/json", strings.NewReader(given))
				if err != nil {
					t.Errorf("a good client gets no answer: %v", err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				took := time.Since(started)
				if resp.StatusCode != http.StatusOK {
					t.Errorf("a good client gets %s", resp.Status)
				}
				mu.Lock()
				all = append(all, took)
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	if len(all) == 0 {
		t.Fatal("no good client was answered")
	}
	slices.Sort(all)
	return all
}

// resident is the memory of this process in bytes; 0 where it is not told.
func resident(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	_, after, ok := strings.Cut(string(status), "VmRSS:")
	var kib int64
	if _, err := fmt.Sscanf(after, "%d", &kib); err != nil || !ok {
		t.Fatalf("resident memory: %v", err)
	}
	return kib << 10
}
