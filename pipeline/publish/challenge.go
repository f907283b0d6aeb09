package publish

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ChallengeOptions say how a challenge begins or ends.
type ChallengeOptions struct {
	At time.Time // when, by the caller's clock
	By string    // who or what, for the record; may be empty
}

// Challenge makes a version the challenger, in one step: what is tried beside
// the champion and answers no client. It needs no verdict, and must verify. The
// champion cannot challenge itself.
func (d *Dir) Challenge(ctx context.Context, name, version string, o ChallengeOptions) error {
	unlock, err := d.lockVersion(ctx, name, version)
	if err != nil {
		return fmt.Errorf("challenge: %w", err)
	}
	defer unlock()
	if err := d.challenge(ctx, name, version, o); err != nil {
		return fmt.Errorf("challenge: %w", err)
	}
	return nil
}

func (d *Dir) challenge(ctx context.Context, name, version string, o ChallengeOptions) error {
	v, err := d.Read(ctx, name, version)
	if err != nil {
		return err
	}
	champion, err := d.Alias(ctx, name, Champion)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if champion.Version == version {
		return fmt.Errorf("%s %s is the champion; name another version", name, version)
	}
	now, err := d.readAlias(ctx, name, Challenger)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if now.Version == version && now.Digest == v.Digest {
		return nil
	}
	return d.setChallenger(name, now, Step{Version: version, Digest: v.Digest}, o)
}

// EndChallenge leaves the model without a challenger, in one step. Who ended it
// and what it was stay in the alias's record. It wraps ErrNotFound where there
// is none.
func (d *Dir) EndChallenge(ctx context.Context, name string, o ChallengeOptions) error {
	if _, err := d.Alias(ctx, name, Challenger); err != nil {
		return fmt.Errorf("end the challenge: %w", err)
	}
	unlock, err := d.lock(ctx, name)
	if err != nil {
		return fmt.Errorf("end the challenge of %s: %w", name, err)
	}
	defer unlock()
	now, err := d.Alias(ctx, name, Challenger)
	if err == nil {
		err = d.setChallenger(name, now, Step{}, o)
	}
	if err != nil {
		return fmt.Errorf("end the challenge: %w", err)
	}
	return nil
}

// setChallenger writes the next step, which names no version where the
// challenge ends, before those of the alias up to now.
func (d *Dir) setChallenger(name string, now Alias, next Step, o ChallengeOptions) error {
	next.At, next.By = o.At.UTC().Truncate(time.Second), o.By
	history := now.History
	if !now.At.IsZero() {
		history = append([]Step{now.Step}, history...)
	}
	if err := d.writeAlias(name, Challenger, Alias{Step: next, History: history}); err != nil {
		return err
	}
	if next.Version == "" {
		d.log().Info("the challenge has ended", "model", name, "version", now.Version, "by", o.By)
	} else {
		d.log().Info("challenger named", "model", name, "version", next.Version, "by", o.By)
	}
	return nil
}
