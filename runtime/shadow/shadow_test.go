package shadow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"livelab/pipeline/features"
	"livelab/pipeline/features/featurestest"
	"livelab/pipeline/model"
	"livelab/runtime/loader"
	"livelab/runtime/predlog"
)

var at = time.Date(2026, 5, 11, 12, 0, 0, 0, time.UTC)

// refusing has no answer where there are no free bikes.
var refusing = featurestest.New("refusing", []string{"free_bikes"}, []string{"half"}, func(in, out []float64) error {
	if in[0] == 0 {
		return &features.RowError{Transform: "refusing", Reason: "there are none"}
	}
	out[0] = in[0] / 2
	return nil
})

// challenger reads the classic inputs, a lag that clients seldom give and a
// transform.
func challenger(t testing.TB) *loader.Loaded {
	t.Helper()
	m := &model.Model{
		Format: model.Format, Name: "network-shortage", Task: features.NetworkShortage(),
		Inputs: []model.Input{
			{Name: "free_ratio", Mean: 0.4, Scale: 0.1, Weight: -2},
			{Name: "free_ratio_yesterday", Mean: 0.5, Scale: 0.1, Weight: 1, Optional: true},
			{Name: "refusing.half", Mean: 5, Scale: 1e-300, Weight: 1e-300, Optional: true},
		},
		Transforms:  []features.TransformSpec{refusing.Pin},
		Calibration: model.Calibration{Slope: 1}, Threshold: 0.3, Dataset: "d", Training: json.RawMessage(`{}`),
	}
	p, err := model.NewPredictor(m, []features.Transform{refusing})
	if err != nil {
		t.Fatal(err)
	}
	return &loader.Loaded{Version: "20260511T120000Z-0badcafe", Digest: "challenger", Model: m, Predictor: p}
}

func classic() map[string]float64 {
	return map[string]float64{
		"stations_count": 10, "free_bikes": 10, "empty_slots": 15, "total_slots": 25, "free_ratio": 0.4,
		"temp_2m": 15, "precipitation": 0, "wind_speed_10m": 8,
	}
}

func servedWith(values map[string]float64) predlog.Prediction {
	return predlog.Prediction{
		ID: uuid.Must(uuid.NewV7()).String(), At: at, Role: predlog.Served, RequestID: "r", Model: "network-shortage",
		Version: "v", Digest: "champion", Features: predlog.FeaturesOf(values), Probability: 0.25, Threshold: 0.6, Latency: time.Second, HorizonHours: 9,
	}
}

// journal is a log that keeps what it was given.
type journal struct {
	mu   sync.Mutex
	ps   []predlog.Prediction
	adds int
	wait chan struct{} // nil does not wait
}

func (j *journal) Add(ps []predlog.Prediction) {
	if j.wait != nil {
		<-j.wait
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.adds++
	for _, p := range ps {
		p.Features.Values = slices.Clone(p.Features.Values)
		j.ps = append(j.ps, p)
	}
}

func (j *journal) want(t *testing.T, predictions, batches int) {
	t.Helper()
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.ps) != predictions || j.adds != batches {
		t.Errorf("logged %d in %d batches, want %d in %d", len(j.ps), j.adds, predictions, batches)
	}
}

type bundle struct {
	*Shadow
	log      *journal
	metrics  *prometheus.Registry
	standsIn atomic.Pointer[loader.Loaded]
}

