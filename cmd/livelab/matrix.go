package main

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"livelab/pipeline/dataset"
	"livelab/pipeline/features"
	"livelab/pipeline/model"
	"livelab/pipeline/retrain"
	"livelab/pipeline/train"
	"livelab/pipeline/train/matrix"
)

func (a *app) matrixCommand() *cobra.Command {
	var flags trainFlags
	var out, version string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "matrix",
		Short: "Write the rows of a training into a file, for notebooks and other trainers",
		Long: `Matrix writes the labelled rows exactly as train sees them: when, of which
station, whether it was and came to be short, the part that training puts the
row in, and every input. With --version they are the rows of that version, with
its probabilities beside them. A name that ends in .npz is for numpy.load, one
that ends in .parquet for everything else.`,
		Args: cobra.NoArgs,
		Example: `  livelab matrix --out rows.parquet
  livelab matrix --task station-shortage --dataset frozen --out rows.npz --version latest`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if ext := filepath.Ext(out); ext != ".npz" && ext != ".parquet" {
				return usageError("--out is %q, must be a new file that ends in .npz or .parquet", out)
			}
			var l *train.Layout
			err := a.training(cmd.Context(), flags, func(w *retrain.Way, d *dataset.Dataset, task features.Task, cfg train.Config) (err error) {
				l, err = writeMatrix(cmd.Context(), w, d, task, cfg, out, version)
				return err
			})
			switch {
			case err != nil:
				return a.trainError(err, asJSON)
			case asJSON:
				return a.printJSON(map[string]any{"matrix": out, "rows": len(l.At), "inputs": l.Inputs})
			}
			a.printf("wrote %d rows of %d inputs\n  file  %s\n", len(l.At), len(l.Inputs), out)
			return nil
		},
	}
	flags.add(cmd)
	a.addHostFlags(cmd)
	cmd.Flags().StringVar(&out, "out", "", "new `file`, .npz or .parquet")
	cmd.Flags().StringVar(&version, "version", "", "`version` whose rows and probabilities are written")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func writeMatrix(ctx context.Context, w *retrain.Way, d *dataset.Dataset, task features.Task, cfg train.Config, out, version string) (*train.Layout, error) {
	var m *model.Model
	var l *train.Layout
	var err error
	if version == "" {
		l, err = w.Layout(ctx, d, task, cfg)
	} else {
		m, l, err = w.VersionLayout(ctx, d, task.Name, version)
	}
	if err != nil {
		return nil, err
	}
	return l, matrix.Write(ctx, out, l, m)
}
