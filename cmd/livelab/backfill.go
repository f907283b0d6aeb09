package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"livelab/pipeline/ingest"
)

func (a *app) backfillCommand() *cobra.Command {
	var flags sourceFlags
	var months int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "backfill",
		Short: "Fetch the history of bikes and weather, and store it",
		Long: `Backfill fetches the months of history that CityBikes keeps of a network (not of
every one) and the weather of that time. What is stored already stays as it is.
The history is made available by the CityBikes contributors; credit them.`,
		Args:    cobra.NoArgs,
		Example: "  livelab backfill --months 6 --network bikemi",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkMonths(months); err != nil {
				return err
			}
			return a.withSource(cmd.Context(), flags, func(s store, src *source) error {
				return a.backfill(cmd.Context(), s, src, flags, months, asJSON)
			})
		},
	}
	flags.add(cmd, sourceLive)
	cmd.Flags().IntVar(&months, "months", 3, "how many months back to go")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object for each network")
	return cmd
}

func checkMonths(months int) error {
	if months < 1 || months > 240 {
		return usageError("--months is %d, must be 1 to 240", months)
	}
	return nil
}

func (a *app) backfill(ctx context.Context, s store, src *source, flags sourceFlags, months int, asJSON bool) error {
	bars := a.newProgress()
	defer bars.wait()
	h := &historian{app: a, store: s, source: src, flags: flags, bars: bars}
	now := src.now()
	for _, id := range src.networks {
		r, err := h.run(ctx, id, now.AddDate(0, -months, 0), now)
		if err := a.printBackfill(id, r, asJSON); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *app) printBackfill(network string, r ingest.BackfillResult, asJSON bool) error {
	if asJSON {
		return a.printJSON(map[string]any{
			"network": network, "rows": r.Rows, "dropped": r.Dropped, "snapshots": r.Snapshots, "skipped": r.Skipped,
			"changes": r.Changes, "weather": r.Weather, "missing": r.Missing,
		})
	}
	a.printf("%s: %d rows of history, %d snapshots stored, %d were there already, %d changes of stations, %d rows of weather\n",
		network, r.Rows, r.Snapshots, r.Skipped, r.Changes, r.Weather)
	if r.Dropped > 0 {
		a.printf("  %d of the rows were dropped: they have no station ID, or no time of their month\n", r.Dropped)
	}
	if len(r.Missing) > 0 {
		a.printf("  no history of %v\n", r.Missing)
	}
	return nil
}

// historian fetches the history of networks from a source.
type historian struct {
	app    *app
	store  store
	source *source
	flags  sourceFlags
	bars   *progress
}

// run fetches what lies between two times.
func (h *historian) run(ctx context.Context, id string, from, to time.Time) (ingest.BackfillResult, error) {
	at, end := h.bars.step("history of " + id)
	defer end()
	b, err := ingest.NewBackfiller(ingest.BackfillConfig{
		History:  h.source.bikes,
		Weather:  h.source.weather,
		Recorder: &ingest.Recorder{Store: h.store, Origin: h.source.origin},
		Progress: func(p ingest.BackfillProgress) { at(int64(p.Done), int64(p.Total)) },
		Logger:   h.app.log,
		Now:      h.source.now,
	})
	if err != nil {
		return ingest.BackfillResult{}, err
	}
	n, err := h.source.bikes.Network(ctx, id)
	if err != nil {
		return ingest.BackfillResult{}, fmt.Errorf("ask where %s is: %w", id, err)
	}
	if h.flags.located() {
		n.Latitude, n.Longitude = h.flags.lat.value, h.flags.lon.value
	}
	return b.Backfill(ctx, n, from, to)
}
