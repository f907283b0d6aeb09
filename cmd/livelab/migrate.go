package main

import (
	"github.com/spf13/cobra"
)

func (a *app) migrateCommand() *cobra.Command {
	var status, asJSON bool
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the store's schema up to date",
		Long: `Migrate brings the store's schema up to date. Every command that opens the store
does so too; this one is for those who want it as a step of its own.`,
		Args:    cobra.NoArgs,
		Example: "  livelab migrate --status",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			s, err := a.connect(cmd.Context())
			if err != nil {
				return err
			}
			defer closing(&err, s)
			if !status {
				if err := s.Migrate(cmd.Context()); err != nil {
					return err
				}
			}
			current, latest, err := s.Version(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(map[string]int64{"current": current, "latest": latest})
			}
			a.printf("schema version %d of %d\n", current, latest)
			return nil
		},
	}
	cmd.Flags().BoolVar(&status, "status", false, "only say where the schema stands")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
