package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"livelab/pipeline/publish"
)

func (a *app) modelsChallengeCommand(task *string) *cobra.Command {
	var end bool
	cmd := &cobra.Command{
		Use:   "challenge VERSION | challenge --end",
		Short: "Have a version answer beside the champion, for the log alone",
		Long: `Challenge names the version that answers every request beside the champion. No
client sees its answers: they are logged with the role "shadow", so that the two
can be compared once it is known what came to be. It needs no verdict. A server
that watches the registry takes it up by itself, another one on
POST /reload_model.`,
		Args: cobra.MaximumNArgs(1),
		Example: `  livelab models challenge latest
  livelab models challenge 20260601T000000Z-1a2b3c4d
  livelab models challenge --end`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case end && len(args) > 0:
				return usageError("--end is given with the version %q: name a challenger, or end the challenge", args[0])
			case end:
				return a.endChallenge(cmd, *task)
			case len(args) == 0:
				return usageError("name the version that is to be the challenger, see `livelab models list`, or give --end")
			}
			return a.challenge(cmd, *task, args[0])
		},
	}
	cmd.Flags().BoolVar(&end, "end", false, "leave the champion without a challenger")
	return cmd
}

// challengedBy says who names a challenger, for the registry's record.
const challengedBy = "livelab models challenge"

func (a *app) challenge(cmd *cobra.Command, task, reference string) error {
	r := a.registry()
	v, err := r.Resolve(cmd.Context(), task, reference)
	if errors.Is(err, publish.ErrNotFound) {
		return fmt.Errorf("there is no version %q of %s; see `livelab models list`", reference, task)
	}
	if err != nil {
		return err
	}
	err = r.Challenge(cmd.Context(), task, v.Version, publish.ChallengeOptions{At: time.Now(), By: challengedBy})
	if err != nil {
		return err
	}
	a.printf("%s %s is the challenger\n", task, v.Version)
	return nil
}

func (a *app) endChallenge(cmd *cobra.Command, task string) error {
	err := a.registry().EndChallenge(cmd.Context(), task, publish.ChallengeOptions{At: time.Now(), By: challengedBy + " --end"})
	if err != nil {
		return err
	}
	a.printf("%s has no challenger any more\n", task)
	return nil
}
