package storetest

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"livelab/runtime/predlog"
)

// predictionBatches are the sizes of batches: a quiet server's, and those of
// one under load.
var predictionBatches = []int{1, 500, 5000}

// BenchmarkPredictions measures AddPredictions. ServerCPU gives the time that
// the database's own processes have used so far; nil where it has none. Open
// is as for Run.
func BenchmarkPredictions(b *testing.B, open func(b *testing.B) Store, serverCPU func(b *testing.B) time.Duration) {
	for _, size := range predictionBatches {
		b.Run(fmt.Sprintf("rows=%d", size), func(b *testing.B) { benchmarkPredictions(b, open(b), size, serverCPU) })
	}
}

func benchmarkPredictions(b *testing.B, s Store, size int, serverCPU func(b *testing.B) time.Duration) {
	b.ReportAllocs()
	ps := make([]predlog.Prediction, size)
	var client, server time.Duration
	// The first one makes what the store makes once, such as a partition.
	if err := s.AddPredictions(b.Context(), []predlog.Prediction{clientsPrediction(-1)}); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for i := range b.N {
		b.StopTimer()
		for j := range ps {
			ps[j] = clientsPrediction(i*size + j)
		}
		if serverCPU != nil {
			server -= serverCPU(b)
		}
		b.StartTimer()
		before := processCPU(b)
		if err := s.AddPredictions(b.Context(), ps); err != nil {
			b.Fatal(err)
		}
		client += processCPU(b) - before
		b.StopTimer()
		if serverCPU != nil {
			server += serverCPU(b)
		}
		b.StartTimer()
	}
	rows := float64(size) * float64(b.N)
	reportRows(b, size)
	b.ReportMetric(client.Seconds()*1e6/rows, "cpu-µs/row")
	if serverCPU != nil {
		b.ReportMetric(server.Seconds()*1e6/rows, "server-cpu-µs/row")
	}
}

// clientsPrediction is one of which the client gave the eight classic features,
// some tens of microseconds after the one before.
func clientsPrediction(n int) predlog.Prediction {
	p := prediction(n)
	p.At = at(0).Add(time.Duration(n) * 50 * time.Microsecond)
	p.Network, p.AsOf = "", time.Time{}
	p.Features = predlog.Features{
		Names: []string{"empty_slots", "free_bikes", "free_ratio", "precipitation",
			"stations_count", "temp_2m", "total_slots", "wind_speed_10m"},
		Values: []float64{float64(n % 3000), float64(n % 1000), float64(n%1000) / 4000.3, 0.1, 271, 12.3, 4000, 3.4},
	}
	return p
}

// processCPU is what this process has used so far.
func processCPU(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
