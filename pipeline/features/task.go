// Package features turns observations into the rows that a model learns from
// and predicts from. There is one way to build a row, used by training and by
// serving alike, and nothing that is known only after a row's time enters it.
package features

import (
	"fmt"
	"time"
)

// Entity is what a row is about.
type Entity string

// The entities.
const (
	EntityNetwork Entity = "network"
	EntityStation Entity = "station"
)

// TargetKind names a rule that makes a label.
type TargetKind string

// The kinds of target.
const (
	// BelowQuantile: free_ratio(t+h) < q_t, where q_t is a quantile of
	// free_ratio over the trailing window, known at t.
	BelowQuantile TargetKind = "free_ratio_below_quantile"

	// AtMost: free_bikes(t+h) <= Bikes.
	AtMost TargetKind = "free_bikes_at_most"
)

// Target is the rule that makes a label.
type Target struct {
	Kind       TargetKind `json:"kind"`
	Quantile   float64    `json:"quantile,omitempty"`    // BelowQuantile: in (0, 1)
	WindowDays int        `json:"window_days,omitempty"` // BelowQuantile: length of the trailing window
	Bikes      int        `json:"bikes,omitempty"`       // AtMost
}

// Task is the question that a model answers: will the entity be short at t+h?
// It is part of the model, so that serving builds rows as training did.
type Task struct {
	Name   string `json:"name"`
	Entity Entity `json:"entity"`
	Target Target `json:"target"`

	// HorizonMinutes is h, 0 to 1440.
	HorizonMinutes int `json:"horizon_minutes"`

	// ToleranceMinutes is how far from t+h an observation may be that still
	// makes the label.
	ToleranceMinutes int `json:"tolerance_minutes"`

	// StepMinutes is the width of the slots that rows are taken from: the
	// first observation in each makes a row.
	StepMinutes int `json:"step_minutes"`

	// BikesTTLMinutes and WeatherTTLMinutes are the ages, in minutes, up to
	// which a value stands for the present. What is older is missing.
	BikesTTLMinutes   int `json:"bikes_ttl_minutes"`
	WeatherTTLMinutes int `json:"weather_ttl_minutes"`

	// StateTTLMinutes is how long a station's last change stands for what it
	// shows: a station that stands still for longer is dead or its feed is
	// frozen, and its rows are missing. 0 for a network.
	StateTTLMinutes int `json:"state_ttl_minutes,omitempty"`

	// ClimatologyDays is the length of the trailing window that the
	// climatology features are taken from.
	ClimatologyDays int `json:"climatology_days"`
}

// NetworkShortage is the default task: will the network be short of bikes?
func NetworkShortage() Task {
	return Task{
		Name:              "network-shortage",
		Entity:            EntityNetwork,
		Target:            Target{Kind: BelowQuantile, Quantile: 0.20, WindowDays: 14},
		HorizonMinutes:    60,
		ToleranceMinutes:  15,
		StepMinutes:       10,
		BikesTTLMinutes:   60,
		WeatherTTLMinutes: 180,
		ClimatologyDays:   56,
	}
}

// StationShortage asks of each station whether it will have at most so many
// bikes.
func StationShortage(bikes int) Task {
	return Task{
		Name:              "station-shortage",
		Entity:            EntityStation,
		Target:            Target{Kind: AtMost, Bikes: bikes},
		HorizonMinutes:    60,
		ToleranceMinutes:  15,
		StepMinutes:       20,
		BikesTTLMinutes:   60,
		WeatherTTLMinutes: 180,
		StateTTLMinutes:   7 * 24 * 60,
		ClimatologyDays:   28,
	}
}

// Validate says what is wrong with the task, if anything.
func (t Task) Validate() error {
	if t.Entity != EntityNetwork && t.Entity != EntityStation {
		return fmt.Errorf("task %q: unknown entity %q", t.Name, t.Entity)
	}
	if t.HorizonMinutes < 0 || t.HorizonMinutes > 24*60 {
		return fmt.Errorf("task %q: horizon is %d minutes, must be 0 to 1440", t.Name, t.HorizonMinutes)
	}
	switch t.Target.Kind {
	case BelowQuantile:
		if !(t.Target.Quantile > 0 && t.Target.Quantile < 1) {
			return fmt.Errorf("task %q: quantile is %v, must be between 0 and 1", t.Name, t.Target.Quantile)
		}
		if t.Target.WindowDays < 1 {
			return fmt.Errorf("task %q: window is %d days, must be at least 1", t.Name, t.Target.WindowDays)
		}
	case AtMost:
		if t.Target.Bikes < 0 {
			return fmt.Errorf("task %q: bikes is %d, must not be negative", t.Name, t.Target.Bikes)
		}
	default:
		return fmt.Errorf("task %q: unknown target %q", t.Name, t.Target.Kind)
	}
	for _, f := range []struct {
		name    string
		minutes int
		least   int
	}{
		{"tolerance", t.ToleranceMinutes, 0},
		{"step", t.StepMinutes, 1},
		{"bikes TTL", t.BikesTTLMinutes, 1},
		{"weather TTL", t.WeatherTTLMinutes, 1},
		{"climatology window", t.ClimatologyDays * 24 * 60, 1},
	} {
		if f.minutes < f.least {
			return fmt.Errorf("task %q: %s is %d minutes, must be at least %d", t.Name, f.name, f.minutes, f.least)
		}
	}
	return nil
}

// Rule says the question in a line.
func (t Task) Rule() string {
	what := fmt.Sprintf("free_bikes(t+%dmin) <= %d", t.HorizonMinutes, t.Target.Bikes)
	if t.Target.Kind == BelowQuantile {
		what = fmt.Sprintf("free_ratio(t+%dmin) < its %g quantile over the %d days up to t", t.HorizonMinutes, t.Target.Quantile, t.Target.WindowDays)
	}
	return what + ", for a " + string(t.Entity)
}

// Horizon is h.
func (t Task) Horizon() time.Duration { return minutes(t.HorizonMinutes) }

// Tolerance is the label's tolerance.
func (t Task) Tolerance() time.Duration { return minutes(t.ToleranceMinutes) }

// Embargo is the least time between the last row of one split and the first of
// the next: so long that no label of the former was observed in the latter.
func (t Task) Embargo() time.Duration { return t.Horizon() + t.Tolerance() }

// History is how far back a row looks: the series that builds a row at t must
// reach from t-History to t.
func (t Task) History() time.Duration {
	days := max(t.ClimatologyDays, t.Target.WindowDays, 7)
	// The oldest climatology label was made from a threshold of its own, and a
	// station's oldest state from a change before it.
	return time.Duration(days+t.Target.WindowDays+1)*24*time.Hour + t.Embargo() + minutes(t.StateTTLMinutes)
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }
