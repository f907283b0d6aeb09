package retrain

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/pipeline/train"
)

// counting is a transform that has failed before, and fails on cold rows.
type counting struct {
	features.Transform
	failed map[string]int64
}

func (c counting) FailedRows() map[string]int64 {
	now := make(map[string]int64)
	for reason, n := range c.failed {
		now[reason] = n
	}
	return now
}

func newCounting(name string, cold float64) counting {
	failed := map[string]int64{"trapped": 7}
	native := featurestest.New(name, []string{"temp_2m"}, []string{"y"}, func(in, out []float64) error {
		switch out[0] = in[0]; {
		case in[0] < cold-2:
			failed["trapped"]++
		case in[0] < cold:
			failed["returned an error"]++
		}
		return nil
	})
	return counting{native, failed}
}

// TestFailedRowsAreSaid holds that a training tells of the rows that it made
// and no others, in the log and in its result.
func TestFailedRowsAreSaid(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	w := newWay(t)
	w.Logger = slog.New(slog.NewTextHandler(&said, nil))
	well, ill := newCounting("well", -1000), newCounting("ill", 1000)
	w.Transforms = []features.Transform{well, ill}
	d := simulated(t, 1, 30)
	trained, err := w.Train(t.Context(), d, features.NetworkShortage(), train.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if len(trained.Failures) != 1 {
		t.Fatalf("failures %v, want those of one transform", trained.Failures)
	}
	f := trained.Failures[0]
	rows := len(features.RowTimes(features.NetworkShortage(), d.Series))
	if f.Name != "ill" || f.FailedRows != f.Reasons["trapped"] || f.FailedRows < int64(rows)*9/10 || f.FailedRows > int64(rows) || f.Rows != int64(rows) {
		t.Errorf("failures %+v of %d rows", f, rows)
	}
	if text := said.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, f.String()) {
		t.Errorf("logged %q, want %q once", text, f)
	}
	if b, err := json.Marshal(trained); err != nil || !strings.Contains(string(b), `"transform_failures":[{"name":"ill","failed_rows":`) {
		t.Errorf("%s, %v", b, err)
	}
}

func TestFailuresInWords(t *testing.T) {
	t.Parallel()
	for want, reasons := range map[string]map[string]int64{
		"transform k failed on 3 of 9 rows: it trapped":                              {"trapped": 3},
		"transform k failed on 3 of 9 rows: it returned an error on 2, trapped on 1": {"trapped": 1, "returned an error": 2},
	} {
		if got := (Failures{"k", 3, 9, reasons}).String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestOrderOfTransforms holds that each order of the same transforms, some of
// which read others, makes the same model.
func TestOrderOfTransforms(t *testing.T) {
	t.Parallel()
	add := func(in, out []float64) error { out[0] = in[0] + 1; return nil }
	a := featurestest.New("a", []string{"c.y"}, []string{"y"}, add)
	b := featurestest.New("b", []string{"temp_2m"}, []string{"y"}, add)
	c := featurestest.New("c", []string{"wind_speed_10m"}, []string{"y"}, add)
	d, digest := simulated(t, 1, 30), ""
	for _, ts := range [][]features.Transform{{a, b, c}, {a, c, b}, {b, a, c}, {b, c, a}, {c, a, b}, {c, b, a}} {
		w := newWay(t)
		w.Transforms = ts
		trained, err := w.Train(t.Context(), d, features.NetworkShortage(), train.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if digest == "" {
			digest = trained.Digest
		}
		if trained.Digest != digest {
			t.Errorf("%v is another model", ts)
		}
	}
	w := newWay(t)
	w.Transforms = []features.Transform{a}
	if _, err := w.Train(t.Context(), d, features.NetworkShortage(), train.Config{}); err == nil || !strings.Contains(err.Error(), "add --transform c") {
		t.Errorf("without a partner: %v", err)
	}
}
