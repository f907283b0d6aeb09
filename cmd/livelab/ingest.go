package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"livelab/pipeline/ingest"
)

func (a *app) ingestCommand() *cobra.Command {
	var flags sourceFlags
	var once, asJSON bool
	var every time.Duration
	cmd := &cobra.Command{
		Use:   "ingest",
		Short: "Fetch what the networks and the weather show now, and store it",
		Args:  cobra.NoArgs,
		Example: `  livelab ingest --once --network oslo-bysykkel,bikemi
  livelab ingest --every 5m`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !once && every < time.Second {
				return usageError("--every is %s, must be at least a second", every)
			}
			ctx := cmd.Context()
			return a.withSource(ctx, flags, func(s store, src *source) error {
				c, err := a.collector(s, src, flags, nil)
				if err != nil {
					return err
				}
				if !once {
					return stopped(ctx, c.Run(ctx, every))
				}
				cycle := c.Collect(ctx)
				if err := a.printCycle(cycle, asJSON); err != nil {
					return err
				}
				return cycle.Err()
			})
		},
	}
	flags.add(cmd, sourceLive)
	f := cmd.Flags()
	f.BoolVar(&once, "once", false, "fetch once and end")
	f.DurationVar(&every, "every", 5*time.Minute, "how often to fetch")
	f.BoolVar(&asJSON, "json", false, "with --once: print JSON")
	return cmd
}

// collector sets up what asks a source again and again.
func (a *app) collector(s store, src *source, flags sourceFlags, stored func(network string)) (*ingest.Collector, error) {
	cfg := ingest.CollectorConfig{
		Networks: src.networks,
		Bikes:    src.bikes,
		Weather:  src.weather,
		Recorder: &ingest.Recorder{Store: s, Origin: src.origin},
		Stored:   stored,
		Logger:   a.log,
		Now:      src.now,
	}
	if flags.located() {
		cfg.Latitude, cfg.Longitude = &flags.lat.value, &flags.lon.value
	}
	return ingest.NewCollector(cfg)
}

// networkCycle is what --json shows of one network.
type networkCycle struct {
	Network   string `json:"network"`
	Snapshots int    `json:"snapshots"`
	Changes   int    `json:"changes"`
	Weather   int    `json:"weather"`
	Duplicate bool   `json:"duplicate"`
	Freshness string `json:"freshness,omitempty"`
	Oddities  string `json:"oddities,omitempty"`
	Error     string `json:"error,omitempty"`

	stale time.Duration // for the line; the freshness says it in JSON
}

func (a *app) printCycle(cycle ingest.Cycle, asJSON bool) error {
	var out []networkCycle
	for _, r := range cycle.Networks {
		n := networkCycle{
			Network: r.Network, Snapshots: r.Bikes.Snapshots, Changes: r.Bikes.Changes, Weather: r.Weather.Weather,
			Duplicate: r.Bikes.Duplicate, Oddities: r.Oddities.String(), stale: r.Stale,
		}
		if !r.Freshness.IsZero() {
			n.Freshness = r.Freshness.Format(time.RFC3339)
		}
		if err := r.Err(); err != nil {
			n.Error = err.Error()
		}
		out = append(out, n)
	}
	if asJSON {
		return a.printJSON(out)
	}
	for _, n := range out {
		a.printf("%s\n", n.line())
	}
	return nil
}

func (n networkCycle) line() string {
	if n.Freshness == "" {
		return n.Network + ": nothing stored"
	}
	line := fmt.Sprintf("%s: as of %s, %d snapshots, %d changes of stations, %d rows of weather", n.Network, n.Freshness, n.Snapshots, n.Changes, n.Weather)
	switch {
	case n.Duplicate:
		line = fmt.Sprintf("%s: the payload of %s is stored already", n.Network, n.Freshness)
	case n.Oddities != "":
		line += "; mended: " + n.Oddities
	}
	if n.stale > 0 {
		line += fmt.Sprintf("; the feed stands still, this is %s old", n.stale.Round(time.Minute))
	}
	return line
}
