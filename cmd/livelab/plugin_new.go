package main

import (
	"github.com/spf13/cobra"

	"livelab/plugins"
	"livelab/plugins/abi"
	"livelab/plugins/toolchain"
)

// unitTests are the command lines that run the tests of a new transform in its
// folder.
var unitTests = map[toolchain.Language]string{
	toolchain.Go:             "go test",
	toolchain.C:              "cc -ffp-contract=off -o transform_test transform_test.c && ./transform_test",
	toolchain.Rust:           "rustc --edition 2021 --test -o transform_test transform.rs && ./transform_test",
	toolchain.AssemblyScript: "livelab plugin build . && npm test",
}

func (a *app) pluginNewCommand() *cobra.Command {
	var language string
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Write a folder with a transform that builds, to start from",
		Long: `Write the folder NAME with a small transform in the language of your choice,
what it needs to build, a test and a README. Nothing is fetched.`,
		Args: cobra.ExactArgs(1),
		Example: `  livelab plugin new --lang go crowding
  livelab plugin new --lang c wind_chill`,
		RunE: func(_ *cobra.Command, args []string) error {
			name := args[0]
			if language == "" {
				return usageError("--lang is missing: name go, c, rust or as, which is AssemblyScript")
			}
			if err := oneOf("lang", language, "go", "c", "rust", "as"); err != nil {
				return err
			}
			if !abi.ValidName(name) {
				return usageError("NAME is %q, must be "+abi.NameRule, name)
			}
			if err := plugins.New(name, toolchain.Language(language), name); err != nil {
				return err
			}
			a.printf("wrote %s\n  test it   cd %s && %s\nnext: livelab plugin build %s\n",
				name, name, unitTests[toolchain.Language(language)], name)
			return nil
		},
	}
	cmd.Flags().StringVar(&language, "lang", "", "`language`: go, c, rust, or as for AssemblyScript")
	return cmd
}
