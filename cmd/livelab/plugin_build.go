package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"livelab/plugins/toolchain"
)

func (a *app) pluginBuildCommand() *cobra.Command {
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "build DIR",
		Short: "Build a transform's folder into one .wasm file",
		Long: `Build the transform in DIR with the compiler of its language: go; clang and
lld; rustc with the target wasm32-unknown-unknown; or asc, which npm installs
into DIR where it is missing. The variables CLANG, RUSTC and ASC name another.`,
		Args: cobra.ExactArgs(1),
		Example: `  livelab plugin build crowding
  livelab plugin build . --out ../plugins/crowding.wasm`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOut(out); err != nil {
				return err
			}
			t := toolchain.Toolchain{Say: func(line string) { a.log.Info(line) }}
			built, err := t.Build(cmd.Context(), args[0], out)
			if refusal := (*toolchain.CompilerError)(nil); errors.As(err, &refusal) {
				return compilerError(a.stderr, args[0], refusal)
			}
			if err != nil {
				return err
			}
			fmt.Fprint(a.stderr, built.Output)
			if asJSON {
				return a.printJSON(map[string]any{
					"path": built.Path, "language": built.Language, "bytes": built.Size, "digest": built.Digest,
				})
			}
			a.printf("built %s from %s, %d bytes\n  digest  %s\nnext: livelab plugin check %s\n",
				built.Path, built.Language, built.Size, built.Digest, built.Path)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`file` to write (default: DIR/NAME.wasm, after the folder)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// checkOut refuses a file in a folder that there is none of, before anything is
// compiled.
func checkOut(out string) error {
	if out == "" {
		return nil
	}
	folder := filepath.Dir(out)
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usageError("--out is %s, and there is no folder %s: make it, or name another", out, folder)
	case err != nil:
		return usageError("--out: %w", err)
	case !info.IsDir():
		return usageError("--out is %s, and %s is no folder: name another", out, folder)
	}
	return nil
}

// compilerError shows all that a compiler said, once, and is the error that
// comes after it.
func compilerError(stderr io.Writer, dir string, refusal *toolchain.CompilerError) error {
	if strings.TrimSpace(refusal.Output) == "" {
		return refusal
	}
	fmt.Fprintln(stderr, strings.TrimRight(refusal.Output, "\n"))
	return fmt.Errorf("%s does not build %s (%w): mend what it says above", refusal.Tool, dir, refusal.Err)
}
