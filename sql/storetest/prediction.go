package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"livelab/runtime/predlog"
)

var predictionCases = map[string]func(*testing.T, Store){
	"round trip":         predictionRoundTrip,
	"newest first":       newestFirst,
	"once":               predictionOnce,
	"many":               manyPredictions,
	"many features":      manyFeatures,
	"all or none":        allOrNone,
	"hostile request ID": hostileRequestID,
	"concurrent":         concurrentPredictions,
	"cancelled":          cancelledPredictions,
}

// prediction gives one whose ID and time depend on n.
func prediction(n int) predlog.Prediction {
	return predlog.Prediction{
		ID:           uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, n)).String(),
		At:           at(n).Add(123456 * time.Microsecond),
		Role:         predlog.Served,
		RequestID:    fmt.Sprint("request ", n),
		Model:        "network-shortage",
		Version:      "20240823T000000Z-01234567",
		Digest:       strings.Repeat("ab", 32),
		Network:      oslo,
		AsOf:         at(n - 5),
		Features:     predlog.FeaturesOf(map[string]float64{"free_ratio": 0.1 + 0.2, "free_bikes": float64(n)}),
		Probability:  1.0 / 3,
		Positive:     n%2 == 0,
		Threshold:    0.5,
		Latency:      123456789,
		HorizonHours: 1.5,
	}
}

func add(t *testing.T, s Store, ps ...predlog.Prediction) {
	t.Helper()
	if err := s.AddPredictions(ctxFor(t), ps); err != nil {
		t.Fatalf("AddPredictions: %v", err)
	}
}

func recent(t *testing.T, s Store, limit int) []predlog.Prediction {
	t.Helper()
	return must[[]predlog.Prediction](t)(s.RecentPredictions(ctxFor(t), limit))
}

func predictionRoundTrip(t *testing.T, s Store) {
	whole := prediction(3)
	bare := predlog.Prediction{ID: prediction(2).ID, At: at(2), Role: predlog.Served}
	odd := prediction(1)
	odd.Probability, odd.Threshold, odd.Latency = 5e-324, math.Nextafter(1, 2), -1
	odd.Features = predlog.FeaturesOf(map[string]float64{
		"inf": math.Inf(1), "-inf": math.Inf(-1), "max": math.MaxFloat64,
		"min": math.SmallestNonzeroFloat64, "temp_2m": -3.25, "": 0, "ø \"quoted\"": 1,
	})
	add(t, s, whole, bare, odd)
	got := recent(t, s, 10)
	equal(t, "predictions", got, []predlog.Prediction{whole, bare, odd})
	if len(got) == 3 && (got[0].At.Location() != time.UTC || got[0].AsOf.Location() != time.UTC || !got[1].AsOf.IsZero()) {
		t.Errorf("times are not UTC, or not zero where they were: %v, %v, %v", got[0].At, got[0].AsOf, got[1].AsOf)
	}
}

func newestFirst(t *testing.T, s Store) {
	equal(t, "none", recent(t, s, 10), nil)
	same := prediction(3)
	same.ID = "ffffffff-ffff-4fff-8fff-ffffffffffff"
	add(t, s)
	add(t, s, prediction(2), prediction(4))
	add(t, s, prediction(3), prediction(1), same)
	want := []predlog.Prediction{prediction(4), same, prediction(3), prediction(2), prediction(1)}
	for _, limit := range []int{-1, 0, 1, 2, 5, 100, math.MaxInt32} {
		equal(t, fmt.Sprintf("newest %d", limit), recent(t, s, limit), want[:min(max(limit, 0), len(want))])
	}
}

func predictionOnce(t *testing.T, s Store) {
	first, again := prediction(1), prediction(1)
	again.Probability = 0.9
	add(t, s, first, again)
	add(t, s, again, prediction(2))
	again.ID = strings.ToUpper(again.ID)
	add(t, s, again)
	equal(t, "predictions", recent(t, s, 10), []predlog.Prediction{prediction(2), first})
}

func manyPredictions(t *testing.T, s Store) {
	var ps []predlog.Prediction
	for n := range 1234 {
		ps = append(ps, prediction(n))
	}
	add(t, s, ps[:1000]...)
	add(t, s, ps[500:]...)
	got := recent(t, s, 5000)
	if len(got) != len(ps) {
		t.Fatalf("%d predictions, want %d", len(got), len(ps))
	}
	equal(t, "oldest", got[len(got)-1], ps[0])
}

func manyFeatures(t *testing.T, s Store) {
	p := prediction(1)
	values := make(map[string]float64)
	for i := range 10_000 {
		values[fmt.Sprintf("feature_%d", i)] = math.Sqrt(float64(i))
	}
	p.Features = predlog.FeaturesOf(values)
	add(t, s, p)
	equal(t, "predictions", recent(t, s, 1), []predlog.Prediction{p})
}

// allOrNone has one bad prediction among good ones.
func allOrNone(t *testing.T, s Store) {
	tests := []struct {
		name, refusal string
		spoil         func(*predlog.Prediction)
	}{
		{"no ID", "UUID", func(p *predlog.Prediction) { p.ID = "" }},
		{"ID", `"seven"`, func(p *predlog.Prediction) { p.ID = "seven" }},
		{"no time", "no time", func(p *predlog.Prediction) { p.At = time.Time{} }},
		{"probability", "probability", func(p *predlog.Prediction) { p.Probability = nan }},
		{"threshold", "threshold", func(p *predlog.Prediction) { p.Threshold = math.Inf(1) }},
		{"horizon", "horizon", func(p *predlog.Prediction) { p.HorizonHours = nan }},
		{"version", "UTF-8", func(p *predlog.Prediction) { p.Version = "\xff" }},
		{"feature", "U+0000", func(p *predlog.Prediction) { p.Features = predlog.FeaturesOf(map[string]float64{"\x00": 1}) }},
	}
	for _, tt := range tests {
		bad := prediction(2)
		tt.spoil(&bad)
		refused(t, s.AddPredictions(ctxFor(t), []predlog.Prediction{prediction(1), bad, prediction(3)}), tt.refusal)
	}
	equal(t, "predictions", recent(t, s, 10), nil)
}

// hostileRequestID has what no database stores, in a text that clients choose.
func hostileRequestID(t *testing.T, s Store) {
	p := prediction(1)
	p.RequestID = "a\x00b\xffc"
	add(t, s, p)
	p.RequestID = "a\uFFFDb\uFFFDc"
	equal(t, "predictions", recent(t, s, 1), []predlog.Prediction{p})
}

// concurrentPredictions has every batch added by two at the same time.
func concurrentPredictions(t *testing.T, s Store) {
	const batches, size = 10, 20
	g, ctx := errgroup.WithContext(ctxFor(t))
	for worker := range 2 {
		g.Go(func() error {
			for b := range batches {
				var ps []predlog.Prediction
				for i := range size {
					// In opposite orders, which must not deadlock.
					if worker == 1 {
						i = size - 1 - i
					}
					ps = append(ps, prediction(b*size+i))
				}
				if err := s.AddPredictions(ctx, ps); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	equal(t, "predictions", len(recent(t, s, 1000)), batches*size)
}

func cancelledPredictions(t *testing.T, s Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.AddPredictions(ctx, []predlog.Prediction{prediction(1)}); !errors.Is(err, context.Canceled) {
		t.Errorf("AddPredictions gave %v, want that the context was cancelled", err)
	}
	equal(t, "predictions", recent(t, s, 10), nil)
}
