package predlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"

	"livelab/runtime/predlog/spool"
)

// picky refuses the predictions of which a function says so.
func picky(bad func(p *Prediction) bool) *odd {
	return &odd{before: func(_ int, ps []Prediction) error {
		for i := range ps {
			if bad(&ps[i]) {
				return fmt.Errorf("add: %w: null in column \"tenant\"", ErrRefused)
			}
		}
		return nil
	}}
}

type asideLine struct {
	ID         string
	Time       time.Time
	Reason     string
	Prediction map[string]any
}

func readAside(t *testing.T, path string) (lines []asideLine) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.Lines(string(b)) {
		var line asideLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		lines = append(lines, line)
	}
	return lines
}

// TestRefusedPredictionsAreKeptAside has a store that refuses all for a while,
// as one does to which a column was added.
func TestRefusedPredictionsAreKeptAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		dir := t.TempDir()
		var mended atomic.Bool
		o := picky(func(*Prediction) bool { return !mended.Load() })
		w := setup(t, Config{Store: o, Spool: spool.Config{Dir: dir}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		w.Start()
		w.Add([]Prediction{{
			ID: "first", At: time.Date(20000, 1, 2, 3, 4, 5, 6, time.UTC), Role: Served, Model: "m", Version: "3", Digest: "d", RequestID: "r",
			Network: "n", Station: "s", AsOf: time.Unix(60, 0), Latency: time.Second, Probability: math.NaN(), Positive: true,
			Threshold: 0.5, HorizonHours: math.Inf(1), Features: Features{Names: []string{"a", "b", "c"}, Values: []float64{1, math.NaN(), math.Inf(-1)}},
		}})
		for i := range 30 {
			named(w, i, i+1)
			time.Sleep(time.Second)
		}
		mended.Store(true)
		named(w, 30, 40)
		if err := w.Stop(within(time.Minute)); err != nil {
			t.Error(err)
		}
		wantStored(t, &o.fakeStore, 30, 40)
		if n := dropped(w, dropRefused); n != 31 || dropped(w) != 31 {
			t.Errorf("%v refused of %v dropped, want 31", n, dropped(w))
		}
		path := filepath.Join(dir, "1", asideFile)
		lines := readAside(t, path)
		if len(lines) != 31 || lines[30].ID != "id 00029" || lines[30].Prediction["ts"] != "1970-01-01T00:00:29Z" {
			t.Fatalf("%d predictions are kept aside, want 31: %v", len(lines), lines)
		}
		first := lines[0]
		if first.ID != "first" || first.Time.Sub(time.Now()).Abs() > time.Hour || !strings.Contains(first.Reason, "tenant") {
			t.Errorf("kept aside as %v", first)
		}
		const want = "map[as_of:1970-01-01T00:01:00Z features:map[a:1 c:-Inf] horizon:+Inf latency:1e+09 model:m model_digest:d " +
			"model_version:3 network:n proba:NaN request_id:r role:served station:s threshold:0.5 ts:20000-01-02T03:04:05.000000006Z y:true]"
		if got := fmt.Sprint(first.Prediction); got != want {
			t.Errorf("kept aside is\n%s, want\n%s", got, want)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the file is %v, %v", info.Mode(), err)
		}
		if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), path) || !strings.Contains(log.String(), "tenant") {
			t.Errorf("the log has %d lines, want one that names the file:\n%s", n, &log)
		}
	})
}

// TestRefusedPredictionsWithoutRoom has no place to keep what is refused: the
// rest is stored all the same, and the log says what is lost.
func TestRefusedPredictionsWithoutRoom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tests := []struct {
		name, dir, want string
		prepare         func(path string) error
	}{
		{"no spool", "", "no spool", func(string) error { return nil }},
		{"full", filepath.Join(dir, "full"), "is full", func(path string) error {
			return errors.Join(os.WriteFile(path, []byte("{}\n"), 0o600), os.Truncate(path, asideBytes-1))
		}},
		{"no file", filepath.Join(dir, "folder"), "is a directory", func(path string) error { return os.Mkdir(path, 0o700) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			o := picky(func(p *Prediction) bool { return p.ID < "id 00005" })
			w := setup(t, Config{Store: o, Spool: spool.Config{Dir: tt.dir}, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			path := filepath.Join(tt.dir, "1", asideFile)
			if err := tt.prepare(path); err != nil {
				t.Fatal(err)
			}
			w.Start()
			named(w, 0, 20)
			if err := w.Stop(within(time.Minute)); err != nil {
				t.Error(err)
			}
			wantStored(t, &o.fakeStore, 5, 20)
			if n := dropped(w, dropRefused); n != 5 {
				t.Errorf("%v refused, want 5", n)
			}
			if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), tt.want) || !strings.Contains(log.String(), "lost") {
				t.Errorf("the log says it %d times, want once with %q:\n%s", n, tt.want, &log)
			}
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() != asideBytes-1 {
				t.Errorf("the file has %d bytes now", info.Size())
			}
		})
	}
}

// TestRefusedPredictionsAreNotKeptTwice stops while a batch of which some was
// refused is under way: the next start offers, and refuses, it again.
func TestRefusedPredictionsAreNotKeptTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		bad := func(p *Prediction) bool { return p.ID == "id 00000" }
		o := picky(bad)
		o.after = func(int) error { return errors.New("away") }
		for range 2 {
			w := setup(t, Config{Store: o, Spool: spool.Config{Dir: dir}})
			w.Start()
			if o.after != nil {
				named(w, 0, 10)
				time.Sleep(time.Minute)
			}
			if err := w.Stop(within(time.Minute)); err != nil {
				t.Error(err)
			}
			o.after = nil
		}
		wantStored(t, &o.fakeStore, 0, 10, 0)
		if lines := readAside(t, filepath.Join(dir, "1", asideFile)); len(lines) != 1 || lines[0].ID != "id 00000" {
			t.Errorf("kept aside are %v", lines)
		}
	})
}

func syncs(t *testing.T, w *Writer) uint64 {
	t.Helper()
	var m dto.Metric
	if err := w.metrics.syncSeconds.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetHistogram().GetSampleCount()
}

// TestNoSyncOfNothing is of an idle server.
func TestNoSyncOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := setup(t, Config{Store: &fakeStore{}, Spool: spool.Config{Dir: t.TempDir()}})
		w.Start()
		time.Sleep(10 * time.Second)
		none := syncs(t, w)
		named(w, 0, 1)
		time.Sleep(10 * time.Second)
		one := syncs(t, w)
		if err := w.Stop(within(time.Minute)); err != nil {
			t.Error(err)
		}
		if none != 0 || one != 1 {
			t.Errorf("%d syncs before the first write, %d with it, want 0 and 1", none, one)
		}
	})
}
