package main

import "github.com/spf13/cobra"

func (a *app) pluginCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "Write and build transforms: features of your own in WebAssembly",
		Example: `  livelab plugin new --lang go my_feature
  livelab plugin build my_feature`,
	}
	cmd.AddCommand(a.pluginNewCommand(), a.pluginBuildCommand())
	return cmd
}
