package plugins_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/ingest/sim"
	"livelab/pipeline/train"
)

// scoresDataset names a folder with a frozen dataset to train on in place of
// the simulated cities.
const scoresDataset = "LIVELAB_BENCH_DATASET"

// BenchmarkShippedScores trains without transforms, with each that is shipped
// and with all, and prints the tables of the READMEs: the mean of each score
// over the datasets, and in brackets what a transform changes, with the
// standard deviation of that. One run is enough: -benchtime 1x.
func BenchmarkShippedScores(b *testing.B) {
	names := []string{"none", "all"}
	sets := map[string][]features.Transform{}
	for _, s := range shipped {
		transform := admitShipped(b, s.name, s.language)
		sets[s.name] = []features.Transform{transform}
		sets["all"] = append(sets["all"], transform)
		names = slices.Insert(names, len(names)-1, s.name)
	}
	for _, group := range scoredGroups() {
		datasets := group.datasets(b)
		for _, horizon := range []int{60, 180} {
			b.Run(fmt.Sprintf("%s/horizon=%dm", group.name, horizon), func(b *testing.B) {
				found := scoreTable{}
				for b.Loop() {
					for _, name := range names {
						found[name] = nil
						for _, d := range datasets {
							found[name] = append(found[name], scores(b, d, horizon, sets[name]))
						}
					}
				}
				b.Log(found.markdown(names))
			})
		}
	}
}

// A scoredGroup is datasets that are scored together.
type scoredGroup struct {
	name     string
	datasets func(b *testing.B) []*dataset.Dataset
}

// scoredGroups are the simulator's default city and twenty others that nobody
// looked at when the transforms were made, or what the environment names.
func scoredGroups() []scoredGroup {
	if dir := os.Getenv(scoresDataset); dir != "" {
		return []scoredGroup{{"dataset", func(b *testing.B) []*dataset.Dataset {
			d, err := dataset.Open(dir)
			if err != nil {
				b.Fatal(err)
			}
			return []*dataset.Dataset{d}
		}}}
	}
	return []scoredGroup{
		{"city=1/days=90", func(b *testing.B) []*dataset.Dataset { return cities(b, 1, 1, 90) }},
		{"cities=101-120/days=90", func(b *testing.B) []*dataset.Dataset { return cities(b, 101, 120, 90) }},
		{"cities=101-105/days=365", func(b *testing.B) []*dataset.Dataset { return cities(b, 101, 105, 365) }},
	}
}

// cities are the last days of the simulator's cities of some seeds, as
// `livelab dataset --source sim --seed N --days D` freezes them.
func cities(b *testing.B, from, to uint64, days int) (all []*dataset.Dataset) {
	b.Helper()
	until := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	since := until.AddDate(0, 0, -days)
	for seed := from; seed <= to; seed++ {
		city, err := sim.NewCity(sim.Config{Seed: seed})
		if err != nil {
			b.Fatal(err)
		}
		d := &dataset.Dataset{Network: city.Network(), Series: features.Series{Weather: city.WeatherHistory(since, until)}}
		for s := range city.History(since, until, 10*time.Minute) {
			d.Series.Points = append(d.Series.Points, s.Totals())
		}
		all = append(all, d)
	}
	return all
}

// scoreTable has, by set of transforms, a row of scores for each dataset.
type scoreTable map[string][][]float64

var scoreNames = []string{"PR-AUC", "Brier", "F1", "ECE", "onset PR-AUC", "onset Brier", "backtest Brier"}

func scores(b *testing.B, d *dataset.Dataset, horizon int, transforms []features.Transform) []float64 {
	b.Helper()
	task := features.NetworkShortage()
	task.HorizonMinutes = horizon
	rows, err := features.NewSource(task, d.History(), transforms)
	if err != nil {
		b.Fatal(err)
	}
	trained, err := train.Run(context.Background(), rows, train.Config{Transforms: transforms})
	if err != nil {
		b.Fatal(err)
	}
	r, backtest, folds := trained.Report, 0.0, 0.0
	for _, fold := range r.Folds {
		if fold.Skipped == "" {
			backtest += float64(fold.Scores.Brier)
			folds++
		}
	}
	return []float64{float64(r.PRAUC), float64(r.Brier), float64(r.F1), float64(r.ECE),
		float64(r.Onset.PRAUC), float64(r.Onset.Brier), backtest / folds}
}

func (t scoreTable) markdown(names []string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "| transforms | %s |\n|%s\n", strings.Join(scoreNames, " | "), strings.Repeat(" --- |", len(scoreNames)+1))
	for _, name := range names {
		fmt.Fprintf(&s, "| %s |", name)
		for i := range scoreNames {
			mean, _ := t.change(name, "", i)
			fmt.Fprintf(&s, " %.4f", mean)
			if name != names[0] {
				mean, deviation := t.change(name, names[0], i)
				fmt.Fprintf(&s, " (%+.4f", mean)
				if len(t[name]) > 1 {
					fmt.Fprintf(&s, " ± %.4f", deviation)
				}
				s.WriteByte(')')
			}
			s.WriteString(" |")
		}
		s.WriteByte('\n')
	}
	return strings.TrimSuffix(s.String(), "\n")
}

// change is the mean, and the standard deviation, of a score over the datasets,
// less that of a base where there is one.
func (t scoreTable) change(name, base string, score int) (mean, deviation float64) {
	n := float64(len(t[name]))
	squares := 0.0
	for i, row := range t[name] {
		d := row[score]
		if base != "" {
			d -= t[base][i][score]
		}
		mean += d / n
		squares += d * d / n
	}
	return mean, math.Sqrt(max(0, squares-mean*mean) * n / max(1, n-1))
}
