package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"livelab/pipeline/metrics"
)

// Format is the version of gate.json that this program reads and writes.
const Format = 1

// Result is what came out, of one rule or of all.
type Result string

// The results.
const (
	Pass             Result = "pass"
	Fail             Result = "fail"
	Inconclusive     Result = "inconclusive"      // too little to decide on
	InsufficientData Result = "insufficient_data" // no rows, or one class only: nothing can be measured
	NotApplied       Result = "not_applied"       // of a rule only: switched off, or nothing to compare with
)

// Comparison is how a rule's number must lie to its limit.
type Comparison string

// The comparisons.
const (
	AtLeast Comparison = ">="
	Above   Comparison = ">"
	AtMost  Comparison = "<="
)

// Verdict is what the gate says of one model; gate.json.
type Verdict struct {
	Format     int    `json:"format"`
	Result     Result `json:"result"`
	Conclusion string `json:"conclusion"` // one sentence that says why

	// A verdict is about a digest and not about a version, whose name has the
	// time of the training in it: the same model on the same rows has the same
	// verdict, to the byte, whoever trained it and when.
	Model   string `json:"model"`
	Digest  string `json:"digest"` // of model.json
	Network string `json:"network"`
	Origin  string `json:"origin"`
	Dataset string `json:"dataset"`

	Test Test `json:"test"`

	// Champion is null where nothing was compared with; ChampionAbsent then
	// says why.
	Champion       *Champion `json:"champion"`
	ChampionAbsent string    `json:"champion_absent,omitempty"`

	Bootstrap Bootstrap    `json:"bootstrap"`
	Rules     []RuleResult `json:"rules"`

	// Scores and Onset are null for InsufficientData.
	Scores *Board `json:"scores"`
	Onset  *Board `json:"onset"`
}

// Test is the part of the data that was judged on.
type Test struct {
	From      string `json:"from"` // RFC 3339, the first row
	To        string `json:"to"`   // the last row
	Days      int    `json:"days"` // UTC days with rows
	Samples   int    `json:"n_samples"`
	Positives int    `json:"positives"`
}

// Champion is the model that was compared with.
type Champion struct {
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

// Board holds everyone's scores on the same rows.
type Board struct {
	Model    metrics.Scores  `json:"model"`
	Champion *metrics.Scores `json:"champion"` // null without one
	metrics.Forecasters
}

// RuleResult is one rule, applied.
type RuleResult struct {
	Name        string `json:"name"`
	Explanation string `json:"explanation"`

	// Value is ours, null where it was not measured. Where there is an
	// interval, Low is what is compared with the limit, not Value.
	Value      metrics.Score `json:"value"`
	Comparison Comparison    `json:"comparison"`
	Limit      metrics.Score `json:"limit"`
	Low        metrics.Score `json:"low"` // the 95 % interval, null where the rule needs none
	High       metrics.Score `json:"high"`
	Result     Result        `json:"result"`
	Note       string        `json:"note,omitempty"` // why it was not applied or not decided
}

// decide sums up the rules. Too few positives decide nothing, even where a
// rule fails: on so few rows that may be chance. Otherwise one failed rule
// refuses, and one undecided rule leaves all undecided.
func decide(rules []RuleResult) Result {
	found := make(map[Result]bool)
	for _, r := range rules {
		found[r.Result] = true
		if r.Name == checks[0].name && r.Result == Inconclusive {
			return Inconclusive
		}
	}
	for _, r := range []Result{InsufficientData, Fail, Inconclusive} {
		if found[r] {
			return r
		}
	}
	return Pass
}

// JSON gives gate.json: canonical, so that equal verdicts are equal bytes.
func (v Verdict) JSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode verdict: %w", err)
	}
	return b.Bytes(), nil
}

// ParseVerdict reads gate.json. It refuses what JSON would not have written
// and a result that does not follow from the rules.
func ParseVerdict(b []byte) (Verdict, error) {
	v, err := parseVerdict(b)
	if err != nil {
		return Verdict{}, fmt.Errorf("parse verdict: %w", err)
	}
	return v, nil
}

func parseVerdict(b []byte) (Verdict, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var v Verdict
	if err := d.Decode(&v); err != nil {
		return v, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, errors.New("there is more after the verdict")
	}
	if v.Format != Format {
		return v, fmt.Errorf("format is %d, this program reads %d: judge again", v.Format, Format)
	}
	if !hexDigest.MatchString(v.Digest) {
		return v, fmt.Errorf("digest %q is not a lower-case hex SHA-256", v.Digest)
	}
	if err := consistent(v); err != nil {
		return v, err
	}
	canonical, err := v.JSON()
	if err != nil {
		return v, err
	}
	if !bytes.Equal(canonical, b) {
		return v, errors.New("the file is not in its canonical form; it was changed after judging")
	}
	return v, nil
}

// consistent checks that the rules are the gate's own, each with the result
// that its numbers give, and that the whole follows from them.
func consistent(v Verdict) error {
	if len(v.Rules) != len(checks) {
		return fmt.Errorf("it has %d rules, the gate has %d: judge again", len(v.Rules), len(checks))
	}
	for i, r := range v.Rules {
		ch := checks[i]
		if r.Name != ch.name || r.Comparison != ch.comparison {
			return fmt.Errorf("rule %d is %q %s, the gate's is %q %s: judge again", i, r.Name, r.Comparison, ch.name, ch.comparison)
		}
		if r.Result != NotApplied && r.Result != InsufficientData && r.Result != ch.compare(r) {
			return fmt.Errorf("rule %s says %q, its numbers say %q: it was changed after judging", r.Name, r.Result, ch.compare(r))
		}
	}
	if got := decide(v.Rules); got != v.Result {
		return fmt.Errorf("the result is %q, the rules give %q: it was changed after judging", v.Result, got)
	}
	return nil
}