func setup(t testing.TB, by *loader.Loaded, change func(*Config)) *bundle {
	t.Helper()
	b := &bundle{log: &journal{}, metrics: prometheus.NewPedanticRegistry()}
	b.standsIn.Store(by)
	cfg := Config{Challenger: b.standsIn.Load, Log: b.log, Registerer: b.metrics}
	if change != nil {
		change(&cfg)
	}
	var err error
	if b.Shadow, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bundle) stop(t testing.TB) {
	t.Helper()
	if err := b.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

func (b *bundle) wantDropped(t testing.TB, want float64) {
	t.Helper()
	if got := testutil.ToFloat64(b.Shadow.metrics.dropped); got != want {
		t.Errorf("%v dropped, want %v", got, want)
	}
}

func TestChallengerAnswers(t *testing.T) {
	t.Parallel()
	by := challenger(t)
	b := setup(t, by, nil)
	b.Start()
	given := classic()
	given["free_ratio"] = 0.35 // one standard deviation under the mean: 2 is added to the logit
	p := servedWith(given)
	p.Network, p.Station, p.AsOf = "n", "s", at.Add(-time.Minute)
	b.Offer(&p, map[string]float64{"free_ratio_yesterday": 0.6, "free_ratio": 99, "climatology": 1})
	served := p.ID
	p = predlog.Prediction{} // it was copied
	b.stop(t)
	if len(b.log.ps) != 1 {
		t.Fatalf("logged %+v", b.log.ps)
	}
	got := b.log.ps[0]
	if got.Latency <= 0 || got.Latency >= time.Second {
		t.Errorf("latency %v, want its own", got.Latency)
	}
	logOdds := -2*((0.35-0.4)/0.1) + 1*((0.6-0.5)/0.1)
	want := 1 / (1 + math.Exp(-logOdds))
	if math.Abs(got.Probability-want) > 1e-12 || !got.Positive {
		t.Errorf("probability %v, positive %v, want %v", got.Probability, got.Positive, want)
	}
	values := maps.Clone(given)
	values["free_ratio_yesterday"] = 0.6
	if !maps.Equal(got.Features.Map(), values) {
		t.Errorf("features %v, want %v", got.Features.Map(), values)
	}
	if paired(got.ID) != served || got.ID == served {
		t.Errorf("ID %s, served %s", got.ID, served)
	}
	got.Features, got.ID, got.Probability, got.Positive, got.Latency = predlog.Features{}, "", 0, false, 0
	rest := predlog.Prediction{
		At: at, Role: predlog.Shadow, RequestID: "r", Model: "network-shortage", Version: by.Version, Digest: "challenger",
		Network: "n", Station: "s", AsOf: at.Add(-time.Minute), Threshold: 0.3, HorizonHours: 1,
	}
	if fmt.Sprint(got) != fmt.Sprint(rest) {
		t.Errorf("logged %+v\nwant %+v", got, rest)
	}
}

// What a client would be refused for is counted by its reason, and what is
// compared is counted as it went.
func TestMetrics(t *testing.T) {
	t.Parallel()
	by := challenger(t)
	b := setup(t, by, nil)
	for _, change := range []func(map[string]float64){
		func(v map[string]float64) {},
		func(v map[string]float64) { v["free_ratio"] = 0.9 },
		func(v map[string]float64) { delete(v, "free_ratio") },
		func(v map[string]float64) { v["free_ratio"] = math.NaN() },
		func(v map[string]float64) { delete(v, "temp_2m") }, // which it has not learned from
		func(v map[string]float64) { v["free_bikes"] = 0 },
		func(v map[string]float64) { v["free_ratio"] = math.MaxFloat64 },
	} {
		values := classic()
		change(values)
		p := servedWith(values)
		b.Offer(&p, nil)
	}
	b.Start()
	b.stop(t)
	m := b.Shadow.metrics
	for what, got := range map[string][2]float64{
		"predictions":   {testutil.ToFloat64(m.predictions.WithLabelValues(by.Version)), 3},
		"disagreements": {testutil.ToFloat64(m.disagreements.WithLabelValues(by.Version)), 2},
		"missing":       {testutil.ToFloat64(m.errors.WithLabelValues(by.Version, "missing")), 2},
		"transform":     {testutil.ToFloat64(m.errors.WithLabelValues(by.Version, "transform")), 1},
		"too far":       {testutil.ToFloat64(m.errors.WithLabelValues(by.Version, "too_far")), 1},
		"logged":        {float64(len(b.log.ps)), 3},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %v, want %v", what, got[0], got[1])
		}
	}
	b.wantDropped(t, 0)
	problems, err := testutil.GatherAndLint(b.metrics)
	if err != nil || len(problems) > 0 {
		t.Errorf("metrics: %v, %v", problems, err)
	}
}

func TestNobodyIsAsked(t *testing.T) {
	t.Parallel()
	by := challenger(t)
	b := setup(t, nil, nil)
	p := servedWith(classic())
	b.Offer(&p, nil)
	b.standsIn.Store(by)
	p.Digest = by.Digest // the challenger has become the champion
	b.Offer(&p, nil)
	p.Digest, p.Model = "champion", "station-shortage"
	b.Offer(&p, nil)
	b.Start()
	b.stop(t)
	if len(b.log.ps) > 0 {
		t.Errorf("logged %+v", b.log.ps)
	}
	b.wantDropped(t, 0)
}

