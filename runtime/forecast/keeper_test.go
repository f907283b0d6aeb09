package forecast

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"livelab/pipeline/dataset"
	"livelab/pipeline/detmath"
	"livelab/pipeline/features"
	"livelab/pipeline/observation"
)

// TestForecastRanks answers for every station that has a row, and says of the
// others why not.
func TestForecastRanks(t *testing.T) {
	t.Parallel()
	store := newFake(5)
	store.bikes = []float64{3, 0, 3, math.Inf(1), 2}
	store.missing[4] = "it is out of service"
	f := setup(t, store, fewer(t, "v1", -1)).refresh(t)
	if f.Answered != 4 || len(f.Stations) != 5 || !f.AsOf.Equal(noon) || f.By.Version != "v1" {
		t.Fatalf("%+v", f)
	}
	for i, want := range []struct {
		rank    int
		logOdds float64
		short   bool
		imputed string
		missing string
		freeRow float64
	}{
		{rank: 3, logOdds: -1, imputed: "temp_2m", freeRow: 3},
		{rank: 1, logOdds: 2, short: true, imputed: "temp_2m", freeRow: 0},
		{rank: 4, logOdds: -1, imputed: "temp_2m", freeRow: 3},
		{rank: 2, logOdds: 0, short: true, imputed: "free_bikes temp_2m", freeRow: math.Inf(1)}, // infinite is as good as missing
		{missing: "it is out of service", freeRow: 2},
	} {
		s := &f.Stations[i]
		if s.Missing != want.missing || s.Rank != want.rank || s.Short != want.short || strings.Join(s.Imputed, " ") != want.imputed {
			t.Errorf("%s: %+v, want %+v", s.ID, s, want)
		}
		if want.missing == "" && s.Probability != detmath.Sigmoid(want.logOdds) {
			t.Errorf("%s: %v, want the log odds %v", s.ID, s.Probability, want.logOdds)
		}
		if at, found := f.Find(s.ID); at != i || !found || f.Row(i)["free_bikes"] != want.freeRow {
			t.Errorf("%s is found at %d with %v", s.ID, at, f.Row(i))
		}
	}
	if _, found := f.Find("s00005"); found {
		t.Error("a station is found that there is none of")
	}
}

// TestTooFar keeps a row that the model cannot weigh from the others.
func TestTooFar(t *testing.T) {
	t.Parallel()
	store := newFake(2)
	store.bikes[1] = math.MaxFloat64
	f := setup(t, store, fewer(t, "v1", -10)).refresh(t)
	if f.Answered != 1 || !strings.Contains(f.Stations[1].Missing, "too far") || f.Stations[1].Rank != 0 {
		t.Errorf("%+v", f.Stations)
	}
}

// TestMadeAnewForWhatIsNew reads the rows exactly when the snapshot, the weather
// or the model is another one.
func TestMadeAnewForWhatIsNew(t *testing.T) {
	t.Parallel()
	store := newFake(3)
	k := setup(t, store, nil)
	later := noon.Add(5 * time.Minute)
	for _, step := range []struct {
		what string
		do   func()
		read bool
		by   string
		asOf time.Time
	}{
		{"the first look", func() {}, true, "", noon},
		{"nothing", func() {}, false, "", noon},
		{"a model", func() { k.by.Store(fewer(t, "v1", -1)) }, true, "v1", noon},
		{"time alone", func() { k.wall.Store(int64(time.Hour)) }, false, "v1", noon},
		{"a snapshot", func() { store.asOf["oslo"] = later; k.data.Store(int64(later.Sub(noon))) }, true, "v1", later},
		{"weather", func() { store.weather = later }, true, "v1", later},
		{"another model", func() { k.by.Store(fewer(t, "v2", -1)) }, true, "v2", later},
		{"the model's end", func() { k.by.Store(nil) }, true, "", later},
	} {
		before := store.reads.Load()
		step.do()
		f := k.refresh(t)
		if read := store.reads.Load() > before; read != step.read {
			t.Errorf("%s: the rows are read: %v", step.what, read)
		}
		by := ""
		if f.By != nil {
			by = f.By.Version
		}
		if by != step.by || !f.AsOf.Equal(step.asOf) {
			t.Errorf("%s: by %q as of %v", step.what, by, f.AsOf)
		}
		if by == "" && (f.Answered != 0 || f.Stations[0].Missing == "" || store.task.History() >= features.StationShortage(0).History()) {
			t.Errorf("%s: %+v, from %v of the past", step.what, f.Stations[0], store.task.History())
		}
	}
}

