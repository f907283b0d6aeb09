package main

import (
	"github.com/spf13/cobra"
)

func (a *app) publishCommand() *cobra.Command {
	var task, version string
	var force, asJSON bool
	cmd := &cobra.Command{
		Use:   "publish",
		Short: "Make a version that passed the gate the champion",
		Args:  cobra.NoArgs,
		Example: `  livelab publish
  livelab publish --version 20260301T020000Z-1a2b3c4d`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := parseTask(task); err != nil {
				return err
			}
			w, err := a.way("")
			if err != nil {
				return err
			}
			if force {
				a.log.Warn("publishing without asking for the gate's verdict, as --force says; this is recorded")
			}
			published, err := w.Publish(cmd.Context(), task, version, force, "livelab publish")
			if err != nil {
				return refusedError(err)
			}
			if asJSON {
				return a.printJSON(map[string]any{"model": task, "version": published, "alias": "champion", "forced": force})
			}
			a.printf("published %s %s\nnext: livelab serve\n", task, published)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&task, "task", "network-shortage", "`question` that the model answers")
	f.StringVar(&version, "version", "", "`version` to publish (default: the one trained last)")
	f.BoolVar(&force, "force", false, "publish without a passing verdict; recorded in the registry")
	f.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
