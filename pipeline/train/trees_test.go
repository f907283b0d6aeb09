package train

import (
	"encoding/json"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/train/boost"
	"livelab/pipeline/train/traintest"
)

// stationsFrame is a made-up city of stations whose bikes follow the hour, each
// in a way of its own. Some rows have no label and some values are missing.
func stationsFrame(stations, times int, seed uint64) Whole {
	task := features.StationShortage(0)
	ahead := task.HorizonMinutes / task.StepMinutes
	g := traintest.Random(seed)
	names := append(features.ClassicInputs(), "hour_sin", "lag", climatologyColumn)
	var f features.Frame
	columns := make([][]float64, len(names))
	bikes := make([][]float64, stations)
	for s := range bikes {
		walk := 0.0
		for i := range times + ahead {
			walk = float64(0.9*walk) + float64(0.4*g.Centred())
			day := detmath.Sin(float64(float64(i)/72*2*math.Pi) + float64(s))
			bikes[s] = append(bikes[s], max(0, math.Round(float64(2.5*day)+1+float64(3*walk))))
		}
	}
	for i := range times {
		for s := range stations {
			now, then := bikes[s][i], bikes[s][i+ahead]
			f.At = append(f.At, start.Add(time.Duration(i*task.StepMinutes)*time.Minute))
			f.Entity = append(f.Entity, int32(s))
			f.ShortNow = append(f.ShortNow, labelOf(now <= 0))
			label := labelOf(then <= 0)
			if g.Unit() < 0.05 {
				label = features.Unlabelled
			}
			f.Short = append(f.Short, label)
			lag, climate := math.NaN(), math.NaN()
			if i > 0 {
				lag = bikes[s][i-1]
			}
			if i > 100 && i%9 > 0 {
				climate = 0.3
			}
			day := detmath.Sin(float64(float64(i) / 72 * 2 * math.Pi))
			for j, v := range []float64{1, now, 10 - now, 10, now / 10, 10 + g.Centred(), 0, 5, day, lag, climate} {
				columns[j] = append(columns[j], v)
			}
		}
	}
	frame := features.NewFrame(task, f.At, f.Short, f.ShortNow, names, columns)
	frame.Entity = f.Entity
	return Whole{Frame: frame, Stations: make([]string, stations)}
}

func labelOf(short bool) features.Label {
	if short {
		return features.Short
	}
	return features.NotShort
}

// stationInputs leaves nothing out that stationsFrame has.
var stationInputs = append(features.ClassicInputs(), "hour_sin", "lag", climatologyColumn)

func stationsConfig() Config {
	return Config{Inputs: stationInputs, Folds: 2, Dataset: "abc", Boost: &Boost{Trees: 60, LearningRate: 0.1, MinRows: 20, Columns: 0.7}}
}

