package retrain

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/pipeline/gate"
	"livelab/pipeline/ingest/sim"
	"livelab/pipeline/model"
	"livelab/pipeline/observation"
	"livelab/pipeline/publish"
	"livelab/pipeline/train"
)

var until = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// simulated is the past of a simulated city.
func simulated(t testing.TB, seed uint64, days int) *dataset.Dataset {
	t.Helper()
	city, err := sim.NewCity(sim.Config{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	from := until.Add(-time.Duration(days) * 24 * time.Hour)
	d := &dataset.Dataset{Network: city.Network(), Origin: observation.OriginSimulated}
	d.Series.Weather = city.WeatherHistory(from, until)
	for s := range city.History(from, until, 10*time.Minute) {
		d.Series.Points = append(d.Series.Points, s.Totals())
	}
	return d
}

func newWay(t testing.TB) *Way {
	root := t.TempDir()
	now := until
	return &Way{
		Registry: publish.OpenDir(root), Root: root, Rules: gate.DefaultRules(), Code: "test",
		Now:    func() time.Time { now = now.Add(time.Second); return now },
		Logger: slog.New(slog.DiscardHandler),
	}
}

// TestDefaultCityPasses takes the whole way on the simulator's default city.
func TestDefaultCityPasses(t *testing.T) {
	t.Parallel()
	w := newWay(t)
	o, err := w.Run(t.Context(), simulated(t, 1, 90), features.NetworkShortage(), train.Config{}, "test")
	if err != nil {
		t.Fatal(err)
	}
	r := o.Trained.Metrics
	t.Logf("F1 %.3f (persistence %.3f), PR-AUC %.3f (climatology %.3f), Brier %.4f (persistence %.4f), ECE %.3f",
		r.F1, r.Baselines.Persistence.F1, r.PRAUC, r.Baselines.Climatology.PRAUC, r.Brier, r.Baselines.Persistence.Brier, r.ECE)
	if o.Verdict.Result != gate.Pass || !o.Published {
		t.Fatalf("the gate says %s: %s", o.Verdict.Result, o.Verdict.Conclusion)
	}
	champion, err := w.Registry.Resolve(t.Context(), o.Trained.Model, publish.Champion)
	if err != nil {
		t.Fatal(err)
	}
	if champion.Digest != o.Trained.Digest {
		t.Errorf("the champion is %s, trained was %s", champion.Digest, o.Trained.Digest)
	}
	if len(r.Folds) < 5 {
		t.Errorf("the backtest has %d folds", len(r.Folds))
	}
}

func TestAnotherDatasetIsAnotherDigest(t *testing.T) {
	t.Parallel()
	d := simulated(t, 2, 40)
	digest := func() string {
		trained, err := newWay(t).Train(t.Context(), d, features.NetworkShortage(), train.Config{})
		if err != nil {
			t.Fatal(err)
		}
		return trained.Digest
	}
	first, again := digest(), digest()
	d.Series.Points[2000].FreeBikes++
	if first != again || first == digest() {
		t.Errorf("the digest does not follow the dataset: %s, %s", first, again)
	}
}

func TestClassicModelIsRefusedWherePersistenceIsBetter(t *testing.T) {
	t.Parallel()
	w := newWay(t)
	o, err := w.Run(t.Context(), simulated(t, 1, 90), features.NetworkShortage(), train.Config{Inputs: features.ClassicInputs()}, "test")
	if err != nil {
		t.Fatal(err)
	}
	if o.Verdict.Result != gate.Fail || o.Published {
		t.Fatalf("the gate says %s: %s", o.Verdict.Result, o.Verdict.Conclusion)
	}
	if _, err := w.Registry.Alias(t.Context(), o.Trained.Model, publish.Champion); !errors.Is(err, publish.ErrNotFound) {
		t.Errorf("a refused model is the champion: %v", err)
	}
	var refused *publish.RefusedError
	if _, err := w.Publish(t.Context(), o.Trained.Model, "", false, "test"); !errors.As(err, &refused) {
		t.Errorf("a refused model was published: %v", err)
	}
	if _, err := w.Publish(t.Context(), o.Trained.Model, "", true, "test"); err != nil {
		t.Errorf("a refused model could not be forced: %v", err)
	}
}

// TestHorizonZero is the classic special case: what is now, from eight inputs
// or from all. Persistence knows the answer and is no rival to the gate.
func TestHorizonZero(t *testing.T) {
	t.Parallel()
	task := features.NetworkShortage()
	task.HorizonMinutes = 0
	for name, cfg := range map[string]train.Config{"eight inputs": {Inputs: features.ClassicInputs()}, "all inputs": {}} {
		o, err := newWay(t).Run(t.Context(), simulated(t, 1, 90), task, cfg, "test")
		if err != nil {
			t.Fatal(err)
		}
		if o.Trained.Metrics.F1 < 0.60 {
			t.Errorf("%s: F1 is %.3f, want at least 0.60", name, o.Trained.Metrics.F1)
		}
		for _, r := range o.Verdict.Rules {
			if strings.HasSuffix(r.Name, "_vs_persistence") && r.Result != gate.NotApplied {
				t.Errorf("%s: %s is %s", name, r.Name, r.Result)
			}
		}
		if name == "all inputs" && o.Verdict.Result != gate.Pass {
			t.Errorf("%s: the gate says %s: %s", name, o.Verdict.Result, o.Verdict.Conclusion)
		}
	}
}

func TestSecondTrainingMeetsTheChampion(t *testing.T) {
	t.Parallel()
	w, task := newWay(t), features.NetworkShortage()
	first, err := w.Run(t.Context(), simulated(t, 1, 80), task, train.Config{}, "test")
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.Run(t.Context(), simulated(t, 1, 90), task, train.Config{}, "test")
	if err != nil {
		t.Fatal(err)
	}
	if second.Verdict.Champion == nil || second.Verdict.Champion.Digest != first.Trained.Digest {
		t.Fatalf("the champion was not compared with: %+v", second.Verdict.Champion)
	}
	other := simulated(t, 1, 90)
	other.Network.ID = "elsewhere"
	elsewhere, err := w.Run(t.Context(), other, task, train.Config{}, "test")
	if err != nil {
		t.Fatal(err)
	}
	if elsewhere.Verdict.Champion != nil || !strings.Contains(elsewhere.Verdict.ChampionAbsent, "sim-city (simulated data)") {
		t.Errorf("a champion of another city was compared with: %q", elsewhere.Verdict.ChampionAbsent)
	}
	task.HorizonMinutes = 30
	third, err := w.Run(t.Context(), simulated(t, 1, 90), task, train.Config{}, "test")
	if err != nil {
		t.Fatal(err)
	}
	if third.Verdict.Champion != nil || !strings.Contains(third.Verdict.ChampionAbsent, "another question") {
		t.Errorf("a champion of another horizon was compared with: %q", third.Verdict.ChampionAbsent)
	}
}

func TestTooLittleData(t *testing.T) {
	t.Parallel()
	w := newWay(t)
	var tooLittle *train.TooLittleError
	if _, err := w.Train(t.Context(), &dataset.Dataset{}, features.NetworkShortage(), train.Config{}); !errors.As(err, &tooLittle) {
		t.Errorf("no data: %v", err)
	}
	dockless := &dataset.Dataset{Series: features.Series{Points: []observation.Totals{{At: until}}}}
	if _, err := w.Train(t.Context(), dockless, features.NetworkShortage(), train.Config{}); err == nil || !strings.Contains(err.Error(), "without docks") {
		t.Errorf("a network without docks: %v", err)
	}
	if _, err := w.Gate(t.Context(), "network-shortage", "", nil); err == nil || !strings.Contains(err.Error(), "livelab train") {
		t.Errorf("gate without a version: %v", err)
	}
}

func TestGateWantsTheDatasetOfTheVersion(t *testing.T) {
	t.Parallel()
	w := newWay(t)
	trained, err := w.Train(t.Context(), simulated(t, 1, 40), features.NetworkShortage(), train.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Gate(t.Context(), trained.Model, "", simulated(t, 2, 40)); err == nil || !strings.Contains(err.Error(), "it was trained on the dataset") {
		t.Errorf("another dataset was judged on: %v", err)
	}
	one, err := w.Gate(t.Context(), trained.Model, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	other, err := w.Gate(t.Context(), trained.Model, trained.Version, simulated(t, 1, 40))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := one.JSON()
	b, _ := other.JSON()
	if string(a) != string(b) {
		t.Error("the frozen dataset and the one in memory give two verdicts")
	}
	v, err := w.Registry.Read(t.Context(), trained.Model, trained.Version)
	if err != nil {
		t.Fatal(err)
	}
	if string(v.Files[model.GateFile]) != string(a) {
		t.Error("the verdict is not kept with the version")
	}
}

// swing is a transform: how far the ratio moved in an hour.
var swing = featurestest.New("swing", []string{"free_ratio", "free_ratio_lag_60m"}, []string{"hour"}, func(in, out []float64) error {
	out[0] = in[0] - in[1]
	return nil
})

// TestVersionCarriesItsTransforms trains with a transform: its output is an
// input of the model, its digest is in the model's, and its code comes along.
func TestVersionCarriesItsTransforms(t *testing.T) {
	t.Parallel()
	w, plain := newWay(t), newWay(t)
	w.Transforms = []features.Transform{swing}
	d, task := simulated(t, 1, 40), features.NetworkShortage()
	trained, err := w.Train(t.Context(), d, task, train.Config{})
	if err != nil {
		t.Fatal(err)
	}
	without, err := plain.Train(t.Context(), d, task, train.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if trained.Digest == without.Digest {
		t.Error("the transform does not change the digest")
	}
	v, err := w.Registry.Read(t.Context(), trained.Model, trained.Version)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(v.Files[model.TransformFile(swing.Pin.Digest)]); got != "code of swing" {
		t.Errorf("the version carries %q", got)
	}
	m, err := model.Decode(v.Files[model.ModelFile])
	if err != nil {
		t.Fatal(err)
	}
	p, err := model.NewPredictor(m, w.Transforms)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(p.Columns(), "free_ratio_lag_60m") || m.Inputs[len(m.Inputs)-1].Name != "swing.hour" {
		t.Errorf("the model reads %v of the columns %v", m.Inputs, p.Columns())
	}
	if _, err := w.Gate(t.Context(), trained.Model, "", nil); err == nil || !strings.Contains(err.Error(), "nothing here opens transforms") {
		t.Errorf("judged without its transforms: %v", err)
	}
}

// TestStationsMustBeThere holds that a dataset of a network alone says how to
// get one with stations.
func TestStationsMustBeThere(t *testing.T) {
	t.Parallel()
	d := simulated(t, 1, 2)
	d.Stations = nil
	_, err := newWay(t).Train(t.Context(), d, features.StationShortage(0), train.Config{})
	if err == nil || !strings.Contains(err.Error(), "holds no stations") || !strings.Contains(err.Error(), "livelab dataset") {
		t.Errorf("got %v, want how to freeze stations", err)
	}
}
