package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"livelab/pipeline/model"
	"livelab/pipeline/publish"
)

func (a *app) reportCommand() *cobra.Command {
	var task, version, out, datasetDir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write a version's report and model card anew, with the verdict and beside the champion",
		Long: `Report scores a version on its test rows again, beside the baselines and today's
champion on the same rows, and writes report.html (one page that opens from
disk) and card.md (the model card) into the version. Training and the gate do
that, too: report is for versions that were trained before, and for another
champion. Without --version it shows the one trained last.`,
		Args: cobra.NoArgs,
		Example: `  livelab report
  livelab report --task station-shortage --version champion --out report.html`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, d, err := a.wayOver(task, "", datasetDir)
			if err != nil {
				return err
			}
			r, err := w.Report(cmd.Context(), task, version, d)
			if err != nil {
				return err
			}
			folder := a.versionFolder(task, r.Version)
			page, card := filepath.Join(folder, model.ReportFile), filepath.Join(folder, model.CardFile)
			if out != "" {
				page = out
				if err := os.WriteFile(out, r.Files[model.ReportFile], 0o644); err != nil {
					return fmt.Errorf("write the report: %w", err)
				}
			}
			if asJSON {
				return a.printJSON(map[string]string{"model": task, "version": r.Version, "report": page, "card": card})
			}
			a.printf("%s %s\n  report  %s\n  card    %s\n", task, r.Version, page, card)
			return nil
		},
	}
	a.addHostFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&task, "task", "network-shortage", "`question` that the model answers")
	f.StringVar(&version, "version", "", "`version` to show, or champion (default: the one trained last)")
	f.StringVar(&out, "out", "", "write the page to this `file`, too")
	f.StringVar(&datasetDir, "dataset", "", "the version's dataset, a `folder` (default: the one frozen beside it)")
	f.BoolVar(&asJSON, "json", false, "print where the files are as JSON")
	return cmd
}

// whereReport says where a version's report is, or how to come by one.
func (a *app) whereReport(v publish.Version) string {
	if _, ok := v.Files[model.ReportFile]; !ok {
		return fmt.Sprintf("report: none yet; run `livelab report --task %s --version %s`", v.Model, v.Version)
	}
	return "report: " + filepath.Join(a.versionFolder(v.Model, v.Version), model.ReportFile)
}

// versionFolder is where the registry keeps a version.
func (a *app) versionFolder(task, version string) string {
	return filepath.Join(a.artifacts, task, "versions", version)
}
