package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// results are what BenchmarkLoad measured: by question, then contender, then
// round; no rounds where the contender cannot answer the question.
type results [][][]measurement

// over gives one number of each round.
func over(rounds []measurement, number func(measurement) float64) []float64 {
	numbers := make([]float64, len(rounds))
	for i, m := range rounds {
		numbers[i] = number(m)
	}
	return numbers
}

// ratio is the median of the ratios of a number, round by round; NaN where one
// of both was not measured.
func ratio(of, to []measurement, number func(measurement) float64) float64 {
	if len(of) == 0 || len(of) != len(to) {
		return math.NaN()
	}
	ratios := over(of, number)
	for i, n := range over(to, number) {
		ratios[i] /= n
	}
	return median(ratios)
}

func perSecond(m measurement) float64 { return m.perSecond() }
func p50(m measurement) float64       { return float64(m.P50) }
func p99(m measurement) float64       { return float64(m.P99) }
func cpu(m measurement) float64       { return m.cpu }
func allCPU(m measurement) float64    { return m.cpu + m.postgresCPU }
func allocs(m measurement) float64    { return m.allocs }
func resident(m measurement) float64  { return m.resident }
func peak(m measurement) float64      { return m.peak }
func drain(m measurement) float64     { return m.drain.Seconds() }

// baselines are the indices of the contenders that others are compared with.
func baselines(contenders []contender) (bare, off int) {
	named := func(name string) int {
		return slices.IndexFunc(contenders, func(c contender) bool { return c.name == name })
	}
	return named(bareGin), named(notLogged)
}

// report gives the medians to the testing package.
func (r results) report(b *testing.B, contenders []contender) {
	bare, off := baselines(contenders)
	for i, q := range loadQuestions {
		for j, c := range contenders {
			rounds := r[i][j]
			if len(rounds) == 0 {
				continue
			}
			name := strings.NewReplacer(" ", "_", ",", "").Replace(fmt.Sprintf("%s/connections=%d/%s", q.name, q.connections, c.name))
			b.Run(name, func(b *testing.B) {
				b.ReportMetric(median(over(rounds, perSecond)), "requests/s")
				b.ReportMetric(median(over(rounds, p50)), "p50-µs")
				b.ReportMetric(median(over(rounds, p99)), "p99-µs")
				b.ReportMetric(median(over(rounds, cpu)), "cpu-µs/request")
				b.ReportMetric(median(over(rounds, allocs)), "allocs/request")
				b.ReportMetric(slices.Max(over(rounds, peak)), "peak-MiB")
				if q.bare {
					b.ReportMetric(ratio(rounds, r[i][bare], perSecond), "of-bare")
				}
				b.ReportMetric(ratio(rounds, r[i][off], perSecond), "of-no-log")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// print writes a Markdown table.
func (r results) print(w io.Writer, contenders []contender) {
	bare, off := baselines(contenders)
	fmt.Fprint(w, `
| | connections | requests/s (least to most) | of bare Gin | of no log | p50 | p99 | of no log | processor, µs a request | and PostgreSQL's | allocations | MiB resident, peak | log drained after |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
`)
	for i, q := range loadQuestions {
		for j, c := range contenders {
			rounds := r[i][j]
			if len(rounds) == 0 {
				continue
			}
			rates := over(rounds, perSecond)
			fmt.Fprintf(w, "| %s: %s | %d | %s (%s to %s) | %s | %s | %s | %s | %s | %.1f | %s | %.0f | %.0f, %.0f | %s |\n",
				q.name, c.name, q.connections,
				thousands(median(rates)), thousands(slices.Min(rates)), thousands(slices.Max(rates)),
				known("%.2f", ratio(rounds, r[i][bare], perSecond)), known("%.2f", ratio(rounds, r[i][off], perSecond)),
				milliseconds(median(over(rounds, p50))), milliseconds(median(over(rounds, p99))),
				known("%.2f", ratio(rounds, r[i][off], p99)),
				median(over(rounds, cpu)), c.postgresShare(rounds),
				median(over(rounds, allocs)), median(over(rounds, resident)), slices.Max(over(rounds, peak)),
				c.drained(rounds))
		}
	}
	fmt.Fprintf(w, "\nMedians of %d rounds of %v each, interleaved; load from wrk in a process of its own.\n\n", *loadRounds, *loadLasting)
}

func (c *contender) postgresShare(rounds []measurement) string {
	if c.log == nil || c.log.postmaster == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", median(over(rounds, allCPU))-median(over(rounds, cpu)))
}

func (c *contender) drained(rounds []measurement) string {
	if c.log == nil {
		return ""
	}
	seconds := over(rounds, drain)
	return fmt.Sprintf("%.2f s, at most %.2f s", median(seconds), slices.Max(seconds))
}

// known formats a number, NaN as nothing.
func known(format string, x float64) string {
	if math.IsNaN(x) {
		return ""
	}
	return fmt.Sprintf(format, x)
}

func milliseconds(µs float64) string { return fmt.Sprintf("%.2f ms", µs/1e3) }

// thousands writes 12345 as 12,345.
func thousands(x float64) string {
	n := int64(math.Round(x))
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(float64(n/1000)), n%1000)
}
