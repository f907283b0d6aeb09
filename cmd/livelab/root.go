package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// app is the state of one run of the program.
type app struct {
	stdout, stderr io.Writer
	getenv         func(string) (string, bool)
	log            *slog.Logger
	logs           *logWriter // what log writes to
	transforms     transforms

	// The flags that every command has.
	store       string
	databaseURL string
	artifacts   string
	logLevel    string
	logFormat   string
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "livelab",
		Short: "Forecast bike-share shortages: collect, train, judge, publish, serve, watch",
		Long: `LiveLab forecasts bike-share shortages and is the whole machine around that
forecast. Start with

  livelab up

which does all of it on this machine. Each step is a command of its own too.

Settings come from flags, then the environment (LIVELAB_ and the flag's name in
capitals, e.g. LIVELAB_LISTEN), then ./livelab.yaml, then the defaults.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the gate refused, 4 the gate
could not decide.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.configure(cmd); err != nil {
				return err
			}
			return a.startLog()
		},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if invalid := (*pflag.InvalidValueError)(nil); errors.As(err, &invalid) {
			f := invalid.GetFlag()
			err = fmt.Errorf("--%s is %q, must be %s", f.Name, invalid.GetValue(), wanted(f.Value.Type(), err))
		}
		return usageError("%w; see `%s --help`", err, cmd.CommandPath())
	})
	root.CompletionOptions.HiddenDefaultCmd = true

	f := root.PersistentFlags()
	f.String("config", "", "configuration `file`, YAML (default: ./livelab.yaml where it is there)")
	f.StringVar(&a.store, "store", "livelab.db", "SQLite `file` that holds the data, unless --database-url is given")
	f.StringVar(&a.databaseURL, "database-url", "", "PostgreSQL `URL` to hold the data instead (also DATABASE_URL, POSTGRES_HOST …)")
	f.StringVar(&a.artifacts, "artifacts", "artifacts", "`folder` of the model registry (also ARTIFACT_DIR)")
	f.StringVar(&a.logLevel, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&a.logFormat, "log-format", "text", "text or json")

	root.AddCommand(
		a.upCommand(), a.ingestCommand(), a.backfillCommand(), a.importCommand(), a.simulateCommand(),
		a.datasetCommand(), a.trainCommand(), a.backtestCommand(), a.matrixCommand(), a.gateCommand(), a.reportCommand(), a.publishCommand(), a.modelsCommand(),
		a.serveCommand(), a.pluginCommand(), a.retrainCommand(), a.qualityCommand(), a.migrateCommand(), a.versionCommand(),
	)
	for _, c := range root.Commands() {
		asUsage(c)
	}
	return root
}

// asUsage gives wrong arguments the exit code of wrong usage. A command that
// only has others below it looks at its arguments where it runs, which cobra
// does not expect of it: a mistyped one would print help and end with 0.
func asUsage(cmd *cobra.Command) {
	if !cmd.Runnable() {
		cmd.Args = cobra.NoArgs
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError("%w; see `%s --help`", err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, c := range cmd.Commands() {
		asUsage(c)
	}
}

func (a *app) startLog() error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.logLevel)); err != nil {
		return usageError("--log-level is %q, must be debug, info, warn or error", a.logLevel)
	}
	opts := &slog.HandlerOptions{Level: level}
	a.logs = &logWriter{to: a.stderr}
	switch a.logFormat {
	case "text":
		a.log = slog.New(slog.NewTextHandler(a.logs, opts))
	case "json":
		a.log = slog.New(slog.NewJSONHandler(a.logs, opts))
	default:
		return usageError("--log-format is %q, must be text or json", a.logFormat)
	}
	return nil
}

// printJSON writes a result for a program.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (a *app) printf(format string, args ...any) {
	fmt.Fprintf(a.stdout, format, args...)
}

// oneOf checks a flag with a short list of values.
func oneOf(flag, value string, values ...string) error {
	for _, v := range values {
		if v == value {
			return nil
		}
	}
	return usageError("--%s is %q, must be one of %s", flag, value, strings.Join(values, ", "))
}

// closing adds the error of a Close to that of the work before it.
func closing(err *error, closer io.Closer) {
	*err = errors.Join(*err, closer.Close())
}
