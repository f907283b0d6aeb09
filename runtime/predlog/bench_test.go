package predlog

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"livelab/runtime/predlog/spool"
)

// sample is a prediction as the server makes it.
func sample() Prediction {
	return Prediction{
		At: time.Date(2026, 5, 11, 6, 24, 19, 678388000, time.UTC), Role: Served, RequestID: "0196bf2e-4d5a-7c3b-9a53-0d6a5a0e8f11",
		Model: "network-shortage", Version: "20260511T062419Z-0a1b2c3d",
		Digest: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Network: "oslo-bysykkel",
		AsOf: time.Date(2026, 5, 11, 6, 20, 0, 0, time.UTC),
		Features: Features{
			Names:  []string{"empty_slots", "free_bikes", "free_ratio", "precipitation", "stations_count", "temp_2m", "total_slots", "wind_speed_10m"},
			Values: []float64{900, 300, 0.25, 0, 60, 15, 1200, 8},
		},
		Probability: 0.73, Positive: true, Threshold: 0.5, Latency: 80 * time.Microsecond, HorizonHours: 1,
	}
}

// nowhere stores at no cost.
type nowhere struct{ fakeStore }

func (*nowhere) AddPredictions(context.Context, []Prediction) error { return nil }

// BenchmarkAdd is what logging costs a request, with the write to the disk and
// with the drain's work beside it, but for the store.
func BenchmarkAdd(b *testing.B) {
	for _, at := range []struct {
		name string
		dir  func() string
	}{
		{"disk", b.TempDir},
		{"memory", func() string { return "" }},
	} {
		for _, clients := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/clients=%d", at.name, clients), func(b *testing.B) {
				w := setup(b, Config{Store: &nowhere{}, Spool: spool.Config{Dir: at.dir()}, Memory: 64 << 20})
				w.Start()
				b.ReportAllocs()
				var adders sync.WaitGroup
				b.ResetTimer()
				for range clients {
					adders.Go(func() {
						ps := []Prediction{sample()}
						for range b.N / clients {
							ps[0].ID = "0196bf2e-4d5a-7c3b-9a53-0d6a5a0e8f12"
							w.Add(ps)
						}
					})
				}
				adders.Wait()
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
				if err := w.Stop(within(time.Minute)); err != nil {
					b.Error(err)
				}
				if n := dropped(w); n > 0 {
					b.Errorf("%v dropped", n)
				}
			})
		}
	}
}

func BenchmarkRecord(b *testing.B) {
	p := sample()
	p.ID = "0196bf2e-4d5a-7c3b-9a53-0d6a5a0e8f12"
	frame, _ := appendRecord(nil, &p)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for b.Loop() {
			buf, _ = appendRecord(buf[:0], &p)
		}
		b.ReportMetric(float64(len(frame)), "bytes")
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		var d decoder
		for b.Loop() {
			spool.Each(frame, func(record []byte) {
				if _, err := d.prediction(record); err != nil {
					b.Fatal(err)
				}
			})
		}
	})
}
