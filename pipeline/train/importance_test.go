package train

import (
	"math"
	"testing"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
)

// TestImportanceAsksAllStations has forecasts that one station in 32 moves, in
// rows that repeat with the stations.
func TestImportanceAsksAllStations(t *testing.T) {
	t.Parallel()
	const stations, times = 32, 1000
	at, known := make([]time.Time, stations*times), make([]features.Label, stations*times)
	rare, always := make([]float64, len(at)), make([]float64, len(at))
	for i := range at {
		at[i], known[i], always[i] = time.Unix(int64(i/stations)*1200, 0).UTC(), features.NotShort, 1
		if i%stations == stations-1 {
			rare[i] = 1
		}
	}
	f := features.NewFrame(features.StationShortage(0), at, known, known, []string{"rare", "always"}, [][]float64{rare, always})
	m := &model.Model{Task: f.Task, Inputs: []model.Input{{Name: "rare", Scale: 1, Weight: 4}, {Name: "always", Scale: 1, Weight: 1}}}
	part := metrics.Part{Samples: len(at), From: at[0].Format(time.RFC3339), To: at[len(at)-1].Format(time.RFC3339)}
	found, err := Importance(t.Context(), m, Whole{Frame: f, BlockRows: 1000}, part)
	if err != nil {
		t.Fatal(err)
	}
	if found[0].Input != "always" || math.Abs(found[0].LogOdds-1) > 1e-12 {
		t.Errorf("the first is %+v", found[0])
	}
	if want := 4.0 / stations; found[1].Input != "rare" || math.Abs(found[1].LogOdds/want-1) > 0.4 {
		t.Errorf("the second is %+v, want about %v", found[1], want)
	}
}
