package train

import "livelab/pipeline/train/boost"

// Boost says how trees are fitted: what of boost.Options decides the result,
// with its meaning and its defaults.
type Boost struct {
	Trees        int     `json:"trees"`
	LearningRate float64 `json:"learning_rate"`
	Leaves       int     `json:"leaves"`
	MinRows      int     `json:"min_rows"`
	L2           float64 `json:"l2"`
	Columns      float64 `json:"columns"`
	Patience     int     `json:"patience"`
	Seed         uint64  `json:"seed"`
}

// withDefaults writes the defaults out, for the model to record.
func (b Boost) withDefaults() *Boost {
	o := b.options().WithDefaults()
	return &Boost{
		Trees: o.Trees, LearningRate: o.LearningRate, Leaves: o.Leaves, MinRows: o.MinRows,
		L2: o.L2, Columns: o.Columns, Patience: o.Patience, Seed: o.Seed,
	}
}

func (b Boost) options() boost.Options {
	return boost.Options{
		Trees: b.Trees, LearningRate: b.LearningRate, Leaves: b.Leaves, MinRows: b.MinRows,
		L2: b.L2, Columns: b.Columns, Patience: b.Patience, Seed: b.Seed,
	}
}