// TestFailuresKeepWhatThereWas has the forecast before stand while a newer one
// cannot be made, and tries again in a while.
func TestFailuresKeepWhatThereWas(t *testing.T) {
	t.Parallel()
	store := newFake(3)
	k := setup(t, store, fewer(t, "v1", -1))
	if _, _, err := k.Current(""); err == nil || !strings.Contains(err.Error(), "have not been read yet") {
		t.Errorf("before the first look: %v", err)
	}
	store.err = errors.New("away")
	k.Refresh(t.Context())
	if _, _, err := k.Current(""); err == nil || !strings.Contains(err.Error(), "away") {
		t.Errorf("with the store away from the start: %v", err)
	}
	store.err, store.rowsErr = nil, &dataset.MissingError{Network: "oslo", Missing: []string{"everything"}}
	k.Refresh(t.Context())
	var missing *dataset.MissingError
	if _, _, err := k.Current("oslo"); !errors.As(err, &missing) {
		t.Errorf("without rows: %v", err)
	}
	reads := store.reads.Load()
	k.Refresh(t.Context())
	if store.reads.Load() != reads {
		t.Error("what failed is tried again at once")
	}
	store.rowsErr = nil
	k.wall.Store(int64(31 * time.Second))
	first := k.refresh(t)

	for what, fail := range map[string]func(bool){
		"the networks cannot be listed": func(on bool) { store.err = map[bool]error{true: errors.New("away")}[on] },
		"the rows cannot be read":       func(on bool) { store.rowsErr = map[bool]error{true: errors.New("torn")}[on] },
		"the program is mistaken":       func(on bool) { store.panics = on },
	} {
		store.asOf["oslo"] = store.asOf["oslo"].Add(-time.Second)
		failures := testutil.ToFloat64(k.metrics.failures)
		fail(true)
		k.Refresh(t.Context())
		f, failure, err := k.Current("")
		if err != nil || f != first || failure == nil && what != "the program is mistaken" {
			t.Errorf("%s: %p, want %p; %v, %v", what, f, first, failure, err)
		}
		if testutil.ToFloat64(k.metrics.failures) != failures+1 {
			t.Errorf("%s, and it is not counted", what)
		}
		fail(false)
		k.wall.Add(int64(time.Minute))
		if first = k.refresh(t); !first.AsOf.Equal(store.asOf["oslo"]) {
			t.Errorf("%s no more: as of %v", what, first.AsOf)
		}
		if _, failure, _ := k.Current(""); failure != nil {
			t.Errorf("%s no more: %v", what, failure)
		}
	}
}

func TestStale(t *testing.T) {
	t.Parallel()
	f := setup(t, newFake(1), fewer(t, "v1", -1)).refresh(t)
	for after, want := range map[time.Duration]bool{0: false, time.Hour: false, time.Hour + 1: true, -time.Minute: false} {
		if f.Stale(noon.Add(after)) != want || f.Age(noon.Add(after)) != after {
			t.Errorf("%v after: stale %v", after, !want)
		}
	}
}

