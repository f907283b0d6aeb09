package plugins_test

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"livelab/plugins"
	"livelab/plugins/plugintest"
	"livelab/plugins/toolchain"
	"livelab/runtime/wasm"
)

// shipped are the transforms that come with LiveLab.
var shipped = []struct {
	name     string
	language toolchain.Language
	oracle   func(in, out []float64)

	// tolerance is how far an output may be from the oracle's, relative for
	// what is above 1. Those that are not named come of + - * / and comparing
	// alone: they must have the same bits.
	tolerance map[string]float64
}{
	{"calendar", toolchain.Go, calendarOracle, map[string]float64{
		"morning_rush": 1e-12, "evening_rush": 1e-12, "weekend_afternoon": 1e-12,
		"workday_sin_1": 1e-12, "workday_cos_1": 1e-12, "workday_sin_2": 1e-12, "workday_cos_2": 1e-12,
		"workday_sin_3": 1e-12, "workday_cos_3": 1e-12, "weekend_sin_1": 1e-12, "weekend_cos_1": 1e-12,
		"weekend_sin_2": 1e-12, "weekend_cos_2": 1e-12, "week_sin": 1e-12, "week_cos": 1e-12,
	}},
	{"comfort", toolchain.C, comfortOracle, map[string]float64{
		"felt_temperature": 1e-13, "comfort": 1e-13, "felt_change": 1e-13,
	}},
	{"momentum", toolchain.AssemblyScript, momentumOracle, nil},
	{"pressure", toolchain.Rust, pressureOracle, map[string]float64{"log_odds": 1e-14}},
}

// admitShipped builds a shipped transform and has a host admit it, once for all
// tests.
func admitShipped(t testing.TB, name string, language toolchain.Language) *wasm.Transform {
	t.Helper()
	if language != toolchain.AssemblyScript || !installed("momentum/node_modules/.bin/asc") {
		toolchain.Need(t, language)
	}
	transform, err := admitted[name]()
	if err != nil {
		t.Fatal(err)
	}
	return transform
}

var admitted = map[string]func() (*wasm.Transform, error){}

// folder holds what the tests build; host fails where a row does.
var (
	folder string
	host   *wasm.Host
)

func TestMain(m *testing.M) {
	wasm.CompileIfChild()
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	var err error
	if folder, err = os.MkdirTemp("", "livelab-plugins-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	cfg := wasm.Config{CacheFolder: filepath.Join(folder, "cache"), OnRowError: wasm.Fail}
	if host, err = wasm.New(context.Background(), cfg); err != nil {
		panic(err)
	}
	defer host.Close()
	for _, s := range shipped {
		admitted[s.name] = sync.OnceValues(func() (*wasm.Transform, error) { return admit(s.name) })
	}
	return m.Run()
}

func admit(name string) (*wasm.Transform, error) {
	path := filepath.Join(folder, name+".wasm")
	if _, err := toolchain.Build(context.Background(), name, path); err != nil {
		return nil, err
	}
	code, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return host.Admit(context.Background(), code, nil)
}

func installed(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestShipped(t *testing.T) {
	t.Parallel()
	for _, tt := range shipped {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			transform := admitShipped(t, tt.name, tt.language)
			in := shippedRows(transform.Spec().Inputs)
			out := table(len(transform.Spec().Outputs), len(in[0]))
			if err := transform.Apply(in, out); err != nil {
				t.Fatal(err)
			}
			x, want := make([]float64, len(in)), make([]float64, len(out))
			wrong := 0
			for r := range in[0] {
				for c := range in {
					x[c] = in[c][r]
				}
				tt.oracle(x, want)
				for c, name := range transform.Spec().Outputs {
					if got := out[c][r]; !near(got, want[c], tt.tolerance[name]) {
						t.Errorf("row %d, %v: %s is %v, want %v", r, x, name, got, want[c])
						wrong++
					}
				}
				if wrong > 10 {
					t.Fatal("and so on")
				}
			}
		})
	}
}

// near takes two missing values for the same.
func near(got, want, tolerance float64) bool {
	if math.IsNaN(got) || math.IsNaN(want) {
		return math.IsNaN(got) && math.IsNaN(want)
	}
	return got == want || math.Abs(got-want) <= tolerance*max(1, math.Abs(want))
}

// shippedRows are rows that can be true, the same with holes, and rows of what
// cannot be true: none of them may fail.
func shippedRows(inputs []string) [][]float64 {
	const plain, holes, wild = 4000, 4000, 4000
	r := rand.New(rand.NewPCG(7, 7))
	in := table(len(inputs), plain+holes+wild)
	for c, name := range inputs {
		for i := range in[c] {
			switch {
			case i < plain:
				in[c][i] = plausible(r, name)
			case i < plain+holes && r.IntN(4) > 0:
				in[c][i] = plausible(r, name)
			case i < plain+holes:
				in[c][i] = math.NaN()
			default:
				in[c][i] = outlandish[r.IntN(len(outlandish))]
			}
		}
	}
	return in
}

