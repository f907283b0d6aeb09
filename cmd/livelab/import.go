package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"livelab/pipeline/ingest"
	"livelab/pipeline/observation"
)

func (a *app) importCommand() *cobra.Command {
	var network string
	var simulated, asJSON bool
	cmd := &cobra.Command{
		Use:   "import FILE…",
		Short: "Store recorded data: CSV, gzipped CSV or Parquet",
		Long: `Import stores recorded data. A file is stored whole or not at all; a bad row is
named by its line. What is stored already is skipped, so that importing a file
twice does no harm.

  bikes    ts,network,station_id,free_bikes,empty_slots
  weather  ts,temp_2m,precipitation,wind_speed_10m   (network may be a column, else --network)
  stations station_id,name,lat,lon,capacity          (as weather; name and capacity may be absent)

A file of stations replaces what is stored of them, and may come before or after
their bikes. Columns may come in any order; an empty cell is an unknown value; ts is RFC 3339
or Unix seconds.`,
		Args:    cobra.MinimumNArgs(1),
		Example: "  livelab import availability.csv.gz weather.csv --network oslo-bysykkel",
		RunE: func(cmd *cobra.Command, files []string) (err error) {
			s, err := a.openStore(cmd.Context())
			if err != nil {
				return err
			}
			defer closing(&err, s)
			rec := &ingest.Recorder{Store: s, Origin: observation.OriginReal}
			if simulated {
				rec.Origin = observation.OriginSimulated
			}
			for _, file := range files {
				network, err := networkOf(cmd.Context(), s, network)
				if err != nil {
					return err
				}
				start := time.Now()
				r, err := a.importFile(cmd, rec, file, network)
				if err != nil {
					return err
				}
				if err := a.printImport(file, r, time.Since(start), asJSON); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&network, "network", "", "`network` of rows that name none; not needed where the store holds one only")
	f.BoolVar(&simulated, "simulated", false, "the data was made by the simulator")
	f.BoolVar(&asJSON, "json", false, "print a JSON object for each file")
	return cmd
}

// networkOf is the network of rows that name none: the given one, else the only
// one in the store, else none.
func networkOf(ctx context.Context, s store, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	known, err := s.Networks(ctx)
	if err != nil || len(known) != 1 {
		return "", err
	}
	return known[0].ID, nil
}

func (a *app) importFile(cmd *cobra.Command, rec *ingest.Recorder, file, network string) (ingest.ImportResult, error) {
	bars := a.newProgress()
	at, end := bars.step("import " + file)
	defer bars.wait()
	defer end()
	return ingest.Import(cmd.Context(), rec, file, ingest.ImportOptions{
		Network:  network,
		Progress: func(p ingest.ImportProgress) { at(p.Bytes, p.Total) },
		Logger:   a.log,
	})
}

func (a *app) printImport(file string, r ingest.ImportResult, took time.Duration, asJSON bool) error {
	if r.Kind == ingest.KindStations {
		return a.printStations(file, r, asJSON)
	}
	if asJSON {
		return a.printJSON(map[string]any{
			"file": file, "kind": r.Kind, "rows": r.Rows, "networks": r.Networks,
			"from": r.First.Format(time.RFC3339), "to": r.Last.Format(time.RFC3339),
			"snapshots": r.Snapshots, "skipped": r.Skipped, "changes": r.Changes, "weather": r.Weather,
			"repeated": r.Repeated, "contradicted": r.Contradicted, "seconds": took.Seconds(),
		})
	}
	a.printf("imported %s: %d rows of %s, %v, from %s to %s\n", file, r.Rows, r.Kind, r.Networks,
		r.First.Format(time.RFC3339), r.Last.Format(time.RFC3339))
	if r.Kind == observation.KindBikes {
		a.printf("  %d snapshots stored, %d were there already, %d changes of stations\n", r.Snapshots, r.Skipped, r.Changes)
	}
	a.printRepeated(r)
	a.printf("  %.1f s, %.0f rows a second\n", took.Seconds(), float64(r.Rows)/took.Seconds())
	return nil
}

func (a *app) printStations(file string, r ingest.ImportResult, asJSON bool) error {
	if asJSON {
		return a.printJSON(map[string]any{
			"file": file, "kind": r.Kind, "rows": r.Rows, "networks": r.Networks, "stations": r.Stations,
			"repeated": r.Repeated, "contradicted": r.Contradicted,
		})
	}
	a.printf("imported %s: %d stations, %v\n", file, r.Stations, r.Networks)
	a.printRepeated(r)
	return nil
}

func (a *app) printRepeated(r ingest.ImportResult) {
	if r.Repeated+r.Contradicted > 0 {
		a.printf("  %d rows said the same twice, %d contradicted an earlier one and replaced it\n", r.Repeated, r.Contradicted)
	}
}
