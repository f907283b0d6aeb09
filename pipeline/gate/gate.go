// Package gate decides whether a trained model may be published. It measures
// the model on the test part beside the baselines and the champion, holds the
// numbers against rules that a user can change, and says why in a verdict for
// programs (gate.json) and for people (gate.md).
//
// A verdict is a pure function of rules, candidate and champion: it holds no
// time of judging, and the same three give the same bytes on any machine.
package gate

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"

	"livelab/pipeline/metrics"
)

// Candidate is a model with its forecasts on the test part.
type Candidate struct {
	Model   string // the registry's name of the model, e.g. "network-shortage"
	Version string
	Digest  string // lower-case hex SHA-256 of model.json

	// Network, Origin ("real" or "simulated") and Dataset, a digest, say what
	// the forecasts were made on. They are shown, not judged.
	Network, Origin, Dataset string

	// Threshold is the least probability that the model calls a shortage, and
	// ClimatologyThreshold the one chosen for climatology on validation.
	Threshold, ClimatologyThreshold float64

	Sample metrics.Sample

	// Present says that the question is about the time of the forecast itself
	// (horizon 0). Persistence then knows the answer, and is no rival.
	Present bool

	// ChampionAbsent says why Judge is given no champion, e.g. "the champion
	// answers for 30 minutes ahead, this model for 60". Empty means that none
	// serves yet.
	ChampionAbsent string
}

// sameModel is why a champion is not compared with itself.
const sameModel = "same model as the champion"

// Judge holds a candidate against the rules. The champion is the model that
// serves now, scored on exactly the same rows; nil when there is none or when
// it answers another question. One with the candidate's digest is the same
// model, and is not compared with itself. Errors are about the input: a model
// that is refused or cannot be decided is a verdict.
func Judge(rules Rules, candidate Candidate, champion *Candidate) (Verdict, error) {
	if err := rules.Validate(); err != nil {
		return Verdict{}, fmt.Errorf("judge %s: %w", candidate.Model, err)
	}
	if err := candidate.validate(); err != nil {
		return Verdict{}, fmt.Errorf("judge %s %s: %w", candidate.Model, candidate.Version, err)
	}
	e := &evidence{rules: rules, candidate: candidate, absent: candidate.ChampionAbsent}
	switch {
	case champion == nil && e.absent == "":
		e.absent = "no champion serves yet"
	case champion == nil:
	case champion.Digest == candidate.Digest:
		e.absent = sameModel
	default:
		if err := champion.validate(); err != nil {
			return Verdict{}, fmt.Errorf("judge against champion %s: %w", champion.Version, err)
		}
		if err := sameRows(candidate.Sample, champion.Sample); err != nil {
			return Verdict{}, fmt.Errorf("judge against champion %s: %w", champion.Version, err)
		}
		e.champion = champion
	}
	return e.verdict(), nil
}

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (c Candidate) validate() error {
	switch {
	case c.Model == "" || c.Version == "":
		return errors.New("the candidate has no model name or no version")
	case !hexDigest.MatchString(c.Digest):
		return fmt.Errorf("digest %q is not a lower-case hex SHA-256", c.Digest)
	case !probability(c.Threshold):
		return fmt.Errorf("threshold is %v, must be 0 to 1", c.Threshold)
	case math.IsNaN(c.ClimatologyThreshold):
		return errors.New("climatology's threshold is not a number")
	}
	return validateSample(c.Sample)
}

func validateSample(s metrics.Sample) error {
	n := s.Len()
	if len(s.Outcome) != n || len(s.ShortNow) != n || len(s.Model) != n || len(s.Climatology) != n {
		return fmt.Errorf("the columns differ in length: %d times, %d outcomes, %d states, %d and %d probabilities",
			n, len(s.Outcome), len(s.ShortNow), len(s.Model), len(s.Climatology))
	}
	if !slices.IsSorted(s.At) {
		return errors.New("the rows are not in ascending order of time")
	}
	for i := range n {
		if !probability(s.Model[i]) || !probability(s.Climatology[i]) {
			return fmt.Errorf("row %d (%s): the model says %v and climatology %v, both must be probabilities",
				i, timestamp(s.At[i]), s.Model[i], s.Climatology[i])
		}
	}
	return nil
}

// sameRows checks that two samples are about the same rows: scores on
// different ones do not compare.
func sameRows(a, b metrics.Sample) error {
	if a.Len() != b.Len() {
		return fmt.Errorf("it was scored on %d rows and the candidate on %d: score both on the candidate's test part", b.Len(), a.Len())
	}
	for i := range a.At {
		if a.At[i] != b.At[i] || a.Outcome[i] != b.Outcome[i] || a.ShortNow[i] != b.ShortNow[i] {
			return fmt.Errorf("row %d is another one (%s against %s, or another outcome): score both on the candidate's test part",
				i, timestamp(b.At[i]), timestamp(a.At[i]))
		}
	}
	return nil
}

func probability(p float64) bool { return p >= 0 && p <= 1 }

func timestamp(at int64) string { return time.Unix(at, 0).UTC().Format(time.RFC3339) }
