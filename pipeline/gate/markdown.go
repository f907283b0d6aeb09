package gate

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"livelab/pipeline/metrics"
)

// Markdown gives gate.md: the verdict for people.
func (v Verdict) Markdown() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# Gate: %s %.8s\n\n**%s.** %s\n\n", cell(v.Model), cell(v.Digest), v.Result.word(), cell(v.Conclusion))
	v.writeFacts(&b)
	b.WriteString("\n## Rules\n\n")
	v.writeRules(&b)
	if v.Scores == nil {
		return []byte(b.String())
	}
	fmt.Fprintf(&b, "\n## Scores on the test part\n\n%s\n\n", rowCount(v.Scores.Model))
	v.Scores.write(&b)
	fmt.Fprintf(&b, "\n## Scores on the onset\n\nOnly the rows that are not short when the forecast is made, where persistence knows nothing: %s\n\n",
		rowCount(v.Onset.Model))
	v.Onset.write(&b)
	return []byte(b.String())
}

func (r Result) word() string {
	switch r {
	case Pass:
		return "Pass"
	case Fail:
		return "Fail"
	case Inconclusive:
		return "Inconclusive"
	case InsufficientData:
		return "Insufficient data"
	}
	return "Not applied"
}

func (v Verdict) writeFacts(b *strings.Builder) {
	data := v.Network
	if v.Origin != "" {
		data += " (" + v.Origin + " data)"
	}
	test := "no rows"
	if v.Test.Samples > 0 {
		test = fmt.Sprintf("%s to %s, on %d UTC days", v.Test.From, v.Test.To, v.Test.Days)
	}
	champion := "none: " + v.ChampionAbsent
	switch {
	case v.Champion != nil:
		champion = v.Champion.Version
	case v.ChampionAbsent == sameModel:
		champion = "this very model"
	}
	b.WriteString("| | |\n| --- | --- |\n")
	for _, f := range [][2]string{
		{"digest", v.Digest}, {"network", data}, {"dataset", v.Dataset}, {"test part", test}, {"champion", champion},
	} {
		fmt.Fprintf(b, "| %s | %s |\n", f[0], cell(f[1]))
	}
}

func (v Verdict) writeRules(b *strings.Builder) {
	b.WriteString("| rule | ours | limit | 95 % interval | verdict |\n| --- | ---: | ---: | ---: | --- |\n")
	for _, r := range v.Rules {
		ours, limit := apart(float64(r.Value), float64(r.Limit))
		if limit != "" {
			limit = r.Comparison.sign() + " " + limit
		}
		interval := ""
		if !math.IsNaN(float64(r.Low)) {
			interval = fmt.Sprintf("%s to %s", number(r.Low), number(r.High))
		}
		word := strings.ToLower(r.Result.word())
		if r.Result != Pass && r.Result != NotApplied {
			word = "**" + word + "**"
		}
		if r.Note != "" {
			word += ": " + r.Note
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", cell(r.Explanation), ours, limit, interval, cell(word))
	}
}

func (c Comparison) sign() string {
	switch c {
	case AtLeast:
		return "≥"
	case AtMost:
		return "≤"
	}
	return string(c)
}

func (s *Board) write(b *strings.Builder) {
	b.WriteString("| | F1 | precision | recall | PR-AUC | ROC-AUC | Brier | log loss | ECE | threshold |\n")
	b.WriteString("| --- " + strings.Repeat("| ---: ", 9) + "|\n")
	writeScores(b, "model", s.Model)
	if s.Champion != nil {
		writeScores(b, "champion", *s.Champion)
	}
	writeScores(b, "persistence", s.Persistence)
	writeScores(b, "climatology", s.Climatology)
	writeScores(b, "always short", s.AlwaysShort)
}

func writeScores(b *strings.Builder, name string, s metrics.Scores) {
	fmt.Fprintf(b, "| %s ", name)
	for _, x := range []metrics.Score{
		s.F1, s.Precision, s.Recall, s.PRAUC, s.ROCAUC, s.Brier, s.LogLoss, s.ECE, s.Threshold,
	} {
		fmt.Fprintf(b, "| %s ", number(x))
	}
	b.WriteString("|\n")
}

func rowCount(s metrics.Scores) string {
	return fmt.Sprintf("%d rows, %d of them short at t+h.", s.Samples, s.Positives)
}

// number gives four decimals, and a dash for what is undefined.
func number(x metrics.Score) string {
	if math.IsNaN(float64(x)) {
		return "–"
	}
	return strconv.FormatFloat(float64(x), 'f', 4, 64)
}

// apart formats two numbers with as many decimals, four or more, as tell them
// apart: "0.6000 is under 0.6000" helps nobody.
func apart(x, y float64) (string, string) {
	a, b := decimal(x, 4), decimal(y, 4)
	for digits := 5; digits <= 20 && x != y && sameNumber(a, b); digits++ {
		a, b = decimal(x, digits), decimal(y, digits)
	}
	return a, b
}

func sameNumber(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}

// decimal leaves whole numbers without a fraction, and is empty for NaN.
func decimal(x float64, digits int) string {
	switch {
	case math.IsNaN(x):
		return ""
	case x == math.Trunc(x):
		digits = 0
	}
	return strconv.FormatFloat(x, 'f', digits, 64)
}

var escapes = strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<=", "≤", "<", "&lt;", "`", "'")

// cell makes text safe inside a table.
func cell(s string) string { return escapes.Replace(s) }
