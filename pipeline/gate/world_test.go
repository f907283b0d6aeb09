package gate

import (
	"math/rand/v2"
	"strings"
	"testing"

	"livelab/pipeline/metrics"
)

var (
	ourDigest   = strings.Repeat("1a2b3c4d", 8)
	theirDigest = strings.Repeat("5e6f7a8b", 8)
)

// world says how forecasts and outcomes are drawn.
type world struct {
	days int

	// share of the hours that tend to be short, and the chance that an hour
	// does not do what it tends to
	tendency, surprise float64

	// chance that persistence is wrong
	change float64
}

var usual = world{days: 20, tendency: 0.3, surprise: 0.05, change: 0.12}

// sample draws 48 rows a day. The model knows the true chances; climatology
// knows the base rate alone.
func (w world) sample() metrics.Sample {
	var s metrics.Sample
	random := rand.New(rand.NewPCG(7, 7))
	for i := range w.days * 48 {
		p := w.surprise + float64(0.2*w.surprise*random.Float64())
		if random.Float64() < w.tendency {
			p = 1 - p
		}
		outcome := random.Float64() < p
		s.At = append(s.At, 1_763_000_000+int64(i)*1800)
		s.Outcome = append(s.Outcome, outcome)
		s.ShortNow = append(s.ShortNow, outcome != (random.Float64() < w.change))
		s.Model = append(s.Model, p)
		s.Climatology = append(s.Climatology, w.tendency)
	}
	return s
}

func (w world) candidate() Candidate {
	return Candidate{
		Model: "network-shortage", Version: "20261123T124243Z-1a2b3c4d", Digest: ourDigest,
		Network: "sim-city", Origin: "simulated", Dataset: strings.Repeat("9c", 32),
		Threshold: 0.5, ClimatologyThreshold: 0.3, Sample: w.sample(),
	}
}

// champion gives another model on the same rows, with the same forecasts.
func (c Candidate) asChampion() *Candidate {
	c.Version, c.Digest = "20261116T090000Z-5e6f7a8b", theirDigest
	c.Sample.Model = append([]float64(nil), c.Sample.Model...)
	return &c
}

// mapModel replaces the model's probabilities.
func (c *Candidate) mapModel(f func(i int, p float64) float64) {
	for i, p := range c.Sample.Model {
		c.Sample.Model[i] = f(i, p)
	}
}

func judge(t *testing.T, rules Rules, c Candidate, champion *Candidate) Verdict {
	t.Helper()
	v, err := Judge(rules, c, champion)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// named lists the rules with that result.
func named(v Verdict, result Result) string {
	var names []string
	for _, r := range v.Rules {
		if r.Result == result {
			names = append(names, r.Name)
		}
	}
	return strings.Join(names, " ")
}
