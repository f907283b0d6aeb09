package train

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
)

var cityInputs = append(features.ClassicInputs(), "hour_sin", "climatology")

func mustRun(t *testing.T, f *features.Frame, cfg Config) *Result {
	t.Helper()
	r, err := Run(t.Context(), Whole{Frame: f}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunLearnsACity(t *testing.T) {
	t.Parallel()
	f := cityFrame(8000, 60, 1)
	var stages []string
	r := mustRun(t, f, Config{Inputs: cityInputs, Dataset: "abc", Progress: func(p Progress) { stages = append(stages, p.Stage) }})
	m, rep := r.Model, r.Report

	if m.Dataset != "abc" || m.Name != "network-shortage" || len(m.Inputs) != len(cityInputs) {
		t.Errorf("the model is %+v", m)
	}
	for _, in := range m.Inputs {
		if in.Optional == features.Classic(in.Name) {
			t.Errorf("input %s: optional is %v", in.Name, in.Optional)
		}
	}
	if constant := m.Inputs[3]; constant.Name != "total_slots" || constant.Weight != 0 || constant.Scale != 1 || constant.Mean != 1000 {
		t.Errorf("the constant input is %+v", constant)
	}
	if !(rep.Brier < rep.Baselines.Persistence.Brier) || !(rep.PRAUC > rep.Baselines.Climatology.PRAUC) || !(rep.F1 > rep.Baselines.Climatology.F1) {
		t.Errorf("the model learned nothing: %+v beside %+v", rep.Scores, rep.Baselines)
	}
	if rep.ECE > 0.05 {
		t.Errorf("calibration error is %v", rep.ECE)
	}
	if rep.Onset.Samples == 0 || rep.Onset.Samples >= rep.Samples || rep.OnsetBaselines.Persistence.Recall != 0 {
		t.Errorf("the onset is %+v", rep.Onset)
	}
	if len(rep.Folds) != 5 {
		t.Fatalf("%d folds, want 5", len(rep.Folds))
	}
	for i, fold := range rep.Folds {
		if fold.Skipped != "" || fold.Samples == 0 || i > 0 && fold.TrainSamples <= rep.Folds[i-1].TrainSamples {
			t.Errorf("fold %d is %+v", i+1, fold)
		}
		if b := fold.Intervals.Model.Brier; !(b.Low < fold.Scores.Brier) || !(fold.Scores.Brier < b.High) || fold.Intervals.Persistence.F1 == fold.Intervals.Model.F1 {
			t.Errorf("fold %d has a Brier score of %v and the intervals %+v", i+1, fold.Scores.Brier, fold.Intervals)
		}
	}
	if len(stages) == 0 || stages[0] != "fit" || stages[len(stages)-1] != "backtest" {
		t.Errorf("progress went through %v", stages)
	}
}

func TestRunClassicSpecialCase(t *testing.T) {
	t.Parallel()
	r := mustRun(t, cityFrame(500, 0, 7), Config{Inputs: features.ClassicInputs()})
	if r.Report.F1 < 0.60 {
		t.Errorf("F1 is %v, want at least 0.60", r.Report.F1)
	}
}

// TestRunSameBits runs on different numbers of cores. It does not run in
// parallel to others: GOMAXPROCS is the process's.
func TestRunSameBits(t *testing.T) {
	f := cityFrame(16000, 60, 3)
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	var first string
	for _, cores := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(cores)
		r := mustRun(t, f, Config{Inputs: cityInputs, Folds: 2, Workers: cores})
		b, err := model.Encode(r.Model)
		if err != nil {
			t.Fatal(err)
		}
		report, err := json.Marshal(r.Report)
		if err != nil {
			t.Fatal(err)
		}
		if both := string(b) + string(report); first == "" {
			first = both
		} else if both != first {
			t.Errorf("%d cores gave another model or report", cores)
		}
	}
}

// TestRunGolden holds the numbers of a whole training, summed up: it fails
// where an architecture or a compiler rounds differently.
func TestRunGolden(t *testing.T) {
	t.Parallel()
	r := mustRun(t, cityFrame(6000, 60, 5), Config{Inputs: cityInputs, Folds: 2})
	m := r.Model
	b, err := json.Marshal([]any{m.Inputs, m.Intercept, m.Threshold, m.Calibration, r.Report})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	const want = "ba9780ac1727a2cd"
	if got := hex.EncodeToString(sum[:8]); got != want {
		t.Errorf("the numbers sum up to %s, want %s", got, want)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	ramp := make([]float64, 400)
	for i := range ramp {
		ramp[i] = float64(i)
	}
	early := alternating(400, 3)
	for i := 300; i < 400; i++ {
		early[i] = features.NotShort
	}
	unlabelled := make([]features.Label, 400)
	copy(unlabelled, alternating(19, 2))
	infinite := append([]float64(nil), ramp...)
	infinite[17] = math.Inf(1)
	tests := []struct {
		name  string
		f     *features.Frame
		cfg   Config
		want  any // a pointer to the error's type, or nil
		words string
	}{
		{"too little", plainFrame(ramp, unlabelled), Config{}, new(*TooLittleError), "19 of 400 rows are labelled"},
		{"one class in test", plainFrame(ramp, early), Config{}, new(*OneClassError), "insufficient_data: 0 of the 80 rows of the test part"},
		{"one class", plainFrame(ramp, alternating(400, 1)), Config{}, new(*OneClassError), "of the train part are short"},
		{"no such column", plainFrame(ramp, alternating(400, 3)), Config{Inputs: []string{"y"}}, nil, `no column "y"`},
		{"infinite", plainFrame(infinite, alternating(400, 3)), Config{}, nil, `column "x": row 17 is +Inf`},
		{"bad C", plainFrame(ramp, alternating(400, 3)), Config{C: -1}, nil, "C is -1"},
		{"bad shares", plainFrame(ramp, alternating(400, 3)), Config{Train: 0.9, Validation: 0.2, Test: 0.2}, nil, "add up to 1.3"},
		{"twice", plainFrame(ramp, alternating(400, 3)), Config{Inputs: []string{"x", "x"}}, nil, `"x" is empty or there twice`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.cfg.Inputs == nil {
				tt.cfg.Inputs = []string{"x"}
			}
			_, err := Run(t.Context(), Whole{Frame: tt.f}, tt.cfg)
			if err == nil || !strings.Contains(err.Error(), tt.words) {
				t.Fatalf("got %v, want an error with %q", err, tt.words)
			}
			if tt.want != nil && !errors.As(err, tt.want) {
				t.Errorf("got a %T, want a %v", err, reflect.TypeOf(tt.want).Elem())
			}
		})
	}
}

func TestRunStopsWhenCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := Run(ctx, Whole{Frame: cityFrame(2000, 60, 1)}, Config{Inputs: cityInputs, Progress: func(p Progress) {
		if p.Done == 1 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

// TestRunKeepsTheNewestThreshold has a threshold that rises with each row. Who
// asks the model asks from the end of the data on, also where the last rows
// have no label yet, or no threshold.
func TestRunKeepsTheNewestThreshold(t *testing.T) {
	t.Parallel()
	const rows = 400
	x, q, short := make([]float64, rows), make([]float64, rows), alternating(rows, 3)
	for i := range rows {
		x[i], q[i] = float64(i*i%101), 0.2+float64(i)/4096
	}
	short[rows-1], short[rows-2] = features.Unlabelled, features.Unlabelled
	q[rows-1] = math.NaN()
	plain := plainFrame(x, short)
	f := features.NewFrame(plain.Task, plain.At, plain.Short, plain.ShortNow, []string{"x", features.Threshold}, [][]float64{x, q})
	r := mustRun(t, f, Config{Inputs: []string{"x"}, Folds: 1})
	if want := map[string]float64{features.Threshold: q[rows-2]}; !reflect.DeepEqual(r.Model.Defaults, want) {
		t.Errorf("the model has the defaults %v, want %v", r.Model.Defaults, want)
	}
	none := mustRun(t, plain, Config{Inputs: []string{"x"}, Folds: 1})
	if none.Model.Defaults != nil {
		t.Errorf("a frame without thresholds gives the defaults %v", none.Model.Defaults)
	}
}

func TestTestSampleIsTheReportsTestPart(t *testing.T) {
	t.Parallel()
	f := cityFrame(3000, 60, 2)
	r := mustRun(t, f, Config{Inputs: cityInputs, Folds: 1})
	from, to := parse(t, r.Report.Test.From), parse(t, r.Report.Test.To)
	s, err := TestSample(t.Context(), r.Model, Whole{Frame: f}, from, to)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s, r.Test) {
		t.Error("the sample is not the one that the report measured")
	}
	if got := s.Scores(r.Model.Threshold); got != r.Report.Scores {
		t.Errorf("the scores are %+v, the report has %+v", got, r.Report.Scores)
	}
	if got := s.Baselines(float64(r.Report.Baselines.Climatology.Threshold)); got != r.Report.Baselines {
		t.Errorf("the baselines are %+v, the report has %+v", got, r.Report.Baselines)
	}
}

func TestClimatologyFallsBackToThePast(t *testing.T) {
	t.Parallel()
	f := plainFrame(make([]float64, 100), alternating(100, 4))
	m := &model.Model{Inputs: []model.Input{{Name: "x", Scale: 1}}}
	for _, tt := range []struct {
		from int
		want float64
	}{
		{50, 11.0 / 43}, // 75 minutes before row 50 is after row 42, the last that counts
		{7, 0.5},        // nothing is known yet
	} {
		s, err := TestSample(t.Context(), m, Whole{Frame: f}, f.At[tt.from], f.At[99])
		if err != nil {
			t.Fatal(err)
		}
		if s.Len() != 100-tt.from || s.Climatology[0] != tt.want || s.Climatology[s.Len()-1] != tt.want {
			t.Errorf("from row %d: %d rows with %v, want %v", tt.from, s.Len(), s.Climatology[0], tt.want)
		}
	}
}

// TestClimatologyOfOneTimeForAll has a climatology for some of the rows: what
// stands in for the others is the rate that was known at the first of them.
func TestClimatologyOfOneTimeForAll(t *testing.T) {
	t.Parallel()
	climate := make([]float64, 100)
	for i := range climate {
		climate[i] = math.NaN()
	}
	climate[50], climate[51], climate[52] = 0.3, 1.25, -0.25
	plain := plainFrame(make([]float64, 100), alternating(100, 4))
	f := features.NewFrame(plain.Task, plain.At, plain.Short, plain.ShortNow,
		[]string{"x", climatologyColumn}, [][]float64{plain.Column("x"), climate})
	m := &model.Model{Inputs: []model.Input{{Name: "x", Scale: 1}}}
	s, err := TestSample(t.Context(), m, Whole{Frame: f}, f.At[50], f.At[60])
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Climatology[:4], []float64{0.3, 1, 0, 11.0 / 43}; !slices.Equal(got, want) || s.Climatology[10] != want[3] {
		t.Errorf("climatology forecasts %v, want %v and so on", s.Climatology, want)
	}
}

func TestBacktestSaysWhyAFoldIsSkipped(t *testing.T) {
	t.Parallel()
	x := make([]float64, 600)
	short := alternating(600, 3)
	for i := range x {
		x[i] = float64(i * i % 101)
	}
	for i := range 150 {
		short[i] = features.NotShort
	}
	r := mustRun(t, plainFrame(x, short), Config{Inputs: []string{"x"}})
	folds := r.Report.Folds
	if !strings.Contains(folds[0].Skipped, "train part") || !math.IsNaN(float64(folds[0].Scores.F1)) || folds[0].Intervals != nil {
		t.Errorf("the first fold is %+v", folds[0])
	}
	if folds[4].Skipped != "" || math.IsNaN(float64(folds[4].Scores.Brier)) || folds[4].Intervals == nil {
		t.Errorf("the last fold is %+v", folds[4])
	}
	b, err := json.Marshal(r.Report)
	if err != nil {
		t.Fatal(err)
	}
	var back metrics.Report
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
}

func TestConfigRecordsWhatDecides(t *testing.T) {
	t.Parallel()
	f := cityFrame(1000, 0, 7)
	a := mustRun(t, f, Config{Inputs: cityInputs, Workers: 1, Folds: 1}).Model.Training
	b := mustRun(t, f, Config{Inputs: cityInputs, Workers: 3, Folds: 1, C: 1}).Model.Training
	c := mustRun(t, f, Config{Inputs: cityInputs, Folds: 1, C: 2}).Model.Training
	if string(a) != string(b) {
		t.Errorf("the number of workers is recorded: %s and %s", a, b)
	}
	if string(a) == string(c) {
		t.Errorf("C is not recorded: %s", c)
	}
}

func parse(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