// outlandish holds what no column should, and the edges of what they may.
var outlandish = []float64{
	math.NaN(), 0, math.Copysign(0, -1), 1, -1, 0.5, 2, 10, 4.8, 4.800000000000001, 50, 118, 180, -180, 181, 600, 601,
	1e-308, 5e-324, -5e-324, 1e-9, 1e9, 1.75e9, -1e9, 1 << 40, 1<<40 + 1, 1 << 53, 1e18, -1e18,
	1e308, -1e308, math.MaxFloat64, -math.MaxFloat64,
}

// plausible values have few digits, as those that are measured, so that limits
// are met.
func plausible(r *rand.Rand, name string) float64 {
	switch name {
	case "unix_time_ahead":
		return float64(1_500_000_000 + r.IntN(600_000_000))
	case "temp_2m":
		return float64(r.IntN(600)-200) / 10
	case "precipitation":
		return float64(max(0, r.IntN(1200)-600)) / 10
	case "wind_speed_10m":
		return float64(r.IntN(1300)) / 10
	case "longitude":
		return 360*r.Float64() - 180
	case "typical_change":
		return 2*r.Float64() - 1
	}
	return float64(r.IntN(1001)) / 1000
}

// table makes columns of rows.
func table(columns, rows int) [][]float64 {
	cs := make([][]float64, columns)
	for c := range cs {
		cs[c] = make([]float64, rows)
	}
	return cs
}

// TestShippedMissing holds which outputs go missing with an input, beginning
// from a row in which all is known.
func TestShippedMissing(t *testing.T) {
	t.Parallel()
	plain := map[string]float64{
		"unix_time_ahead": 1.75e9, "longitude": 10.75, "temp_2m": 5, "precipitation": 1, "wind_speed_10m": 20,
		"free_ratio": 0.4, "free_ratio_lag_30m": 0.45, "free_ratio_lag_60m": 0.5, "free_ratio_lag_120m": 0.55,
		"free_ratio_lag_180m": 0.6, "shortage_threshold": 0.3, "free_ratio_yesterday": 0.5,
		"free_ratio_yesterday_ahead": 0.4, "typical_change": -0.1,
	}
	for _, tt := range shipped {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			transform := admitShipped(t, tt.name, tt.language)
			spec := transform.Spec()
			for gone, name := range spec.Inputs {
				in, out := make([]float64, len(spec.Inputs)), make([]float64, len(spec.Outputs))
				for c, name := range spec.Inputs {
					in[c] = plain[name]
				}
				in[gone] = math.NaN()
				if err := transform.ApplyRow(in, out); err != nil {
					t.Fatal(err)
				}
				var missing []string
				for c, x := range out {
					if math.IsNaN(x) {
						missing = append(missing, spec.Outputs[c])
					}
				}
				want := missingWith[tt.name][name]
				if len(want) == 1 && want[0] == "all" {
					want = spec.Outputs
				}
				if !slices.Equal(missing, want) {
					t.Errorf("without %s there is no %v, want no %v", name, missing, want)
				}
			}
		})
	}
}

var missingWith = map[string]map[string][]string{
	"calendar": {
		"unix_time_ahead": {"all"},
		"longitude":       nil, // it is the time of Greenwich, then
	},
	"comfort": {
		"temp_2m":        {"felt_temperature", "comfort", "felt_change"},
		"precipitation":  {"rain_class", "comfort", "felt_change"},
		"wind_speed_10m": {"felt_temperature", "wind_class", "comfort", "felt_change"},
		"typical_change": {"felt_change"},
	},
	"momentum": {
		"free_ratio":                 {"all"},
		"free_ratio_lag_30m":         {"rate_30m", "acceleration_30m"},
		"free_ratio_lag_60m":         {"rate_60m", "acceleration_30m", "acceleration_60m"},
		"free_ratio_lag_120m":        {"acceleration_60m"},
		"free_ratio_lag_180m":        {"rate_180m"},
		"shortage_threshold":         {"approach", "projected_margin", "yesterday_margin"},
		"free_ratio_yesterday":       {"yesterday_margin"},
		"free_ratio_yesterday_ahead": {"yesterday_margin"},
	},
	"pressure": {
		"free_ratio":         {"all"},
		"free_ratio_lag_30m": nil,
		"free_ratio_lag_60m": nil, // the half hour stands in
		"shortage_threshold": {"thresholds", "expected_thresholds", "minutes_to_shortage"},
		"typical_change":     {"expected_thresholds"},
	},
}

// TestShippedDescriptions holds that what is shipped says what it gives and
// between which bounds.
func TestShippedDescriptions(t *testing.T) {
	t.Parallel()
	for _, tt := range shipped {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := plugintest.Open(t, admitShipped(t, tt.name, tt.language).Code()).Description()
			if d.Name != tt.name || d.Doc == "" {
				t.Errorf("its name is %q and its doc %q", d.Name, d.Doc)
			}
			for _, o := range d.Outputs {
				if o.Doc == "" || o.Min == nil || o.Max == nil {
					t.Errorf("%s lacks a doc or a bound: %+v", o.Name, o)
				}
			}
		})
	}
}

// TestShippedModules holds that what the program carries, if it was built to
// carry any, are transforms by the names of their files.
func TestShippedModules(t *testing.T) {
	t.Parallel()
	for _, m := range plugins.Shipped() {
		if d := plugintest.Open(t, m.Code).Description(); m.File != d.Name+".wasm" {
			t.Errorf("%s holds the transform %s", m.File, d.Name)
		}
	}
}