// TestNetworks keeps one forecast for each network of the store, and none of
// others.
func TestNetworks(t *testing.T) {
	t.Parallel()
	store := newFake(2)
	k := setup(t, store, fewer(t, "v1", -1))
	store.networks = []string{"bergen", "oslo"}
	store.asOf["bergen"] = noon.Add(-time.Minute)
	k.Refresh(t.Context())
	var unknown *dataset.NetworkError
	if _, _, err := k.Current(""); !errors.As(err, &unknown) || strings.Join(unknown.Known, " ") != "bergen oslo" {
		t.Errorf("of two networks none is named: %v", err)
	}
	if f, _, err := k.Current("bergen"); err != nil || !f.AsOf.Equal(noon.Add(-time.Minute)) {
		t.Errorf("bergen: %v %v", f, err)
	}
	if err := testutil.GatherAndCompare(k.registry, strings.NewReader(`
# HELP livelab_forecast_stations Stations in the current forecast, by whether there is an answer for them.
# TYPE livelab_forecast_stations gauge
livelab_forecast_stations{answered="false",network="bergen"} 0
livelab_forecast_stations{answered="false",network="oslo"} 0
livelab_forecast_stations{answered="true",network="bergen"} 2
livelab_forecast_stations{answered="true",network="oslo"} 2
# HELP livelab_forecast_as_of_timestamp_seconds Time of the snapshot that the current forecast was made from, by the clock of the data.
# TYPE livelab_forecast_as_of_timestamp_seconds gauge
livelab_forecast_as_of_timestamp_seconds{network="bergen"} 1.77850074e+09
livelab_forecast_as_of_timestamp_seconds{network="oslo"} 1.7785008e+09
`), "livelab_forecast_stations", "livelab_forecast_as_of_timestamp_seconds"); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.GatherAndLint(k.registry); err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	store.networks = []string{"bergen"}
	k.Refresh(t.Context())
	if _, _, err := k.Current("oslo"); !errors.As(err, &unknown) || len(k.All()) != 1 {
		t.Errorf("a network that is gone: %v, %v", err, k.All())
	}
}

// TestReplay follows the clock of a record that lies ahead of it.
func TestReplay(t *testing.T) {
	t.Parallel()
	store := newFake(1)
	store.asOf["oslo"] = noon.Add(24 * time.Hour)
	for i := range 12 {
		store.totals = append(store.totals, observation.Totals{At: noon.Add(time.Duration(i) * 10 * time.Minute)})
	}
	k := setup(t, store, fewer(t, "v1", -1))
	for i, want := range []int64{1, 1, 2, 2, 3} {
		k.data.Store(int64(time.Duration(i) * 5 * time.Minute))
		if k.Refresh(t.Context()); store.reads.Load() != want {
			t.Errorf("%d minutes on: read %d times, want %d", 5*i, store.reads.Load(), want)
		}
	}
}

// TestRun looks now and then, at once when told, and not any more when ended.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newFake(1)
		k := setup(t, store, fewer(t, "v1", -1))
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { k.Run(ctx) })
		read := func(what string, want int64) {
			t.Helper()
			synctest.Wait()
			if got := store.reads.Load(); got != want {
				t.Errorf("%s: read %d times, want %d", what, got, want)
			}
		}
		read("at first", 1)
		store.change(func() { store.weather = noon.Add(time.Second) })
		read("not told", 1)
		k.Notify()
		k.Notify()
		read("told", 2)
		k.by.Store(fewer(t, "v2", -1))
		time.Sleep(time.Hour + time.Second)
		read("in time", 3)
		cancel()
		running.Wait()
		k.by.Store(nil)
		k.Notify()
		read("after the end", 3)
	})
}

// TestCurrentWhileMade reads from many sides while forecasts are made: each
// that is seen is whole, by one model as of one time.
func TestCurrentWhileMade(t *testing.T) {
	t.Parallel()
	store := newFake(50)
	k := setup(t, store, fewer(t, "0", -1))
	k.Refresh(t.Context())
	var reading sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		reading.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				f, _, err := k.Current("oslo")
				if err != nil || f.Answered != 50 || len(f.ByRisk) != 50 || len(k.All()) != 1 {
					t.Errorf("%v %+v", err, f)
					return
				}
				for _, i := range f.ByRisk {
					if want := f.By.Model.Probability([]float64{float64(i), math.NaN()}); f.Stations[i].Probability != want {
						t.Errorf("station %d: %v, want %v by %s", i, f.Stations[i].Probability, want, f.By.Version)
						return
					}
				}
			}
		})
	}
	for i := range 200 {
		k.by.Store(fewer(t, "v", -float64(i)/100))
		store.change(func() { store.weather = store.weather.Add(time.Second) })
		k.Refresh(t.Context())
	}
	close(done)
	reading.Wait()
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	if _, err := New(Config{}); err == nil {
		t.Error("a keeper of nothing")
	}
}