// Offers keep the challenger that there was, and their order.
func TestChallengerChanges(t *testing.T) {
	t.Parallel()
	by, next := challenger(t), challenger(t)
	next.Version, next.Digest = "another", "another"
	next.Model.Intercept = 1
	b := setup(t, by, func(c *Config) { c.Batch = 3 })
	var want []string
	for i := range 20 {
		values := classic()
		if i%3 == 0 {
			values["free_ratio_last_week"] = 0.4
		}
		p := servedWith(values)
		p.RequestID = fmt.Sprint(i)
		if i == 11 { // the names stay as they were
			b.standsIn.Store(next)
		}
		b.Offer(&p, nil)
		want = append(want, fmt.Sprint(i, " ", b.standsIn.Load().Version))
	}
	b.standsIn.Store(nil)
	b.Start()
	b.stop(t)
	var got []string
	for _, p := range b.log.ps {
		got = append(got, p.RequestID+" "+p.Version)
		if certain := p.Probability > 0.5; certain != (p.Version == "another") {
			t.Errorf("%s of %s answers %v", p.RequestID, p.Version, p.Probability)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
}

// While the log is away offers are dropped and counted, and nobody waits.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	b := setup(t, challenger(t), func(c *Config) { c.Queue, c.Batch, c.Interval = 4, 1, time.Nanosecond })
	b.log.wait = make(chan struct{})
	b.Start()
	const offers = 100
	p := servedWith(classic())
	for range offers {
		b.Offer(&p, nil)
	}
	close(b.log.wait)
	b.stop(t)
	logged := len(b.log.ps)
	if logged < 4 || logged > 6 {
		t.Errorf("%d logged, want the 4 that wait and those in the works", logged)
	}
	b.wantDropped(t, float64(offers-logged))
	b.Offer(&p, nil)
	b.wantDropped(t, float64(offers-logged+1))
}

func TestBatches(t *testing.T) {
	t.Parallel()
	by := challenger(t)
	synctest.Test(t, func(t *testing.T) {
		b := setup(t, by, func(c *Config) { c.Batch = 10 })
		b.Start()
		p := servedWith(classic())
		for range 25 {
			b.Offer(&p, nil)
		}
		synctest.Wait()
		b.log.want(t, 20, 2)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		b.log.want(t, 25, 3)
		b.stop(t)
	})
}

func TestStartAndStop(t *testing.T) {
	t.Parallel()
	b := setup(t, challenger(t), nil)
	b.stop(t)
	b.Start()
	b.stop(t)

	b = setup(t, challenger(t), nil)
	b.log.wait = make(chan struct{})
	b.Start()
	b.Start()
	p := servedWith(classic())
	b.Offer(&p, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the end of the wait", err)
	}
	close(b.log.wait)
	b.stop(t)
	if len(b.log.ps) != 1 {
		t.Errorf("logged %d, want what waited", len(b.log.ps))
	}
}

func TestConcurrentOffers(t *testing.T) {
	t.Parallel()
	by := challenger(t)
	b := setup(t, by, nil)
	b.Start()
	var offers sync.WaitGroup
	for i := range 8 {
		offers.Go(func() {
			for j := range 200 {
				values := classic()
				values["free_bikes"] = float64(1 + i*1000 + j)
				p := servedWith(values)
				p.RequestID = fmt.Sprint(1 + i*1000 + j)
				b.Offer(&p, values)
				for k := range p.Features.Values {
					p.Features.Values[k] = -1 // its memory is used again
				}
			}
		})
	}
	offers.Wait()
	b.stop(t)
	if len(b.log.ps) != 8*200 {
		t.Errorf("%d logged", len(b.log.ps))
	}
	for _, p := range b.log.ps {
		if fmt.Sprint(p.Features.Map()["free_bikes"]) != p.RequestID {
			t.Fatalf("request %s has %v", p.RequestID, p.Features.Map())
		}
	}
}

func TestPair(t *testing.T) {
	t.Parallel()
	for range 100 {
		id := uuid.Must(uuid.NewV7()).String()
		pair := paired(id)
		if parsed, err := uuid.Parse(pair); err != nil || parsed.Version() != 7 || pair == id || pair[:35] != id[:35] || paired(pair) != id {
			t.Fatalf("%s is paired with %s", id, pair)
		}
	}
	for _, id := range []string{"", "x", "0190e3a5-0000-7000-8000-00000000000X"} {
		if got := paired(id); got != "" {
			t.Errorf("%q is paired with %q", id, got)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	none := func() *loader.Loaded { return nil }
	for _, cfg := range []Config{
		{}, {Challenger: none}, {Log: &journal{}},
		{Challenger: none, Log: &journal{}, Queue: -1},
		{Challenger: none, Log: &journal{}, Batch: -1},
		{Challenger: none, Log: &journal{}, Interval: -1},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v was accepted", cfg)
		}
	}
}

// BenchmarkOffer is what a request pays without a challenger and with one, what
// the worker pays to take it included.
func BenchmarkOffer(b *testing.B) {
	b.Run("no challenger", func(b *testing.B) {
		s := setup(b, nil, nil)
		p := servedWith(classic())
		b.ReportAllocs()
		for b.Loop() {
			s.Offer(&p, nil)
		}
	})
	b.Run("challenger", func(b *testing.B) {
		s := setup(b, challenger(b), nil)
		p := servedWith(classic())
		b.ReportAllocs()
		for b.Loop() {
			s.Offer(&p, nil)
			s.free(<-s.queue)
		}
		s.wantDropped(b, 0)
	})
}

// BenchmarkScore is what a prediction costs beside the requests.
func BenchmarkScore(b *testing.B) {
	s := setup(b, challenger(b), nil)
	w := &worker{metrics: s.Shadow.metrics}
	p := servedWith(classic())
	s.Offer(&p, nil)
	o := <-s.queue
	b.ReportAllocs()
	for b.Loop() {
		w.score(o)
		w.empty()
	}
}
