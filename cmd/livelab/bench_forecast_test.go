package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/runtime/forecast"
	"livelab/runtime/loader"
)

// BenchmarkForecast is the whole way from a new snapshot in the store to the
// forecast of every station that is kept: what BenchmarkAllStations measures,
// and 150 trees of 31 leaves that read all inputs.
func BenchmarkForecast(b *testing.B) {
	for _, from := range stores {
		for _, stations := range []int{200, 2000} {
			b.Run(fmt.Sprintf("%s/stations=%d", from.name, stations), func(b *testing.B) {
				benchmarkForecast(b, from.open(b), stations)
			})
		}
	}
}

func benchmarkForecast(b *testing.B, s store, stations int) {
	record := cityInto(b, s, stations)
	now := matrixUntil
	record(now.Add(-7*24*time.Hour), now)
	by := manyTrees(b)
	k, err := forecast.New(forecast.Config{
		Rows: dataset.NewLive(s, func() time.Time { return now }), Store: s,
		Model: func() *loader.Loaded { return by }, DataNow: func() time.Time { return now },
	})
	if err != nil {
		b.Fatal(err)
	}
	k.Refresh(b.Context())
	var took []time.Duration
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		now = now.Add(benchStep)
		record(now, now)
		b.StartTimer()
		asked := time.Now()
		k.Refresh(b.Context())
		took = append(took, time.Since(asked))
		b.StopTimer()
		f, failure, err := k.Current("")
		if err != nil || failure != nil || len(f.Stations) != stations || f.Answered < stations/2 || !f.AsOf.Equal(now) {
			b.Fatalf("%v, %v: %d of %d answered", err, failure, f.Answered, stations)
		}
		b.StartTimer()
	}
	slices.Sort(took) // the slowest are those that read all of the past anew, once an hour
	b.ReportMetric(took[len(took)/2].Seconds()*1e3, "ms/median")
	b.ReportMetric(took[len(took)-1].Seconds()*1e3, "ms/slowest")
}

// manyTrees is a model as large as training makes them, whose trees are full.
func manyTrees(b *testing.B) *loader.Loaded {
	b.Helper()
	m := &model.Model{
		Format: model.Format, Name: stationTask, Task: features.StationShortage(0), Family: model.FamilyTrees,
		Threshold: 0.4, Calibration: model.Calibration{Slope: 1}, Dataset: "d", Training: json.RawMessage(`{}`), Trees: new(model.Trees),
	}
	for _, name := range features.Inputs(features.EntityStation) {
		m.Inputs = append(m.Inputs, model.Input{Name: name, Scale: 1})
		edges := make([]float64, 50)
		for i := range edges {
			edges[i] = float64(i) / 2
		}
		m.Trees.Edges = append(m.Trees.Edges, edges)
	}
	for i := range 150 {
		m.Trees.Trees = append(m.Trees.Trees, fullTree(5, i, len(m.Inputs)))
	}
	p, err := model.NewPredictor(m, nil)
	if err != nil {
		b.Fatal(err)
	}
	return &loader.Loaded{Version: "v1", Digest: "d", Model: m, Predictor: p}
}

// fullTree has 2^depth leaves, in the order of its levels.
func fullTree(depth, seed, inputs int) (t model.Tree) {
	inner, all := 1<<depth-1, 1<<(depth+1)-1
	for n := range all {
		in, edge, left, right, value := model.Leaf, 0, 0, 0, float64((n*7919+seed)%13-6)/100
		if n < inner {
			in, edge, left, right, value = (n*31+seed)%inputs, (n*17+seed)%50, 2*n+1, 2*n+2, 0
		}
		t.Input, t.Edge, t.MissingLeft = append(t.Input, in), append(t.Edge, edge), append(t.MissingLeft, n%2)
		t.Left, t.Right, t.Value = append(t.Left, left), append(t.Right, right), append(t.Value, value)
		t.Rows = append(t.Rows, 1<<(depth+1))
	}
	return t
}
