package main

import (
	"fmt"
	"strconv"
)

// degrees is a flag of a latitude or a longitude that knows whether it was
// given, since 0 is a place like any other.
type degrees struct {
	value float64
	given bool
	limit float64 // the value lies between -limit and limit
}

func (d *degrees) Set(s string) error {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v >= -d.limit && v <= d.limit) { // NaN is out, too
		return fmt.Errorf("must be a number from %v to %v", -d.limit, d.limit)
	}
	d.value, d.given = v, true
	return nil
}

func (d *degrees) String() string {
	if !d.given {
		return ""
	}
	return strconv.FormatFloat(d.value, 'g', -1, 64)
}

func (*degrees) Type() string { return "degrees" }

// located says whether the flags say where the weather is asked for.
func (f *sourceFlags) located() bool { return f.lat.given && f.lon.given }

func (f *sourceFlags) validate() error {
	if f.lat.given != f.lon.given {
		return usageError("--latitude and --longitude (LAT and LON) say a place together: give both or none")
	}
	return oneOf("source", f.source, sourceAuto, sourceLive, sourceSim, sourceReplay)
}
