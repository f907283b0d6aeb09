package gate

import (
	"math"

	"livelab/pipeline/metrics"
)

// evidence is what the checks look at.
type evidence struct {
	rules     Rules
	candidate Candidate
	champion  *Candidate // nil when there is nothing to compare with
	absent    string     // why champion is nil

	test  Test
	all   Board
	onset Board
}

func (e *evidence) verdict() Verdict {
	c := e.candidate
	e.test = testPart(c.Sample)
	v := Verdict{
		Format: Format,
		Model:  c.Model, Digest: c.Digest,
		Network: c.Network, Origin: c.Origin, Dataset: c.Dataset,
		Test:           e.test,
		Bootstrap:      e.rules.Bootstrap,
		ChampionAbsent: e.absent,
	}
	if e.champion != nil {
		v.ChampionAbsent = ""
		v.Champion = &Champion{Version: e.champion.Version, Digest: e.champion.Digest}
	}
	measurable := e.test.Positives > 0 && e.test.Positives < e.test.Samples
	if measurable {
		e.all, e.onset = e.board(false), e.board(true)
		v.Scores, v.Onset = &e.all, &e.onset
	}
	for _, ch := range checks {
		v.Rules = append(v.Rules, ch.judge(e, measurable))
	}
	v.Result = decide(v.Rules)
	v.Conclusion = conclude(v)
	return v
}

func testPart(s metrics.Sample) Test {
	t := Test{Samples: s.Len()}
	if t.Samples == 0 {
		return t
	}
	t.From, t.To = timestamp(s.At[0]), timestamp(s.At[t.Samples-1])
	last := math.Inf(-1)
	for i, at := range s.At {
		if day := math.Floor(float64(at) / 86400); day != last {
			t.Days++
			last = day
		}
		if s.Outcome[i] {
			t.Positives++
		}
	}
	return t
}

// board scores everyone on the candidate's rows, or on those of them that are
// not short when the forecast is made.
func (e *evidence) board(onset bool) Board {
	ours := e.candidate.Sample
	if onset {
		ours = ours.Onset()
	}
	b := Board{
		Model:       ours.Scores(e.candidate.Threshold),
		Forecasters: ours.Baselines(e.candidate.ClimatologyThreshold),
	}
	if e.champion != nil {
		theirs := e.champion.Sample
		if onset {
			theirs = theirs.Onset()
		}
		scores := theirs.Scores(e.champion.Threshold)
		b.Champion = &scores
	}
	return b
}

// brierDifference is the mean of a's squared error less b's, with the 95 %
// interval over resampled days; NaN where there are too few days for one.
func (e *evidence) brierDifference(a, b []float64) measured {
	s := e.candidate.Sample
	rows := metrics.SquaredErrors(a, s.Outcome)
	sum := 0.0
	for i, other := range metrics.SquaredErrors(b, s.Outcome) {
		rows[i] -= other
		sum += rows[i]
	}
	m := measured{value: sum / float64(len(rows))}
	m.low, m.high = metrics.BootstrapDays(s.At, rows, e.rules.Bootstrap.Resamples, e.rules.Bootstrap.Seed)
	return m
}
