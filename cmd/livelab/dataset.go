package main

import (
	"time"

	"github.com/spf13/cobra"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/ingest/sim"
	"livelab/pipeline/observation"
)

// simulatedUntil is where a dataset of the simulator ends unless it is told
// otherwise: a fixed time, so that everybody's is the same.
const simulatedUntil = "2026-06-01T00:00:00Z"

func (a *app) datasetCommand() *cobra.Command {
	var from, network, out, asOf string
	var days int
	var seed uint64
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "dataset",
		Short: "Freeze a dataset: Parquet files with a manifest and a digest",
		Args:  cobra.NoArgs,
		Example: `  livelab dataset --source store --out frozen
  livelab dataset --source sim --seed 7 --days 120 --out sim-7`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := oneOf("source", from, "store", sourceSim); err != nil {
				return err
			}
			if out == "" {
				return usageError("--out is missing: name a new folder for the dataset")
			}
			if days < 1 || days > 3660 {
				return usageError("--days is %d, must be 1 to 3660", days)
			}
			until, err := parseAsOf(asOf, from)
			if err != nil {
				return err
			}
			d, err := a.freeze(cmd, from, network, seed, days, until)
			if err != nil {
				return err
			}
			if err := d.Write(out); err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(map[string]any{
					"dataset": out, "digest": d.Digest(), "network": d.Network.ID, "origin": d.Origin,
					"snapshots": len(d.Series.Points), "weather": len(d.Series.Weather),
					"stations": len(d.Stations.List), "changes": d.Changes(),
				})
			}
			a.printf("froze %s data of %s: %d snapshots, %d rows of weather, %d changes of %d stations\n  digest  %s\n  folder  %s\nnext: livelab train --dataset %s\n",
				d.Origin, d.Network.ID, len(d.Series.Points), len(d.Series.Weather), d.Changes(), len(d.Stations.List),
				d.Digest(), out, out)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&from, "source", "store", "store or sim")
	f.StringVar(&network, "network", "", "`network` to freeze; not needed where the store holds one only")
	f.StringVar(&out, "out", "", "new `folder` for the dataset")
	f.StringVar(&asOf, "as-of", "", "`time` up to which data is taken, RFC 3339 (default: all of the store; for sim "+simulatedUntil+")")
	f.IntVar(&days, "days", 90, "length of a simulated past")
	f.Uint64Var(&seed, "seed", 1, "which city the simulator makes")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func parseAsOf(asOf, from string) (time.Time, error) {
	if asOf == "" && from == sourceSim {
		asOf = simulatedUntil
	}
	if asOf == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, asOf)
	if err != nil {
		return t, usageError("--as-of is %q, must be a time such as 2026-03-01T00:00:00Z", asOf)
	}
	return t.UTC(), nil
}

func (a *app) freeze(cmd *cobra.Command, from, network string, seed uint64, days int, until time.Time) (d *dataset.Dataset, err error) {
	if from == sourceSim {
		return simulatedDataset(sim.Config{Seed: seed}, days, until)
	}
	s, err := a.openStore(cmd.Context())
	if err != nil {
		return nil, err
	}
	defer closing(&err, s)
	return dataset.FromStore(cmd.Context(), s, dataset.Selection{Network: network, To: until, Stations: true})
}

// simulatedDataset is the past of a simulated city: a snapshot every ten
// minutes, what changed at each station between them, and hourly weather.
func simulatedDataset(cfg sim.Config, days int, until time.Time) (*dataset.Dataset, error) {
	city, err := sim.NewCity(cfg)
	if err != nil {
		return nil, err
	}
	since := until.Add(-time.Duration(days) * 24 * time.Hour)
	d := &dataset.Dataset{
		Network: city.Network(),
		Origin:  observation.OriginSimulated,
		Series:  features.Series{Weather: city.WeatherHistory(since, until)},
	}
	d.Stations = &features.Stations{List: city.Stations()}
	d.Stations.Past = make([]features.Changes, len(d.Stations.List))
	var shown []observation.Reading
	for s := range city.History(since, until, 10*time.Minute) {
		d.Series.Points = append(d.Series.Points, s.Totals())
		for i, r := range s.Readings { // in the order of the stations, as both are sorted
			if shown == nil || shown[i].State != r.State {
				d.Stations.Past[i].Add(s.At, r.State)
			}
		}
		shown = s.Readings
	}
	return d, nil
}
