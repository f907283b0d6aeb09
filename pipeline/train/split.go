package train

import (
	"sort"
	"time"

	"livelab/pipeline/metrics"
)

// span is a stretch of a table's rows: from lo up to hi, hi left out.
type span struct{ lo, hi int }

func (s span) len() int { return s.hi - s.lo }

// parts of a table's rows. Between the last row of a part and the first of the
// next lies at least the task's embargo, and a time is never cut in two.
type parts struct{ train, validation, test span }

// split divides the rows by time, in the shares that the configuration says.
// The embargo is taken from the end of the earlier part.
func split(t *table, cfg Config) parts {
	all := span{0, t.len()}
	past, test := t.cut(all, share(t.len(), cfg.Train+cfg.Validation))
	train, validation := t.cut(past, share(t.len(), cfg.Train))
	return parts{train: train, validation: validation, test: test}
}

// share is s·n, rounded.
func share(n int, s float64) int { return int(float64(s*float64(n)) + 0.5) }

// cut divides rows before the i-th of them: after holds it and all later rows,
// and those of the same time; before what is at least the embargo older than
// it.
func (t *table) cut(s span, i int) (before, after span) {
	i += s.lo
	if i >= s.hi {
		return s, span{s.hi, s.hi}
	}
	start := t.at[i]
	first := s.lo + sort.Search(i-s.lo, func(k int) bool { return t.at[s.lo+k] >= start })
	known := start - int64(t.task.Embargo()/time.Second)
	end := s.lo + sort.Search(first-s.lo, func(k int) bool { return t.at[s.lo+k] > known })
	return span{s.lo, end}, span{first, s.hi}
}

func (p parts) check(t *table) error {
	for _, part := range []struct {
		name string
		rows span
	}{{"train", p.train}, {"validation", p.validation}, {"test", p.test}} {
		if n := t.positives(part.rows); n == 0 || n == part.rows.len() {
			return &OneClassError{Part: part.name, Rows: part.rows.len(), Positives: n}
		}
	}
	return nil
}

// outcomes of rows; the caller must not change them.
func (t *table) outcomes(s span) []bool { return t.short[s.lo:s.hi] }

func (t *table) positives(s span) int { return countTrue(t.outcomes(s)) }

// window gives the times of the first and the last row.
func (t *table) window(s span) (from, to time.Time) {
	return time.Unix(t.at[s.lo], 0).UTC(), time.Unix(t.at[s.hi-1], 0).UTC()
}

// part describes rows for the report.
func (t *table) part(s span) metrics.Part {
	p := metrics.Part{Samples: s.len(), Positives: t.positives(s)}
	if s.len() > 0 {
		from, to := t.window(s)
		p.From, p.To = from.Format(time.RFC3339), to.Format(time.RFC3339)
	}
	return p
}
