package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"livelab/sql/pgtest"
)

// clients ask a server without a pause until they are stopped.
type clients struct {
	mu       sync.Mutex
	answered map[string]bool // by the ID of the prediction
	slowest  time.Duration
	refused  int // answers other than 200, or none

	http    *http.Client
	stop    chan struct{}
	running sync.WaitGroup
}

func askFrom(n int, base string) *clients {
	// Each keeps its connection: thousands of new ones a second use the ports up.
	transport := &http.Transport{MaxIdleConnsPerHost: n}
	c := &clients{answered: map[string]bool{}, http: &http.Client{Transport: transport, Timeout: patience}, stop: make(chan struct{})}
	for range n {
		c.running.Go(func() {
			for {
				select {
				case <-c.stop:
					return
				default:
					c.ask(base)
				}
			}
		})
	}
	return c
}

func (c *clients) ask(base string) {
	start := time.Now()
	var answer struct {
		ID string `json:"prediction_id"`
	}
	resp, err := c.http.Post(base+"/predict", "application/json", strings.NewReader(classicBody))
	if err == nil {
		err = json.NewDecoder(resp.Body).Decode(&answer)
		resp.Body.Close()
	}
	took := time.Since(start)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil || resp.StatusCode != http.StatusOK || answer.ID == "" {
		c.refused++
		return
	}
	c.slowest = max(c.slowest, took)
	c.answered[answer.ID] = true
}

// noneRefused holds that every request until now was answered with a
// prediction.
func (c *clients) noneRefused(t *testing.T, what string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused > 0 {
		t.Errorf("%s: %d requests had no answer beside the %d that had", what, c.refused, len(c.answered))
	}
}

// ended stops the clients and gives what they were answered.
func (c *clients) ended() map[string]bool {
	close(c.stop)
	c.running.Wait()
	c.http.CloseIdleConnections()
	return c.answered
}

// TestNothingAnsweredIsLost stops, freezes and kills the database under load,
// and then kills the server and starts it again: what was answered is in the
// table, once, and every request was answered in time.
func TestNothingAnsweredIsLost(t *testing.T) {
	t.Parallel()
	database := pgtest.Start(t)
	s := trained(t, "DATABASE_URL="+database.URL())
	s.must(t, "publish")
	answered := map[string]bool{}
	serve := func(what string, fault func(p *process, c *clients)) *clients {
		p := s.start(t, "serve")
		c := askFrom(4, p.base)
		time.Sleep(300 * time.Millisecond)
		fault(p, c)
		for id := range c.ended() {
			answered[id] = true
		}
		if len(c.answered) == 0 {
			t.Errorf("%s: nothing was answered", what)
		}
		return c
	}
	for what, fault := range map[string]func(){
		"stopped": func() { database.Stop(t); time.Sleep(time.Second); database.Restart(t) },
		"killed":  func() { database.Kill(t); time.Sleep(time.Second); database.Restart(t) },
		"frozen":  func() { database.Freeze(t); time.Sleep(3 * time.Second); database.Thaw(t) },
	} {
		c := serve(what, func(p *process, c *clients) {
			fault()
			time.Sleep(300 * time.Millisecond)
			c.noneRefused(t, what)
			p.stop(t)
		})
		if c.slowest > 2*time.Second {
			t.Errorf("%s: a request took %v", what, c.slowest)
		}
		t.Logf("%s: %d answered, the slowest in %v", what, len(c.answered), c.slowest)
	}
	// Killed with the database there, and with the database away.
	serve("server killed", func(p *process, _ *clients) { p.cmd.Process.Kill(); <-p.ended })
	serve("both killed", func(p *process, _ *clients) {
		database.Kill(t)
		time.Sleep(500 * time.Millisecond)
		p.cmd.Process.Kill()
		<-p.ended
		database.Restart(t)
	})
	last := s.start(t, "serve")
	eventually(t, "the rows of all that was answered", func() bool {
		return rows(t, database.URL(), answered) == 0
	})
	last.stop(t)
	if n := rows(t, database.URL(), answered); n != 0 {
		t.Errorf("%d of %d answered predictions are not in the table", n, len(answered))
	}
	if left, err := filepath.Glob(filepath.Join(s.dir, "*.spool", "*", "*.seg")); err != nil || len(left) > 0 {
		t.Errorf("left in the spool: %v %v", left, err)
	}
	t.Logf("%d predictions answered, each of them in the table", len(answered))
}

// rows says how many of the predictions are not in the table, and fails where
// one is there twice.
func rows(t *testing.T, url string, ids map[string]bool) (missing int) {
	t.Helper()
	ctx := context.Background()
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(ctx)
	found, err := db.Query(ctx, `SELECT id::text, count(*) FROM prediction_log GROUP BY id`)
	if err != nil {
		t.Fatal(err)
	}
	stored, n := map[string]int{}, 0
	var id string
	if _, err := pgx.ForEachRow(found, []any{&id, &n}, func() error { stored[id] = n; return nil }); err != nil {
		t.Fatal(err)
	}
	for id := range ids {
		if stored[id] == 0 {
			missing++
		}
	}
	for id, n := range stored {
		if n > 1 {
			t.Errorf("prediction %s is there %d times", id, n)
		}
	}
	return missing
}

// TestSpoolFlags holds what the flags of the spool take, and where it is.
func TestSpoolFlags(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	write := filepath.Join(s.dir, "a-file")
	if err := os.WriteFile(write, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		code int
		says string
		args []string
	}{
		{exitUsage, "--spool-full", []string{"--spool-full", "all"}},
		{exitUsage, "--spool-size is 0", []string{"--spool-size", "0"}},
		{exitUsage, "--log-sync", []string{"--log-sync", "-1s"}},
		{exitUsage, "--keep-predictions", []string{"--keep-predictions", "soon"}},
		{exitUsage, "--keep-predictions", []string{"--keep-predictions", "-1h"}},
		{exitFailed, "not a directory", []string{"--spool", "a-file"}},
	} {
		if said := s.refused(t, tt.code, append([]string{"serve", "--listen", "127.0.0.1:0"}, tt.args...)...); !strings.Contains(said, tt.says) {
			t.Errorf("%v: %s lacks %q", tt.args, said, tt.says)
		}
	}
	first := s.start(t, "serve", "--keep-predictions", "90d")
	second := s.start(t, "serve", "--log-sync", "0") // beside the first, in the same folder
	if found, _ := filepath.Glob(filepath.Join(s.dir, "livelab.db.spool", "*", "lock")); len(found) != 2 {
		t.Errorf("spools of two servers: %v", found)
	}
	first.stop(t)
	second.stop(t)
	none := s.start(t, "serve", "--spool", "none", "--store", "other.db")
	none.stop(t)
	if found, _ := filepath.Glob(filepath.Join(s.dir, "other.db.spool")); len(found) > 0 {
		t.Errorf("--spool none made %v", found)
	}
}
