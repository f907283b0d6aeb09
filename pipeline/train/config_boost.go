package train

import "livelab/pipeline/train/boost"

// Boost says how trees are fitted. Fields that are zero stand for their
// defaults.
type Boost struct {
	// Trees is the most that are fitted. Default 300.
	Trees int `json:"trees"`

	// LearningRate is the share of a Newton step that a tree takes. Default
	// 0.1.
	LearningRate float64 `json:"learning_rate"`

	// Leaves is the most that a tree has. Default 31.
	Leaves int `json:"leaves"`

	// MinRows of the training come to each leaf. Default 100.
	MinRows int `json:"min_rows"`

	// L2 is the penalty of a leaf's squared value. It keeps leaves modest whose
	// rows are all but decided. Default 10.
	L2 float64 `json:"l2"`

	// Columns is the share of the inputs that a tree may look at, drawn anew
	// for each. Default 1.
	Columns float64 `json:"columns"`

	// Patience is the number of trees without a gain on the validation part
	// after which a fit stops. Default 30.
	Patience int `json:"patience"`

	// Seed of the draws of inputs. Default 0.
	Seed uint64 `json:"seed"`
}

func (b Boost) withDefaults() *Boost {
	for _, f := range []struct {
		field   *int
		instead int
	}{{&b.Trees, 300}, {&b.Leaves, 31}, {&b.MinRows, 100}, {&b.Patience, 30}} {
		if *f.field == 0 {
			*f.field = f.instead
		}
	}
	if b.LearningRate == 0 {
		b.LearningRate = 0.1
	}
	if b.L2 == 0 {
		b.L2 = 10
	}
	if b.Columns == 0 {
		b.Columns = 1
	}
	return &b
}

func (b Boost) options() boost.Options {
	return boost.Options{
		Trees: b.Trees, LearningRate: b.LearningRate, Leaves: b.Leaves, MinRows: b.MinRows,
		L2: b.L2, Columns: b.Columns, Patience: b.Patience, Seed: b.Seed,
	}
}
