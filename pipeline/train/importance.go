package train

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
)

// importanceRows are at most asked: enough for the mean of a contribution.
const importanceRows = 2000

// Importance asks how far each input moves forecasts, on labelled rows spread
// evenly over a part. The largest comes first.
//
// The rows are drawn by a hash of their number and not each k-th: rows of
// stations repeat with the number of stations, and a k near it would ask for
// few of them.
func Importance(ctx context.Context, m *model.Model, rows Rows, part metrics.Part) ([]metrics.Importance, error) {
	from, to, err := part.Window()
	if err != nil {
		return nil, err
	}
	taken := newSampler(len(m.Inputs), importanceRows)
	err = walk(ctx, rows, from, to, func(f *features.Frame, labelled []int) error {
		columns, err := m.FrameVectors(f)
		if err != nil {
			return err
		}
		taken.add(columns, labelled)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("measure the importance of the inputs: %w", err)
	}
	found := make([]metrics.Importance, len(m.Inputs))
	for j, size := range m.Importance(taken.values) {
		found[j] = metrics.Importance{Input: m.Inputs[j].Name, LogOdds: size}
	}
	slices.SortStableFunc(found, func(a, b metrics.Importance) int { return cmp.Compare(b.LogOdds, a.LogOdds) })
	return found, nil
}
