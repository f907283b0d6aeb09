package main

import "github.com/spf13/cobra"

func (a *app) pluginCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plugin",
		Short: "Write, build, check and measure transforms: features of your own in WebAssembly",
		Example: `  livelab plugin new --lang go my_feature
  livelab plugin build my_feature
  livelab plugin check my_feature/my_feature.wasm`,
	}
	cmd.AddCommand(a.pluginNewCommand(), a.pluginBuildCommand(), a.pluginCheckCommand(), a.pluginBenchCommand(), a.pluginListCommand())
	return cmd
}
