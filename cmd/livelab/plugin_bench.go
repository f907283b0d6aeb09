package main

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"livelab/runtime/wasm/bench"
)

// benchedPlugin is what `plugin bench --json` prints.
type benchedPlugin struct {
	File    string `json:"file"`
	Name    string `json:"name"`
	Version string `json:"version"`
	Digest  string `json:"digest"`
	bench.Report
}

func (a *app) pluginBenchCommand() *cobra.Command {
	var cfg bench.Config
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bench FILE",
		Short: "Measure what a row through a transform costs, beside a loop in Go",
		Long: `Admit the module in FILE and measure it with 1, 64 and 4096 rows a call: a loop
in Go, the module as it was built, the same with metering, and the whole way
through the host as training and serving take it. All of them are measured in
turns, so that what else the machine does hits all; the spread says how much.`,
		Args: cobra.ExactArgs(1),
		Example: `  livelab plugin bench crowding.wasm
  livelab plugin bench crowding.wasm --rounds 1001 --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cfg.Rounds < 1 || cfg.Slice <= 0 {
				return usageError("--rounds is %d and --slice %v, both must be positive", cfg.Rounds, cfg.Slice)
			}
			b, err := a.benchPlugin(cmd.Context(), args[0], cfg)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(b)
			}
			a.printBenched(b)
			return nil
		},
	}
	a.addHostFlags(cmd)
	f := cmd.Flags()
	f.IntVar(&cfg.Rounds, "rounds", bench.DefaultRounds, "how often each way is measured")
	f.DurationVar(&cfg.Slice, "slice", bench.DefaultSlice, "how long each way is measured in a round")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) benchPlugin(ctx context.Context, path string, cfg bench.Config) (benchedPlugin, error) {
	code, err := readModule(path)
	if err != nil {
		return benchedPlugin{}, err
	}
	host, err := a.theHost(ctx)
	if err != nil {
		return benchedPlugin{}, err
	}
	t, err := host.Admit(ctx, code, nil)
	if err != nil {
		return benchedPlugin{}, fmt.Errorf("%s: %w; see `livelab plugin check %s`", path, err, path)
	}
	report, err := bench.Run(ctx, t, cfg)
	if err != nil {
		return benchedPlugin{}, fmt.Errorf("measure %s: %w", path, err)
	}
	spec := t.Spec()
	return benchedPlugin{path, spec.Name, spec.Version, spec.Digest, report}, nil
}

func (a *app) printBenched(b benchedPlugin) {
	a.printf("%s %s, digest %s\nns a row: the median of %d rounds (quartiles)\n\n", b.Name, b.Version, b.Digest, b.Rounds)
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "ROWS\tNATIVE\tUNMETERED\tMETERED\tHOST\tMETERING\tHOST/NATIVE\tFUEL A ROW\t")
	for _, s := range b.Sizes {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%+.1f %%\t%.2f\t%.1f\t\n",
			s.Rows, nanos(s.Native), nanos(s.Unmetered), nanos(s.Metered), nanos(s.Host),
			100*(s.Metering-1), s.TimesNative, s.Fuel)
	}
	_ = t.Flush() // what could not be written fails the command at its end
	a.printf(`
native     a loop in Go: %s
unmetered  the module as it was built, called on rows that are in its memory
metered    the same with the metering of fuel and depth in its code
host       the way of training and serving: metered, rows copied in and out, every value checked
`, b.NativeLoop)
}

func nanos(n bench.Nanos) string {
	return fmt.Sprintf("%s (%s to %s)", short(n.Median), short(n.Lower), short(n.Upper))
}

// short writes nanoseconds with three digits or so.
func short(ns float64) string {
	if ns < 10 {
		return fmt.Sprintf("%.2f", ns)
	}
	return fmt.Sprintf("%.0f", ns)
}
