// Package train fits a model to rows: it splits them by time, fits a logistic
// regression or gradient-boosted trees, calibrates, chooses the threshold and
// measures the model beside its rivals. Training is a pure function of the rows
// and the configuration: the same two give the same model.json, to the last
// bit, on any machine and any number of cores.
package train

import (
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"slices"

	"livelab/pipeline/features"
)

// Config says how to train. The zero value is the default.
type Config struct {
	// Inputs are the columns that the model reads, in its order. The classic
	// eight are required of a client, the others optional. Default: the
	// columns of the catalogue that are inputs, then the transforms' outputs.
	Inputs []string `json:"inputs"`

	// Family of the model. Default logistic for a network, trees for stations.
	// It is told by Boost, which is there for trees alone.
	Family Family `json:"-"`

	// C is the inverse strength of the logistic regression's L2 penalty, as
	// scikit-learn has it. Default 1.
	C float64 `json:"c,omitempty"`

	// Boost says how trees are fitted. Default: see boost.Options.
	Boost *Boost `json:"boost,omitempty"`

	// Unbalanced leaves every row the weight 1. By default the classes weigh
	// the same in the fit of a logistic regression, and the shift of the log
	// odds that this causes is taken out afterwards.
	Unbalanced bool `json:"unbalanced,omitempty"`

	// Train, Validation and Test are the parts' shares of the rows, in the
	// order of time. Defaults 0.6, 0.2 and 0.2.
	Train      float64 `json:"train"`
	Validation float64 `json:"validation"`
	Test       float64 `json:"test"`

	// Folds is the number of steps of the backtest. Default 5.
	Folds int `json:"folds"`

	// Quality holds the rules by which the data was looked over, as JSON: what
	// they exclude decides what the rows are. Training itself does not read it.
	Quality json.RawMessage `json:"quality,omitempty"`

	// Dataset is the digest of the data, which the model records, and
	// Transforms are those that made the frame's columns, in any order.
	Dataset    string               `json:"-"`
	Transforms []features.Transform `json:"-"`

	// Workers is the number of goroutines that fit. It changes nothing in the
	// result. Default GOMAXPROCS.
	Workers int `json:"-"`

	// Progress is called as the work goes on, from one goroutine. May be nil.
	Progress func(Progress) `json:"-"`
}

// Family is a kind of model that can be trained.
type Family string

// The families.
const (
	FamilyAuto     Family = ""
	FamilyLogistic Family = "logistic"
	FamilyTrees    Family = "trees"
)

// Progress says where a training stands.
type Progress struct {
	Stage string // "encode", "fit" or "backtest"
	Done  int    // rows; passes over the rows, or trees; folds
	Total int    // 0 where it is not known
}

func (c Config) withDefaults(task features.Task) Config {
	if c.Family == FamilyAuto {
		c.Family = FamilyLogistic
		if task.Entity == features.EntityStation {
			c.Family = FamilyTrees
		}
	}
	if len(c.Inputs) == 0 {
		c.Inputs = features.Inputs(task.Entity)
		for _, t := range c.Transforms {
			spec := t.Spec()
			for _, out := range spec.Outputs {
				c.Inputs = append(c.Inputs, spec.Name+"."+out)
			}
		}
	}
	switch c.Family {
	case FamilyTrees:
		b := Boost{}
		if c.Boost != nil {
			b = *c.Boost
		}
		c.Boost, c.C, c.Unbalanced = b.withDefaults(), 0, false
	default:
		c.Boost = nil
		if c.C == 0 {
			c.C = 1
		}
	}
	if c.Train == 0 && c.Validation == 0 && c.Test == 0 {
		c.Train, c.Validation, c.Test = 0.6, 0.2, 0.2
	}
	if c.Folds == 0 {
		c.Folds = 5
	}
	if c.Workers == 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	return c
}

// Validate says what is wrong with the configuration, if anything. Fields that
// are zero stand for their defaults.
func (c Config) Validate(task features.Task) error {
	c = c.withDefaults(task)
	if c.Family != FamilyLogistic && c.Family != FamilyTrees {
		return fmt.Errorf("training: unknown family %q, must be %s or %s", c.Family, FamilyLogistic, FamilyTrees)
	}
	for i, name := range c.Inputs {
		if name == "" || slices.Contains(c.Inputs[:i], name) {
			return fmt.Errorf("training: input %q is empty or there twice", name)
		}
	}
	if c.Family == FamilyTrees {
		if err := c.Boost.options().Validate(); err != nil {
			return fmt.Errorf("training: %w", err)
		}
	} else if !(c.C > 0) || math.IsInf(c.C, 0) {
		return fmt.Errorf("training: C is %v, must be positive and finite", c.C)
	}
	for _, share := range []float64{c.Train, c.Validation, c.Test} {
		if !(share > 0 && share < 1) {
			return fmt.Errorf("training: the parts' shares are %v, %v and %v, each must be between 0 and 1", c.Train, c.Validation, c.Test)
		}
	}
	if sum := c.Train + c.Validation + c.Test; math.Abs(sum-1) > 1e-9 {
		return fmt.Errorf("training: the parts' shares add up to %v, must be 1", sum)
	}
	if c.Folds < 1 {
		return fmt.Errorf("training: %d folds, must be at least 1", c.Folds)
	}
	if c.Workers < 0 {
		return fmt.Errorf("training: %d workers, must not be negative", c.Workers)
	}
	return nil
}

// complete checks the configuration, fills in the defaults and puts the
// transforms in the order in which they are applied, which is that of their
// outputs among the inputs.
func (c Config) complete(task features.Task) (Config, error) {
	var err error
	if c.Transforms, err = features.Order(c.Transforms); err != nil {
		return c, fmt.Errorf("training: %w", err)
	}
	return c.withDefaults(task), c.Validate(task)
}

// canonical is the configuration as the model records it: what decides the
// result. The defaults must be filled in.
func (c Config) canonical() (json.RawMessage, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode training configuration: %w", err)
	}
	return b, nil
}

func (c Config) progress(stage string, done, total int) {
	if c.Progress != nil {
		c.Progress(Progress{Stage: stage, Done: done, Total: total})
	}
}
