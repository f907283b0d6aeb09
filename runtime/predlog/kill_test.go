package predlog

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"livelab/runtime/predlog/spool"
)

// The environment of a test binary that is to log until it is killed.
const (
	childDir   = "LIVELAB_PREDLOG_CHILD_DIR"
	childRound = "LIVELAB_PREDLOG_CHILD_ROUND"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		logForEver(dir, os.Getenv(childRound))
	}
	os.Exit(m.Run())
}

// logForEver logs from several goroutines at once, and says on stdout what was
// acknowledged. The store is away all the time.
func logForEver(dir, round string) {
	w, err := NewWriter(Config{
		Store: &fakeStore{away: true}, Spool: spool.Config{Dir: dir, SegmentBytes: 20_000}, Sync: time.Millisecond, Wait: time.Minute,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	w.Start()
	var clients sync.WaitGroup
	for c := range 8 {
		clients.Go(func() {
			for i := 0; ; i++ {
				ps := make([]Prediction, 1+i%3)
				for k := range ps {
					ps[k] = sample()
					ps[k].RequestID = fmt.Sprintf("%s-%d-%d", round, c, i)
				}
				w.Add(ps)
				text := ""
				for k := range ps {
					text += ps[k].ID + "\n"
				}
				os.Stdout.WriteString(text) // one write
			}
		})
	}
	clients.Wait()
}

// TestKilled kills a process that logs, at random moments. Each prediction that
// it acknowledged is stored by the one that comes after it, once.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir, seen := t.TempDir(), map[string]bool{}
	acknowledged := 0
	for round := range 50 {
		for id := range killed(t, dir, round) {
			seen[id] = true
			acknowledged++
		}
		if round%10 != 9 {
			continue // so that several deaths come upon one another
		}
		m := &fakeStore{}
		w := setup(t, Config{Store: m, Spool: spool.Config{Dir: dir}, Rest: -1})
		w.Start()
		if err := w.Stop(within(time.Minute)); err != nil {
			t.Fatal(err)
		}
		missing := 0
		for id := range seen {
			if _, ok := m.stored[id]; !ok {
				missing++
			}
		}
		offered := 0
		for _, n := range m.batches {
			offered += n
		}
		if missing > 0 || offered != len(m.stored) || dropped(w) > 0 {
			t.Errorf("%d of %d acknowledged predictions are missing; %d offered, %d stored, %v dropped",
				missing, len(seen), offered, len(m.stored), dropped(w))
		}
		if left, err := filepath.Glob(filepath.Join(dir, "*", "*.*")); err != nil || len(left) > 0 {
			t.Errorf("in the spool although it is stored: %v %v", left, err)
		}
		clear(seen)
	}
	if acknowledged < 1000 {
		t.Errorf("only %d predictions were acknowledged: the test shows little", acknowledged)
	}
	t.Logf("%d predictions acknowledged in 50 lives", acknowledged)
}

// killed runs a child for a while and gives the IDs that it acknowledged.
func killed(t *testing.T, dir string, round int) map[string]bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childRound+"="+strconv.Itoa(round))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	lines := bufio.NewScanner(out)
	var death *time.Timer
	for lines.Scan() {
		if death == nil { // it lives
			death = time.AfterFunc(rand.N(40*time.Millisecond), func() { cmd.Process.Kill() })
		}
		if id := lines.Text(); len(id) == 36 { // the last line may be cut off
			ids[id] = true
		}
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("the child ended with %v", err)
	}
	return ids
}
