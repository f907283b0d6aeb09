package retrain

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/pipeline/gate"
	"livelab/pipeline/train"
)

// ahead is a transform of the other column that calls itself swing: what a
// plugins folder may hold tomorrow under the name of today.
var ahead = featurestest.New("ahead", []string{"free_ratio_yesterday_ahead", "free_ratio_yesterday"}, []string{"hour"}, swing.Row).As("swing")

// opener opens versions from what they carry. It knows the Go functions behind
// the digests, and remembers what it was asked for.
type opener struct {
	asked []string
	err   map[string]error // by digest
}

func (o *opener) open(_ context.Context, files map[string][]byte) ([]features.Transform, error) {
	var opened []features.Transform
	for _, t := range []featurestest.Native{swing, ahead} {
		if _, carried := files["transforms/"+t.Pin.Digest+".wasm"]; carried {
			o.asked = append(o.asked, t.Pin.Inputs[0])
			opened = append(opened, t)
			if err := o.err[t.Pin.Digest]; err != nil {
				return nil, err
			}
		}
	}
	return opened, nil
}

// TestEachVersionIsJudgedWithItsOwnTransforms publishes a champion with one
// transform, trains a challenger with another of the same name, and judges
// each where the training's transforms are none or the other's.
func TestEachVersionIsJudgedWithItsOwnTransforms(t *testing.T) {
	t.Parallel()
	w, o := newWay(t), &opener{err: map[string]error{}}
	w.Open = o.open
	d, task := simulated(t, 1, 60), features.NetworkShortage()
	trained := make(map[string]Trained)
	for _, native := range []featurestest.Native{swing, ahead} {
		w.Transforms = []features.Transform{native}
		v, err := w.Train(t.Context(), d, task, train.Config{})
		if err != nil {
			t.Fatal(err)
		}
		trained[native.Pin.Inputs[0]] = v
	}
	first, second := trained[swing.Pin.Inputs[0]], trained[ahead.Pin.Inputs[0]]
	if first.Digest == second.Digest {
		t.Fatal("two transforms of one name make one model")
	}
	if _, err := w.Publish(t.Context(), task.Name, first.Version, true, "test"); err != nil {
		t.Fatal(err)
	}

	w.Transforms = nil
	v := judged(t, w, second, nil)
	if want := []string{ahead.Pin.Inputs[0], swing.Pin.Inputs[0]}; !slices.Equal(o.asked, want) {
		t.Errorf("opened were the transforms of %q, want %q", o.asked, want)
	}
	if v.Champion == nil || v.Champion.Digest != first.Digest {
		t.Fatalf("the champion was not compared with: %+v, %q", v.Champion, v.ChampionAbsent)
	}
	// Scored now, each is as good as its training measured it.
	if got := v.Scores.Model.F1; got != second.Metrics.F1 {
		t.Errorf("the challenger scores %v, trained it scored %v", got, second.Metrics.F1)
	}
	if got := v.Scores.Champion.F1; got != first.Metrics.F1 {
		t.Errorf("the champion scores %v, trained it scored %v", got, first.Metrics.F1)
	}
}

// TestGateWithoutTransforms cannot open the champion's, which then is no rival,
// or the version's own, which then cannot be judged.
func TestGateWithoutTransforms(t *testing.T) {
	t.Parallel()
	w, o := newWay(t), &opener{err: map[string]error{}}
	w.Open, w.Logger = o.open, slog.New(slog.DiscardHandler)
	d, task := simulated(t, 1, 60), features.NetworkShortage()
	w.Transforms = []features.Transform{swing}
	champion, err := w.Train(t.Context(), d, task, train.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Publish(t.Context(), task.Name, "", true, "test"); err != nil {
		t.Fatal(err)
	}
	w.Transforms = nil
	plain, err := w.Train(t.Context(), d, task, train.Config{})
	if err != nil {
		t.Fatal(err)
	}

	o.err[swing.Pin.Digest] = errors.New("the host is out of memory")
	if v := judged(t, w, plain, d); v.Champion != nil || !strings.Contains(v.ChampionAbsent, "transforms cannot be used") {
		t.Errorf("a champion that cannot be asked was compared with: %q", v.ChampionAbsent)
	}
	if _, err := w.Gate(t.Context(), task.Name, champion.Version, d); !errors.Is(err, o.err[swing.Pin.Digest]) {
		t.Errorf("a version that cannot be asked was judged: %v", err)
	}
	delete(o.err, swing.Pin.Digest)
	if v := judged(t, w, plain, d); v.Champion == nil {
		t.Errorf("the champion was not compared with: %q", v.ChampionAbsent)
	}
}

func judged(t *testing.T, w *Way, v Trained, d *dataset.Dataset) gate.Verdict {
	t.Helper()
	verdict, err := w.Gate(t.Context(), v.Model, v.Version, d)
	if err != nil {
		t.Fatal(err)
	}
	return verdict
}
