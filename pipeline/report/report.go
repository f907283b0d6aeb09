// Package report shows a trained version to people: report.html, one page with
// plots and tables that opens from disk without asking anything of a network,
// and card.md, the model's card. Both are pure functions of their input, so
// that the same training has the same report to the byte.
package report

import (
	"errors"
	"fmt"

	"livelab/pipeline/gate"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
)

// Input is what a report is made from. Only Model, Metadata and Metrics are
// always needed; a report leaves out what it is not given, and says so.
type Input struct {
	Model    *model.Model
	Metadata model.Metadata
	Metrics  metrics.Report

	// Test is the test part as the model forecasts it, of Metrics.Test.
	Test metrics.Sample

	// Stations are those that Test.Entity points to; nil for a network.
	Stations []Station

	// Docs are what the transforms say of themselves, by name; may be nil.
	Docs map[string]string

	// Data is what is known of the data before any row was made; nil where
	// nobody inspected it.
	Data *Data

	// Champion is who serves, on the rows of Test; nil where there is none or
	// it answers another question, which ChampionAbsent says.
	Champion       *Champion
	ChampionAbsent string

	// Verdict of the gate; nil before it has judged.
	Verdict *gate.Verdict
}

// Station names an entity.
type Station struct {
	ID   string
	Name string // "" where the source gives none
}

// Champion is the serving version as it forecasts the rows of Test.
type Champion struct {
	Version   string
	Model     *model.Model
	Forecasts []float64 // for the rows of Test
}

// Data describes the data of a training and what was found in it.
type Data struct {
	Facts    []Fact // what it is: "snapshots" "12,961"
	Findings []Fact // gaps and other oddities, one for each
	Excluded []Fact // what training does not see: "12 snapshots", why
}

// Fact is a name with what there is to say of it.
type Fact struct {
	Name string
	Text string
}

// Files gives report.html and card.md.
func Files(in Input) (map[string][]byte, error) {
	if err := in.check(); err != nil {
		return nil, fmt.Errorf("report on %s: %w", in.Metadata.ModelVersion, err)
	}
	p := newPage(in)
	html, err := p.html()
	if err != nil {
		return nil, fmt.Errorf("report on %s: %w", in.Metadata.ModelVersion, err)
	}
	return map[string][]byte{
		model.ReportFile: html,
		model.CardFile:   p.card(),
	}, nil
}

// check refuses columns that are not of the test's rows.
func (in Input) check() error {
	if in.Model == nil {
		return errors.New("there is no model")
	}
	type column struct {
		what string
		rows int
	}
	columns := []column{
		{"outcomes", len(in.Test.Outcome)}, {"values now", len(in.Test.ShortNow)},
		{"forecasts", len(in.Test.Model)}, {"forecasts by climatology", len(in.Test.Climatology)},
	}
	if in.Test.Entity != nil {
		columns = append(columns, column{"stations", len(in.Test.Entity)})
	}
	if in.Champion != nil {
		columns = append(columns, column{"forecasts of the champion", len(in.Champion.Forecasts)})
	}
	for _, c := range columns {
		if n := in.Test.Len(); c.rows != n {
			return fmt.Errorf("there are %d %s for %d test rows", c.rows, c.what, n)
		}
	}
	for _, e := range in.Test.Entity {
		if int(e) < 0 || int(e) >= len(in.Stations) {
			return fmt.Errorf("a row is of station %d, there are %d", e, len(in.Stations))
		}
	}
	return nil
}
