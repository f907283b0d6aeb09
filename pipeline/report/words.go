package report

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"livelab/pipeline/features"
	"livelab/pipeline/metrics"
)

// question says what a task asks.
func question(t features.Task) string {
	when := "now"
	if t.HorizonMinutes > 0 {
		when = "in " + span(t.HorizonMinutes)
	}
	if t.Target.Kind == features.AtMost {
		what := "be empty"
		if t.Target.Bikes > 0 {
			what = fmt.Sprintf("have at most %d bikes", t.Target.Bikes)
		}
		return fmt.Sprintf("Will a station %s %s?", what, when)
	}
	return fmt.Sprintf("Will the share of free bikes of the network %s be under its %g quantile of the last %d days?", when, t.Target.Quantile, t.Target.WindowDays)
}

func span(minutes int) string {
	switch {
	case minutes == 60:
		return "an hour"
	case minutes%60 == 0:
		return fmt.Sprintf("%d hours", minutes/60)
	}
	return fmt.Sprintf("%d minutes", minutes)
}

// decimals gives a score its four decimals.
func decimals(x float64) string {
	if math.IsNaN(x) {
		return "–"
	}
	return strconv.FormatFloat(x, 'f', 4, 64)
}

// exact reads back as the same bits.
func exact(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// data is a number for people that programs can read to the bit.
func data(x float64, shown string) string {
	if math.IsNaN(x) {
		return "–"
	}
	return `<data value="` + exact(x) + `">` + shown + `</data>`
}

func scoreCell(s metrics.Score) template.HTML {
	return template.HTML(data(float64(s), decimals(float64(s))))
}

func intervalCell(i metrics.Interval) template.HTML {
	low, high := float64(i.Low), float64(i.High)
	if math.IsNaN(low) || math.IsNaN(high) {
		return ""
	}
	return template.HTML(`<small class="interval">` + data(low, decimals(low)) + " to " + data(high, decimals(high)) + `</small>`)
}

// differenceCell shows a difference with its interval, marked where the
// interval leaves zero out. better is 1 where more is better, else -1.
func differenceCell(d metrics.Score, i metrics.Interval, better int) template.HTML {
	x := float64(d)
	class, mark := "even", ""
	switch {
	case math.IsNaN(x):
		return `<td class="even">–</td>`
	case i.Low > 0 && better > 0, i.High < 0 && better < 0:
		class, mark = "good", ` <span title="surely better">▲</span>`
	case i.Low > 0 && better < 0, i.High < 0 && better > 0:
		class, mark = "bad", ` <span title="surely worse">▼</span>`
	}
	return template.HTML(`<td class="`+class+`">`+data(x, signed(x))+mark+`<br><small class="interval">`) +
		signedInterval(i) + "</small></td>"
}

func signedInterval(i metrics.Interval) template.HTML {
	low, high := float64(i.Low), float64(i.High)
	if math.IsNaN(low) || math.IsNaN(high) {
		return "no interval"
	}
	return template.HTML(data(low, signed(low)) + " to " + data(high, signed(high)))
}

// signed has a real minus, and a plus.
func signed(x float64) string {
	return strings.Replace(fmt.Sprintf("%+.4f", x), "-", "−", 1)
}

// count sets thousands apart.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// clock shortens an RFC 3339 time to the minute.
func clock(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	return t.UTC().Format("2006-01-02 15:04") + " UTC"
}

// short is the part of a digest that people compare.
func short(digest string) string {
	if len(digest) > 12 {
		return digest[:12]
	}
	return digest
}
