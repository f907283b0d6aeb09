package main

import (
	"testing"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
)

// BenchmarkNewest is how `/predict {}` comes by its row: 80 days of a city in
// the store, and the time that passes between one question and the next.
func BenchmarkNewest(b *testing.B) {
	for _, from := range stores {
		s := from.open(b)
		now := matrixUntil
		simulatedPast(b, 80*144*60, now).record(b, s)
		for _, after := range []time.Duration{0, time.Second, time.Minute} {
			b.Run(from.name+"/after="+after.String(), func(b *testing.B) {
				// The data stands for an hour, so the clock turns back within it.
				clock, asked := now, 0
				live := dataset.NewLive(s, func() time.Time { return clock })
				ask := func() {
					if _, err := live.Newest(b.Context(), features.NetworkShortage(), ""); err != nil {
						b.Fatal(err)
					}
				}
				ask()
				for b.Loop() {
					asked++
					clock = now.Add(time.Duration(asked) * after % time.Hour)
					ask()
				}
			})
		}
	}
}
