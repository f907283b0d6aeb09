package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"livelab/runtime/wasm/catalogue"
)

func (a *app) pluginListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the transforms of the plugins folder and those that are shipped",
		Args:  cobra.NoArgs,
		Example: `  livelab plugin list
  livelab plugin list --plugins /srv/plugins --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.theCatalogue(cmd.Context())
			if err != nil {
				return err
			}
			problem := c.Load(cmd.Context())
			if err := cmd.Context().Err(); err != nil {
				return problem
			}
			listing := c.List()
			if asJSON {
				return errors.Join(a.printJSON(listing), problem)
			}
			a.printPlugins(listing)
			return problem
		},
	}
	a.addHostFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) printPlugins(l catalogue.Listing) {
	if len(l.Plugins) == 0 {
		a.printf("there is no transform in %s; write one with `livelab plugin new`\n", a.transforms.flags.plugins)
		return
	}
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tVERSION\tDIGEST\tSTATE\tFILE\tOUTPUTS")
	for _, p := range l.Plugins {
		file := printable(p.File)
		if p.Shipped {
			file += " (shipped)"
		}
		name, version, digest := "-", "-", "-"
		if p.Available {
			name, version, digest = p.Name, p.Version, p.Digest[:12]
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", name, version, digest, p.State, file, outputs(p))
	}
	_ = t.Flush() // what could not be written fails the command at its end
	for _, p := range l.Plugins {
		if p.Reason != "" {
			a.printf("%s: %s\n", printable(p.File), p.Reason)
		}
	}
	if l.Skipped > 0 {
		a.printf("%d more files are not looked at, as there are too many; use fewer or another --plugins\n", l.Skipped)
	}
}

func outputs(p catalogue.Entry) string {
	var names []string
	for _, o := range p.Outputs {
		names = append(names, o.Name)
	}
	return strings.Join(names, " ")
}
