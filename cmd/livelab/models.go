package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"livelab/pipeline/model"
	"livelab/pipeline/publish"
)

func (a *app) modelsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "List, show, promote, roll back and try versions",
		Example: `  livelab models list
  livelab models rollback`,
	}
	var task string
	cmd.PersistentFlags().StringVar(&task, "task", "network-shortage", "`question` that the models answer")
	cmd.AddCommand(a.modelsListCommand(&task), a.modelsShowCommand(&task), a.modelsPromoteCommand(&task), a.modelsRollbackCommand(&task), a.modelsChallengeCommand(&task))
	return cmd
}

// listedVersion is a version as `models list --json` shows it.
type listedVersion struct {
	Version    string `json:"version"`
	Digest     string `json:"digest,omitempty"`
	Champion   bool   `json:"champion"`
	Challenger bool   `json:"challenger"`
	Verdict    string `json:"verdict,omitempty"`
	Error      string `json:"error,omitempty"`
}

func (a *app) registry() *publish.Dir {
	d := publish.OpenDir(a.artifacts)
	d.Log = a.log
	return d
}

func (a *app) modelsListCommand(task *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the versions, the newest first; * marks the champion, + the challenger",
		Args:  cobra.NoArgs,
		Example: `  livelab models list
  livelab models list --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			versions, err := a.listVersions(cmd.Context(), *task)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(versions)
			}
			if len(versions) == 0 {
				a.printf("no version of %s has been trained; run `livelab train`\n", *task)
			}
			for _, v := range versions {
				a.printf("%s\n", v.line())
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) listVersions(ctx context.Context, task string) ([]listedVersion, error) {
	r := a.registry()
	infos, err := r.Versions(ctx, task)
	if err != nil {
		return nil, err
	}
	champion, err := r.Alias(ctx, task, publish.Champion)
	if err != nil && !errors.Is(err, publish.ErrNotFound) {
		return nil, err
	}
	challenger, err := r.Alias(ctx, task, publish.Challenger)
	if err != nil && !errors.Is(err, publish.ErrNotFound) {
		return nil, err
	}
	listed := make([]listedVersion, len(infos))
	for i, info := range infos {
		listed[i] = listedVersion{
			Version: info.Version, Digest: info.Digest, Verdict: string(info.Result),
			Champion: info.Version == champion.Version, Challenger: info.Version == challenger.Version,
		}
		if info.Err != nil {
			listed[i].Error = info.Err.Error()
		}
	}
	return listed, nil
}

func (v listedVersion) line() string {
	mark, said := " ", v.Verdict
	switch {
	case v.Champion:
		mark = "*"
	case v.Challenger:
		mark = "+"
	}
	if said == "" {
		said = "not judged"
	}
	if v.Error != "" {
		said = "broken: " + v.Error
	}
	return fmt.Sprintf("%s %s  %s", mark, v.Version, said)
}

func (a *app) modelsShowCommand(task *string) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show [VERSION]",
		Short:   "Show a version: where it comes from, how good it is, what the gate said",
		Args:    cobra.MaximumNArgs(1),
		Example: "  livelab models show champion",
		RunE: func(cmd *cobra.Command, args []string) error {
			reference := publish.Champion
			if len(args) == 1 {
				reference = args[0]
			}
			v, err := a.registry().Resolve(cmd.Context(), *task, reference)
			if errors.Is(err, publish.ErrNotFound) {
				return fmt.Errorf("there is no version %q of %s; see `livelab models list`", reference, *task)
			}
			if err != nil {
				return err
			}
			if asJSON {
				shown := make(map[string]json.RawMessage)
				for _, name := range []string{model.MetadataFile, model.MetricsFile, model.GateFile} {
					if b, ok := v.Files[name]; ok {
						shown[strings.TrimSuffix(name, ".json")] = b
					}
				}
				return a.printJSON(shown)
			}
			a.printf("%s %s\n%s\n\n%s\n%s", v.Model, v.Version, kindOf(v), v.Files[model.MetadataFile], v.Files[model.GateTable])
			a.printf("\n%s\n", a.whereReport(v))
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// kindOf says what a version's model is, or why that cannot be said.
func kindOf(v publish.Version) string {
	m, err := model.Decode(v.Files[model.ModelFile])
	if err != nil {
		return err.Error()
	}
	return m.Kind()
}

func (a *app) modelsPromoteCommand(task *string) *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:     "promote VERSION",
		Short:   "Make a version that passed the gate the champion",
		Args:    cobra.ExactArgs(1),
		Example: "  livelab models promote 20260601T000000Z-1a2b3c4d",
		RunE: func(cmd *cobra.Command, args []string) error {
			err := a.registry().Promote(cmd.Context(), *task, args[0],
				publish.PromoteOptions{Force: force, At: time.Now(), By: "livelab models promote"})
			if err != nil {
				return refusedError(err)
			}
			a.printf("promoted %s %s\n", *task, args[0])
			return nil
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "promote without a passing verdict; recorded in the registry")
	return cmd
}

// refusedError gives a promotion that the gate stands against its exit code.
func refusedError(err error) error {
	var refused *publish.RefusedError
	if errors.As(err, &refused) {
		return &exitError{exitRefused, err}
	}
	return err
}

func (a *app) modelsRollbackCommand(task *string) *cobra.Command {
	return &cobra.Command{
		Use:     "rollback",
		Short:   "Make the former champion the champion again",
		Args:    cobra.NoArgs,
		Example: "  livelab models rollback --task network-shortage",
		RunE: func(cmd *cobra.Command, _ []string) error {
			from, to, err := a.registry().Rollback(cmd.Context(), *task, time.Now())
			if errors.Is(err, publish.ErrNotFound) {
				return fmt.Errorf("roll %s back: there was no champion before; see `livelab models list`", *task)
			}
			if err != nil {
				return err
			}
			a.printf("rolled %s back from %s to %s\nnext: POST /reload_model\n", *task, from, to)
			return nil
		},
	}
}
