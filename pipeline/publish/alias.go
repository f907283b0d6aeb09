package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"livelab/pipeline/model"
)

// The aliases.
const (
	Champion   = "champion"   // what serves
	Challenger = "challenger" // what is tried beside it
	Latest     = "latest"     // what was added last
)

// Alias points to a version. Its file holds the way back as well, so that both
// change in one step.
type Alias struct {
	Step

	// History is what the alias pointed to before, the newest first: the way
	// that rollbacks go. At most 100 are kept.
	History []Step `json:"history,omitempty"`
}

// Step is one setting of an alias. That of a challenge that has ended names no
// version.
type Step struct {
	Version string    `json:"version"`
	Digest  string    `json:"digest"`       // of the version's model.json
	At      time.Time `json:"at"`           // UTC, whole seconds
	By      string    `json:"by,omitempty"` // who or what set it

	// Forced is whether it went past the gate, and Reason what the gate had
	// against it, or from where it was rolled back.
	Forced bool   `json:"forced"`
	Reason string `json:"reason,omitempty"`
}

const maxHistory = 100

func isAlias(s string) bool { return s == Champion || s == Challenger || s == Latest }

// Alias says what an alias points to. It wraps ErrNotFound where it was never
// set, or is a challenge that has ended.
func (d *Dir) Alias(ctx context.Context, name, alias string) (Alias, error) {
	if err := checkModel(name); err != nil {
		return Alias{}, fmt.Errorf("read alias: %w", err)
	}
	if !isAlias(alias) {
		return Alias{}, fmt.Errorf("read alias: %q is none: there are %s, %s and %s", alias, Champion, Challenger, Latest)
	}
	a, err := d.readAlias(ctx, name, alias)
	if errors.Is(err, ErrNotFound) || err == nil && a.Version == "" {
		return Alias{}, &unsetError{name, alias}
	}
	if err != nil {
		return Alias{}, fmt.Errorf("read alias %s of %s: %w", alias, name, err)
	}
	return a, nil
}

// unsetError says that an alias was never set, or is not any more. It is an ErrNotFound.
type unsetError struct{ model, alias string }

func (e *unsetError) Error() string {
	switch e.alias {
	case Latest:
		return e.model + " has no version: none has been trained"
	case Challenger:
		return e.model + " has no challenger: see `livelab models challenge`"
	}
	return fmt.Sprintf("%s has no %s: none has been published", e.model, e.alias)
}

func (e *unsetError) Unwrap() error { return ErrNotFound }

func (d *Dir) readAlias(ctx context.Context, name, alias string) (Alias, error) {
	if err := ctx.Err(); err != nil {
		return Alias{}, err
	}
	path := d.aliasPath(name, alias)
	info, err := os.Lstat(path)
	if err != nil {
		return Alias{}, notFound(err, "open its file")
	}
	if !info.Mode().IsRegular() || info.Size() > maxAliasBytes {
		return Alias{}, fmt.Errorf("%s is no regular file of at most %d bytes", path, maxAliasBytes)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return Alias{}, notFound(err, "open its file")
	}
	a, err := parseAlias(b, alias)
	if err != nil {
		return Alias{}, fmt.Errorf("%s is broken, remove it and promote again: %w", path, err)
	}
	return a, nil
}

func parseAlias(b []byte, alias string) (Alias, error) {
	var a Alias
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return a, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return a, errors.New("there is more after the alias")
	}
	for _, s := range append([]Step{a.Step}, a.History...) {
		if alias == Challenger && s.Version == "" && s.Digest == "" {
			continue
		}
		if !versionName.MatchString(s.Version) || !hexDigest.MatchString(s.Digest) {
			return a, fmt.Errorf("it points to %q with digest %q, which is no version", s.Version, s.Digest)
		}
	}
	return a, nil
}

func (d *Dir) writeAlias(name, alias string, a Alias) error {
	a.History = a.History[:min(len(a.History), maxHistory)]
	b, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return fmt.Errorf("encode alias %s: %w", alias, err)
	}
	if err := d.replaceFiles(name, replacement{d.aliasPath(name, alias), append(b, '\n')}); err != nil {
		return fmt.Errorf("set alias %s: %w", alias, err)
	}
	return nil
}

// Resolve reads the version that a reference means: an alias or a version's
// own name.
func (d *Dir) Resolve(ctx context.Context, name, reference string) (Version, error) {
	if !isAlias(reference) {
		return d.Read(ctx, name, reference)
	}
	a, err := d.Alias(ctx, name, reference)
	if err != nil {
		return Version{}, err
	}
	v, err := d.readStep(ctx, name, a.Step)
	if err != nil {
		return Version{}, fmt.Errorf("follow alias %s of %s: %w", reference, name, err)
	}
	return v, nil
}

// readStep reads what an alias points to, which must be what it meant when it
// was set.
func (d *Dir) readStep(ctx context.Context, name string, s Step) (Version, error) {
	v, err := d.Read(ctx, name, s.Version)
	if err != nil {
		return Version{}, err
	}
	if v.Digest != s.Digest {
		return Version{}, fmt.Errorf("%s %s has digest %s, the alias was set to %s: the version was changed",
			model.ModelFile, s.Version, v.Digest, s.Digest)
	}
	return v, nil
}
