package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"livelab/pipeline/features"
	"livelab/plugins/abi"
	"livelab/runtime/wasm"
)

// checkedPlugin is what `plugin check --json` prints.
type checkedPlugin struct {
	File string `json:"file"`
	wasm.Report
	Budget features.Budget `json:"budget"`
}

func (a *app) pluginCheckCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Take a transform through the whole admission and say how each step went",
		Long: `Take the module in FILE through every step that it must pass before it is
offered, whatever is known of it, and keep nothing. The exit code is 0 for one
that would be offered, 1 for one that is refused, 2 for wrong usage.`,
		Args: cobra.ExactArgs(1),
		Example: `  livelab plugin check crowding.wasm
  livelab plugin check crowding.wasm --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := a.checkPlugin(cmd.Context(), args[0])
			// Broken off, which says nothing about the file.
			if err = errors.Join(err, cmd.Context().Err()); err != nil {
				return err
			}
			if asJSON {
				err = a.printJSON(report)
			} else {
				a.printChecked(report)
			}
			return errors.Join(err, report.verdict())
		},
	}
	a.addHostFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) checkPlugin(ctx context.Context, path string) (checkedPlugin, error) {
	code, err := readModule(path)
	if err != nil {
		return checkedPlugin{}, err
	}
	host, err := a.theHost(ctx)
	if err != nil {
		return checkedPlugin{}, err
	}
	return checkedPlugin{path, host.Check(ctx, code), a.transforms.flags.budget()}, nil
}

// mostModule is what readModule takes, in bytes: far more than admission does,
// which is to say so itself.
const mostModule = 64 << 20

// readModule reads a file that the user names, and never waits for a pipe.
func readModule(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usageError("there is no file %s; name the .wasm file that `livelab plugin build` wrote", path)
	case err != nil:
		return nil, usageError("%w", err)
	case !info.Mode().IsRegular():
		return nil, usageError("%s is no regular file; name the .wasm file that `livelab plugin build` wrote", path)
	case info.Size() > mostModule:
		return nil, usageError("%s has %d bytes, which is no transform: they have a few MiB at most", path, info.Size())
	}
	return os.ReadFile(path)
}

// verdict is the error of a module that would not be offered.
func (c checkedPlugin) verdict() error {
	if c.Accepted {
		return nil
	}
	return judgedError(c.File, c.Err())
}

// judgedError says of a file why it is not admitted.
func judgedError(file string, err error) error {
	if refusal := (*wasm.Refusal)(nil); errors.As(err, &refusal) {
		return fmt.Errorf("%s is refused at the step %s: %s", file, refusal.Step, printable(refusal.Reason))
	}
	return fmt.Errorf("%s could not be judged: %w", file, err)
}

func (a *app) printChecked(c checkedPlugin) {
	t := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	for _, s := range c.Steps {
		line := fmt.Sprintf("%s\t%s", s.Step, s.Verdict)
		if remark := c.remark(s); remark != "" {
			line += "\t" + remark
		}
		fmt.Fprintln(t, line)
	}
	fmt.Fprintln(t)
	fmt.Fprintf(t, "file\t%s\n", c.File)
	fmt.Fprintf(t, "digest\t%s\n", c.Digest)
	for _, fact := range c.facts() {
		fmt.Fprintf(t, "%s\t%s\n", fact[0], fact[1])
	}
	if printed := strings.TrimSpace(c.Console); printed != "" {
		for _, line := range strings.Split(printed, "\n") {
			fmt.Fprintf(t, "printed\t%s\n", printable(line))
		}
	}
	_ = t.Flush() // what could not be written fails the command at its end
	if d := c.Description; d != nil {
		a.printDescription(*d)
	}
	if c.Accepted {
		a.printf("\nit would be offered as %s %s\nnext: put it into the plugins folder, or livelab train --transform %s\n",
			c.Description.Name, c.Description.Version, c.File)
	}
}

// remark is what there is to say of a step beside its verdict.
func (c checkedPlugin) remark(s wasm.StepReport) string {
	switch {
	case s.Reason != "":
		return printable(s.Reason)
	case s.Step == wasm.StepProbe && c.Facts.FailedRows > 0:
		return fmt.Sprintf("%d of %d rows failed, which makes their outputs missing; the first: %s",
			c.Facts.FailedRows, c.Facts.ProbeRows, printable(c.Facts.FirstFailed))
	}
	return ""
}

// facts are those that admission came to know before it ended.
func (c checkedPlugin) facts() [][2]string {
	f := c.Facts
	facts := [][2]string{{"size", fmt.Sprintf("%d bytes", f.Bytes)}}
	if f.Metered > 0 {
		facts[0][1] += fmt.Sprintf(", %d with metering, %d functions", f.Metered, f.Functions)
	}
	if f.ProbeRows > 0 {
		facts = append(facts,
			[2]string{"fuel", fmt.Sprintf("%d a row, %d to initialise; a call may spend %d and %d more for each row", f.RowFuel, f.InitFuel, c.Budget.Call, c.Budget.Row)},
			[2]string{"memory", fmt.Sprintf("%d KiB", 64*f.MemoryPages)})
	}
	return facts
}

func (a *app) printDescription(d abi.Description) {
	a.printf("\n%s %s  %s\n", d.Name, d.Version, d.Doc)
	for _, in := range d.Inputs {
		a.printf("  reads  %s\n", in.Name)
	}
	for _, out := range d.Outputs {
		a.printf("  gives  %s.%s%s  %s\n", d.Name, out.Name, bounds(out), out.Doc)
	}
}

// bounds of an output: " (0 to 1)", and nothing where there are none.
func bounds(o abi.Output) string {
	switch {
	case o.Min != nil && o.Max != nil:
		return fmt.Sprintf(" (%v to %v)", *o.Min, *o.Max)
	case o.Min != nil:
		return fmt.Sprintf(" (at least %v)", *o.Min)
	case o.Max != nil:
		return fmt.Sprintf(" (at most %v)", *o.Max)
	}
	return ""
}

// printable makes text that a module had a say in fit for a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