func mustRunRows(t *testing.T, rows Rows, cfg Config) *Result {
	t.Helper()
	r, err := Run(t.Context(), rows, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTreesLearnStations(t *testing.T) {
	t.Parallel()
	r := mustRunRows(t, stationsFrame(12, 1500, 1), stationsConfig())
	m, rep := r.Model, r.Report
	if m.Family != model.FamilyTrees || len(m.Trees.Trees) == 0 || m.Name != "station-shortage" || len(m.Inputs) != len(stationInputs) {
		t.Fatalf("the model is of the family %q with %d inputs", m.Family, len(m.Inputs))
	}
	if !(rep.Brier < rep.Baselines.Persistence.Brier) || !(rep.PRAUC > rep.Baselines.Climatology.PRAUC) || !(rep.Onset.PRAUC > rep.OnsetBaselines.Climatology.PRAUC) {
		t.Errorf("the model learned nothing: %+v beside %+v", rep.Scores, rep.Baselines)
	}
	if rep.ECE > 0.05 {
		t.Errorf("calibration error is %v", rep.ECE)
	}
	if len(r.Test.Entity) != r.Test.Len() || slices.Max(r.Test.Entity) != 11 {
		t.Errorf("the test rows are of %d stations' rows", len(r.Test.Entity))
	}
	if m.Defaults != nil {
		t.Errorf("a task without a threshold has the defaults %v", m.Defaults)
	}
	if rep.Classic.Samples != rep.Samples || !(rep.Classic.PRAUC > rep.Baselines.Climatology.PRAUC) {
		t.Errorf("with the eight inputs alone: %+v", rep.Classic)
	}
	var training map[string]any
	if err := json.Unmarshal(m.Training, &training); err != nil {
		t.Fatal(err)
	}
	if training["c"] != nil || training["boost"].(map[string]any)["trees"] != 60.0 {
		t.Errorf("the model records %s", m.Training)
	}
	for i, fold := range rep.Folds {
		if fold.Skipped != "" || !(fold.Scores.Brier < fold.Persistence.Brier) {
			t.Errorf("fold %d is %+v", i+1, fold)
		}
	}
}

// TestTreesSameBits trains with other numbers of cores and in other blocks. It
// does not run in parallel to others: GOMAXPROCS is the process's.
func TestTreesSameBits(t *testing.T) {
	rows := stationsFrame(9, 900, 3)
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	var first string
	for _, way := range []struct{ cores, block int }{{1, 0}, {2, 1}, {8, 1000}} {
		runtime.GOMAXPROCS(way.cores)
		rows.BlockRows = way.block
		cfg := stationsConfig()
		cfg.Workers = way.cores
		r := mustRunRows(t, rows, cfg)
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
			t.Errorf("%d cores and blocks of %d rows gave another model or report", way.cores, way.block)
		}
	}
}

// TestCodesAreAsGoodAsValues holds that what training sees of a model, by
// codes, is to the bit what serving sees, by values.
func TestCodesAreAsGoodAsValues(t *testing.T) {
	t.Parallel()
	rows := stationsFrame(7, 800, 5)
	cfg := stationsConfig().withDefaults(rows.Task())
	l := newTrees(cfg)
	table, err := collect(t.Context(), rows, l)
	if err != nil {
		t.Fatal(err)
	}
	p := split(table, cfg)
	if err := l.prepare(t.Context(), rows, table, p.train); err != nil {
		t.Fatal(err)
	}
	learned, err := learn(t.Context(), l, table, p.train, p.validation, false)
	if err != nil {
		t.Fatal(err)
	}
	calibrateModel(learned.model, model.Calibration{Slope: 1.25, Offset: -0.1})
	all := span{0, table.len()}
	byCodes, byValues := l.logOdds(learned.model, all), []float64(nil)
	err = walk(t.Context(), rows, time.Time{}, time.Time{}, func(f *features.Frame, labelled []int) error {
		byValues, err = appendLogOdds(byValues, learned.model, f, labelled)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(byCodes, byValues) {
		t.Error("codes and values give other log odds")
	}
}

// TestTreesAreFittedAgain holds that what serves has learned from the validation
// part too, with as many trees as were chosen without it, and never from the
// test part.
func TestTreesAreFittedAgain(t *testing.T) {
	t.Parallel()
	rows := stationsFrame(6, 700, 6)
	first := mustRunRows(t, rows, stationsConfig())
	seen := first.Model.Trees.Trees[0].Rows[0]
	p := first.Report
	if seen <= p.Train.Samples+p.Validation.Samples-1 || seen >= p.Train.Samples+p.Validation.Samples+p.Test.Samples {
		t.Errorf("%d rows came by the first tree; there are %d to train and %d to validate", seen, p.Train.Samples, p.Validation.Samples)
	}
	from, _, err := p.Test.Window()
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range rows.Frame.At {
		if rows.Frame.Short[i] != features.Unlabelled && !at.Before(from) && i%3 == 0 {
			rows.Frame.Short[i] = features.Short + features.NotShort - rows.Frame.Short[i]
		}
	}
	second := mustRunRows(t, rows, stationsConfig())
	a, b := first.Model, second.Model
	if !reflect.DeepEqual(a.Trees.Trees, b.Trees.Trees) || a.Intercept != b.Intercept || a.Threshold != b.Threshold {
		t.Error("the outcomes of the test part have changed the model")
	}
	if first.Report.Brier == second.Report.Brier {
		t.Error("the outcomes of the test part have changed nothing")
	}
}

// TestTreesCalibrateWhereItHelps has log odds that are right, and such as are
// twice too sure of themselves.
func TestTreesCalibrateWhereItHelps(t *testing.T) {
	t.Parallel()
	g := traintest.Random(11)
	const n = 20_000
	right, sure, y := make([]float64, n), make([]float64, n), make([]bool, n)
	for i := range y {
		right[i] = 2 * g.Centred()
		sure[i] = 2 * right[i]
		y[i] = g.Unit() < detmath.Sigmoid(right[i])
	}
	l := &trees{}
	if c := l.calibration(right, y); math.Abs(c.Slope-1) > 0.03 || math.Abs(c.Offset) > 0.03 {
		t.Errorf("what was right was changed: %+v", c)
	}
	near(t, "slope", l.calibration(sure, y).Slope, 0.5, 0.03)

	// What held in the first half alone is not carried on.
	for i := range n / 2 {
		right[i] *= 2
	}
	if c := l.calibration(right, y); c != identity {
		t.Errorf("what has changed since was carried on: %+v", c)
	}
}

// TestTreesTestSample asks the gate's way for the test part: the rows and their
// forecasts are the training's own.
func TestTreesTestSample(t *testing.T) {
	t.Parallel()
	rows := stationsFrame(6, 700, 2)
	r := mustRunRows(t, rows, stationsConfig())
	from, to, err := r.Report.Test.Window()
	if err != nil {
		t.Fatal(err)
	}
	rows.BlockRows = 50
	s, err := TestSample(t.Context(), r.Model, rows, from, to)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s, r.Test) {
		t.Error("the sample is not the one that the report measured")
	}
}

// TestEdgesAreOfTheTrainingPart changes what lies after the training part: the
// edges stay.
func TestEdgesAreOfTheTrainingPart(t *testing.T) {
	t.Parallel()
	edges := func(rows Whole) [][]float64 {
		cfg := stationsConfig().withDefaults(rows.Task())
		l := newTrees(cfg)
		table, err := collect(t.Context(), rows, l)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.prepare(t.Context(), rows, table, split(table, cfg).train); err != nil {
			t.Fatal(err)
		}
		return l.matrix.Edges
	}
	rows := stationsFrame(5, 600, 4)
	before := edges(rows)
	temperature := rows.Frame.Column("temp_2m")
	for i := len(temperature) * 3 / 5; i < len(temperature); i++ {
		temperature[i] += 50
	}
	if !reflect.DeepEqual(edges(rows), before) {
		t.Error("what came later moved the edges")
	}
	temperature[7] += 50
	if reflect.DeepEqual(edges(rows), before) {
		t.Error("what came before did not")
	}
}

func TestTreesRefuse(t *testing.T) {
	t.Parallel()
	infinite := stationsFrame(5, 300, 4)
	infinite.Frame.Column("lag")[1400] = math.Inf(1)
	tests := []struct {
		name  string
		rows  Rows
		cfg   Config
		words string
	}{
		{"too little", stationsFrame(1, 18, 1), stationsConfig(), "too little data"},
		{"no such column", stationsFrame(5, 300, 1), Config{Inputs: []string{"y"}}, `no column "y"`},
		{"infinite", infinite, stationsConfig(), `column "lag": row`},
		{"rate", stationsFrame(5, 300, 1), Config{Inputs: stationInputs, Boost: &Boost{LearningRate: 2}}, "the learning rate is 2"},
		{"family", stationsFrame(5, 300, 1), Config{Family: "forest"}, `unknown family "forest"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Run(t.Context(), tt.rows, tt.cfg); err == nil || !strings.Contains(err.Error(), tt.words) {
				t.Fatalf("got %v, want an error with %q", err, tt.words)
			}
		})
	}
}

// TestFamilyIsChosen holds the default of each task, and that either can be
// asked for the other.
func TestFamilyIsChosen(t *testing.T) {
	t.Parallel()
	city, stations := Whole{Frame: cityFrame(2000, 60, 1)}, stationsFrame(5, 400, 1)
	for _, tt := range []struct {
		rows   Whole
		inputs []string
		family Family
		want   model.Family
	}{
		{city, cityInputs, FamilyAuto, model.FamilyLogistic},
		{city, cityInputs, FamilyTrees, model.FamilyTrees},
		{stations, stationInputs, FamilyAuto, model.FamilyTrees},
		{stations, stationInputs, FamilyLogistic, model.FamilyLogistic},
	} {
		r := mustRunRows(t, tt.rows, Config{Inputs: tt.inputs, Family: tt.family, Folds: 1})
		if r.Model.Family != tt.want {
			t.Errorf("%s %q: got %q, want %q", tt.rows.Task().Name, tt.family, r.Model.Family, tt.want)
		}
	}
}

func TestSamplerIsOfTheRowsAlone(t *testing.T) {
	t.Parallel()
	const n, most = 20_000, 1000
	column, rows := make([]float64, n), make([]int, n)
	for i := range column {
		column[i], rows[i] = float64(i), i
	}
	whole, parts := newSampler(1, most), newSampler(1, most)
	whole.add([][]float64{column}, rows)
	for lo := 0; lo < n; lo += 37 {
		parts.add([][]float64{column}, rows[lo:min(lo+37, n)])
	}
	if !reflect.DeepEqual(whole, parts) {
		t.Error("other blocks give another sample")
	}
	kept := whole.before(n, 0)
	if len(kept) > most || len(kept) < most/3 || !slices.IsSorted(kept) {
		t.Errorf("%d rows are kept", len(kept))
	}
	if half := len(whole.before(n/2, 0)); math.Abs(float64(half)/float64(len(kept))-0.5) > 0.1 {
		t.Errorf("%d of %d are in the first half", half, len(kept))
	}
	few := newSampler(1, most)
	few.add([][]float64{column}, rows[:most])
	if got := few.before(most, 0); !slices.Equal(got, column[:most]) {
		t.Error("of few rows not all are kept")
	}
	if len(boost.NewEdges(kept, boost.MostEdges)) != boost.MostEdges {
		t.Error("the sample does not fill the bins")
	}
}

func TestCalibratedTrees(t *testing.T) {
	t.Parallel()
	m := &model.Model{Family: model.FamilyTrees, Intercept: 0.5, Inputs: []model.Input{{Name: "x", Scale: 1}}, Trees: &model.Trees{
		Edges: [][]float64{{0}},
		Trees: []model.Tree{{
			Input: []int{0, model.Leaf, model.Leaf}, Edge: []int{0, 0, 0}, MissingLeft: []int{0, 0, 0},
			Left: []int{1, 0, 0}, Right: []int{2, 0, 0}, Value: []float64{0, -1, 2}, Rows: []int{2, 1, 1},
		}},
	}}
	calibrateModel(m, model.Calibration{Slope: 3, Offset: 0.25})
	if low, high := m.LogOdds([]float64{-1}), m.LogOdds([]float64{1}); low != 3*-0.5+0.25 || high != 3*2.5+0.25 {
		t.Errorf("the log odds are %v and %v", low, high)
	}
}

// TestQuickRowsKeepTimesTogether has three rows a time, and 72 times a day.
func TestQuickRowsKeepTimesTogether(t *testing.T) {
	t.Parallel()
	const times, ofDay = 24 * quickRows / 3, 72
	rows := newTable(features.StationShortage(0))
	for i := range 3 * times {
		rows.at = append(rows.at, int64(i/3))
	}
	s := span{300, 3 * times}
	taken := (&trees{}).numbers(rows, s, true)
	if n := len(taken); n%3 != 0 || n < quickRows*9/10 || n > quickRows*11/10 {
		t.Fatalf("%d rows, want about %d", n, quickRows)
	}
	var seen [ofDay]bool
	for i := 0; i < len(taken); i += 3 {
		if taken[i]%3 != 0 || taken[i+2] != taken[i]+2 || i > 0 && taken[i] <= taken[i-1] {
			t.Fatalf("rows %d to %d after %d", taken[i], taken[i+2], taken[max(i-1, 0)])
		}
		seen[rows.at[taken[i]]%ofDay] = true
	}
	if slices.Contains(seen[:], false) {
		t.Errorf("some times of the day are never taken: %v", seen)
	}
	if all := (&trees{}).numbers(rows, s, false); len(all) != s.len() || all[0] != 300 {
		t.Errorf("%d rows from %d", len(all), all[0])
	}
}
