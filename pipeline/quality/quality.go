// Package quality looks a dataset over before anything is trained on it: it
// finds what is missing, what stands still, what jumps and what cannot be true,
// leaves out what the rules exclude, and says so. Data that is too bad is
// refused with the reason.
package quality

import (
	"fmt"
	"strings"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
)

// Report is what was found; quality.json. Lists are in order of time or of ID,
// and hold at most maxListed entries: the counts tell how many there are.
type Report struct {
	Network string `json:"network"`
	Origin  string `json:"origin"`
	Rules   Rules  `json:"rules"`

	From            string  `json:"from,omitempty"` // RFC 3339, the first snapshot
	To              string  `json:"to,omitempty"`   // the last
	Snapshots       int     `json:"snapshots"`
	IntervalMinutes float64 `json:"interval_minutes"` // the median between two snapshots

	// Coverage is the share of the hours from the first snapshot to the last
	// that has a snapshot which is not excluded.
	Coverage float64 `json:"coverage"`

	Gaps    Stretches `json:"gaps"`
	Frozen  Stretches `json:"frozen"`
	Partial Partial   `json:"partial_snapshots"`
	Jumps   Jumps     `json:"jumps"`

	// Impossible counts values that cannot be true.
	Impossible Impossible `json:"impossible_values"`

	Weather  Weather   `json:"weather"`
	Stations *Stations `json:"stations,omitempty"` // nil for a dataset without them

	Excluded []Exclusion `json:"excluded"` // never nil
	Refused  []string    `json:"refused"`  // why the data is too bad to train on; never nil
}

// maxListed is how many of one kind are listed.
const maxListed = 20

// Stretches are times in which something was the matter.
type Stretches struct {
	Count     int       `json:"count"`
	Hours     float64   `json:"hours"`     // of all of them
	Snapshots int       `json:"snapshots"` // that lie in them
	Longest   []Stretch `json:"longest"`   // never nil
}

// Stretch is one of them.
type Stretch struct {
	From  string  `json:"from"` // RFC 3339
	To    string  `json:"to"`
	Hours float64 `json:"hours"`
}

// Partial are snapshots that count a part of the network only.
type Partial struct {
	Count int    `json:"count"`
	First string `json:"first,omitempty"`
	Last  string `json:"last,omitempty"`
}

// Jumps are changes of the whole fleet from one snapshot to the next.
type Jumps struct {
	Count   int    `json:"count"`
	Largest []Jump `json:"largest"` // never nil
}

// Jump is one of them.
type Jump struct {
	At    string `json:"at"`
	What  string `json:"what"` // "bikes" or "docks"
	Was   int32  `json:"was"`
	Is    int32  `json:"is"`
	share float64
}

// Impossible counts what cannot be true, by where it was.
type Impossible struct {
	Snapshots int      `json:"snapshots"`
	Changes   int      `json:"changes"`
	Stations  []string `json:"stations"` // where the changes are; never nil
	Weather   int      `json:"weather"`
}

// Weather says how much of it there is.
type Weather struct {
	Readings int `json:"readings"`

	// Missing is the share of the snapshots that have no weather within its
	// time to live.
	Missing float64 `json:"missing_share"`
}

// Stations says what is the matter with some of them.
type Stations struct {
	Count int `json:"count"`

	Dead            Named `json:"dead"`             // no change for dead_days, at the end
	New             Named `json:"new"`              // first seen in the last three quarters of the time
	Moved           Named `json:"moved"`            // their past before the move does not count
	OutOfService    Named `json:"out_of_service"`   // at the end
	NeverSeen       Named `json:"never_seen"`       // no change at all
	UnknownCapacity Named `json:"unknown_capacity"` // docks are known by what is shown only
	Unplaced        Named `json:"unplaced"`         // no coordinates, so no neighbours

	Changes    int `json:"changes"`
	Duplicates int `json:"duplicates"` // changes that change nothing, left out
}

// Named are stations.
type Named struct {
	Count int      `json:"count"`
	IDs   []string `json:"ids"` // never nil
}

func (n *Named) add(id string) {
	n.Count++
	if len(n.IDs) < maxListed {
		n.IDs = append(n.IDs, id)
	}
}

// Exclusion is what training does not see, and why.
type Exclusion struct {
	What string `json:"what"` // "12 snapshots"
	Why  string `json:"why"`
}

// RefusedError says that data is too bad to train on. For the gate that is data
// which no verdict can rest on.
type RefusedError struct {
	Report  Report
	Network string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("insufficient_data: the data of %s is too bad to train on: %s; see `livelab quality`, collect better data, or change the rules with --quality",
		e.Network, strings.Join(e.Report.Refused, "; "))
}

// Inspect looks over what a task reads of a dataset. It gives the report and the
// dataset without what the rules exclude; d itself stays as it is, and where
// nothing is excluded it is d that comes back. The same three arguments give
// the same two results. A dataset that is refused is a report with reasons in
// Refused; see Report.Err.
func Inspect(d *dataset.Dataset, task features.Task, rules Rules) (Report, *dataset.Dataset) {
	in := &inspection{rules: rules, task: task, d: d}
	in.report = Report{
		Network: d.Network.ID, Origin: string(d.Origin), Rules: rules, Snapshots: len(d.Series.Points),
		Excluded: []Exclusion{}, Refused: []string{},
	}
	in.window()
	stations := in.stations()
	points := in.points(stations)
	weather := in.weather()
	in.coverage(points)
	in.judge()
	if len(in.report.Excluded) == 0 {
		return in.report, d
	}
	clean := *d
	clean.Series = features.Series{Points: points, Weather: weather}
	clean.Stations = stations
	return in.report, &clean
}

// Err is a *RefusedError where the data is too bad to train on.
func (r Report) Err() error {
	if len(r.Refused) == 0 {
		return nil
	}
	return &RefusedError{Report: r, Network: r.Network}
}

// inspection is one look at a dataset.
type inspection struct {
	rules  Rules
	task   features.Task
	d      *dataset.Dataset
	report Report

	excluded int // snapshots
}

func (in *inspection) exclude(n int, what, why string) {
	if n > 0 {
		in.report.Excluded = append(in.report.Excluded, Exclusion{What: counted(n, what), Why: why})
	}
}

// counted says "1 snapshot" or "2 snapshots".
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func stretch(from, to time.Time) Stretch {
	return Stretch{From: timestamp(from), To: timestamp(to), Hours: to.Sub(from).Hours()}
}
