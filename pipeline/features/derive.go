package features

import "math"

// DerivedFrom names the column that a derived column is made from, together
// with the threshold, and the one that stands in for it where it is missing.
// Both are empty for a column that is not derived, the latter also where there
// is none. Of a station's columns only short_now is derived: from its bikes.
func (t *Task) DerivedFrom(name string) (of, otherwise string) {
	if t.Entity == EntityStation {
		if name == shortNow {
			return "free_bikes", ""
		}
		return "", ""
	}
	f := lookup(name)
	return f.Of, f.Else
}

// Derive computes a derived column from the value that it is made from and
// the threshold, which a station has no need of. It is NaN where what it needs
// is.
func (t *Task) Derive(name string, of, threshold float64) float64 {
	short := of < threshold
	if t.Entity == EntityStation {
		threshold = float64(t.Target.Bikes)
		short = of <= threshold
	}
	switch {
	case name != shortNow:
		return of - threshold
	case math.IsNaN(of) || math.IsNaN(threshold):
		return math.NaN()
	case short:
		return 1
	}
	return 0
}
