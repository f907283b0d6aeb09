package publish

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"livelab/pipeline/gate"
)

// PromoteOptions say how a version becomes the champion.
type PromoteOptions struct {
	// Force goes past the gate. It is logged as an error and recorded in the
	// alias. It does not go past verification: a broken version never serves.
	Force bool

	At time.Time // when, by the caller's clock
	By string    // who or what, for the record; may be empty
}

// RefusedError says why a version may not become the champion.
type RefusedError struct {
	Model, Version string

	// Result is the gate's, empty where the version was never judged or its
	// verdict cannot be read.
	Result gate.Result
	Reason string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s %s is not published: %s", e.Model, e.Version, e.Reason)
}

// Promote makes a version the champion, in one step. It returns a
// *RefusedError where the version has no passing verdict for exactly its
// digest. To promote the champion again changes nothing.
func (d *Dir) Promote(ctx context.Context, name, version string, o PromoteOptions) error {
	unlock, err := d.lockVersion(ctx, name, version)
	if err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	defer unlock()
	if err := d.promote(ctx, name, version, o); err != nil {
		return fmt.Errorf("promote: %w", err)
	}
	return nil
}

func (d *Dir) promote(ctx context.Context, name, version string, o PromoteOptions) error {
	v, err := d.Read(ctx, name, version)
	if err != nil {
		return err
	}
	next := Step{Version: version, Digest: v.Digest, At: o.At.UTC().Truncate(time.Second), By: o.By}
	if refusal := refuse(v); refusal != nil {
		if !o.Force {
			return refusal
		}
		next.Forced, next.Reason = true, refusal.Reason
	}
	now, err := d.Alias(ctx, name, Champion)
	switch {
	case errors.Is(err, ErrNotFound):
		now = Alias{Step: next}
	case err != nil:
		return err
	case now.Version == version && now.Digest == v.Digest:
		return nil
	default:
		now = Alias{Step: next, History: append([]Step{now.Step}, now.History...)}
	}
	if err := d.writeAlias(name, Champion, now); err != nil {
		return err
	}
	if next.Forced {
		d.log().Error("FORCED PROMOTION: this version went past the gate",
			"model", name, "version", version, "by", o.By, "gate", next.Reason)
		return nil
	}
	d.log().Info("promoted", "model", name, "version", version, "by", o.By)
	return nil
}

// refuse says what the gate has against a version, nil when it passed.
func refuse(v Version) *RefusedError {
	e := &RefusedError{Model: v.Model, Version: v.Version}
	verdict, err := v.Verdict()
	switch {
	case errors.Is(err, ErrNotFound):
		e.Reason = "it has no verdict; run the gate on it first"
	case err != nil:
		e.Reason = err.Error()
	case verdict.Result != gate.Pass:
		e.Result = verdict.Result
		e.Reason = fmt.Sprintf("the gate says %q: %s", verdict.Result, verdict.Conclusion)
	default:
		return nil
	}
	return e
}

// Rollback makes the version that was champion before, and that still
// verifies, the champion again. It gives the versions that it went from and to.
// A second rollback goes further back.
func (d *Dir) Rollback(ctx context.Context, name string, at time.Time) (from, to string, err error) {
	if err := checkModel(name); err != nil {
		return "", "", fmt.Errorf("roll back: %w", err)
	}
	if _, err := d.Alias(ctx, name, Champion); err != nil {
		return "", "", fmt.Errorf("roll back: %w", err)
	}
	unlock, err := d.lock(ctx, name)
	if err != nil {
		return "", "", fmt.Errorf("roll back %s: %w", name, err)
	}
	defer unlock()
	if from, to, err = d.rollback(ctx, name, at); err != nil {
		return "", "", fmt.Errorf("roll back %s: %w", name, err)
	}
	return from, to, nil
}

func (d *Dir) rollback(ctx context.Context, name string, at time.Time) (from, to string, err error) {
	now, err := d.Alias(ctx, name, Champion)
	if err != nil {
		return "", "", err
	}
	var broken error
	for i, before := range now.History {
		if _, err := d.readStep(ctx, name, before); err != nil {
			if ctx.Err() != nil {
				return "", "", ctx.Err()
			}
			d.log().Warn("passed over on the way back: it does not verify", "model", name, "version", before.Version, "error", err)
			broken = errors.Join(broken, err)
			continue
		}
		next := Alias{Step: before, History: now.History[i+1:]}
		next.At, next.By, next.Reason = at.UTC().Truncate(time.Second), "rollback", "rolled back from "+now.Version
		if err := d.writeAlias(name, Champion, next); err != nil {
			return "", "", err
		}
		d.log().Warn("rolled back", "model", name, "from", now.Version, "to", before.Version)
		return now.Version, before.Version, nil
	}
	if broken != nil {
		return "", "", fmt.Errorf("none of the champions before %s verifies: %w", now.Version, broken)
	}
	return "", "", fmt.Errorf("there was no champion before %s: %w", now.Version, ErrNotFound)
}

// lockVersion locks a model that has the version; it makes no folders.
func (d *Dir) lockVersion(ctx context.Context, name, version string) (unlock func(), err error) {
	if err := checkVersion(name, version); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(d.versionPath(name, version)); err != nil {
		return nil, notFound(err, name+" "+version)
	}
	return d.lock(ctx, name)
}
