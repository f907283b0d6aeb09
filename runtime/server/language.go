package server

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/template"
)

// language is a language that explanations are written in.
type language struct {
	code string
	text *template.Template
}

// The languages; the first is the default.
var languages = []language{
	newLanguage("it", ",", `
{{- if .Positive}}È probabile una carenza di bici{{else}}Una carenza di bici è improbabile{{end}}
{{- if .Minutes}} tra {{.Minutes}} minuti{{else}} in questo momento{{end}}
{{- with .Network}} nella rete {{.}}{{end}}: la probabilità è {{percent .Probability}}, la soglia {{percent .Threshold}}.
{{- with .Raising}} Aumentano il rischio: {{list .}}.{{end}}
{{- with .Lowering}} Lo riducono: {{list .}}.{{end}}
{{- with .Imputed}} Mancavano, e sono stati sostituiti da valori presunti: {{join .}}.{{end}}`),
	newLanguage("en", ".", `
{{- if .Positive}}A shortage of bikes is likely{{else}}A shortage of bikes is unlikely{{end}}
{{- if .Minutes}} in {{.Minutes}} minutes{{else}} right now{{end}}
{{- with .Network}} in the network {{.}}{{end}}: the probability is {{percent .Probability}}, the threshold {{percent .Threshold}}.
{{- with .Raising}} Raising the risk: {{list .}}.{{end}}
{{- with .Lowering}} Lowering it: {{list .}}.{{end}}
{{- with .Imputed}} Missing, and replaced by assumed values: {{join .}}.{{end}}`),
}

func newLanguage(code, point, text string) language {
	number := func(v float64, digits int) string {
		return strings.NewReplacer(".", point, "-", "−").Replace(strconv.FormatFloat(v, 'f', digits, 64))
	}
	funcs := template.FuncMap{
		"percent": func(v float64) string { return number(100*v, 1) + " %" },
		"join":    join,
		"list": func(cs []contribution) string {
			var items []string
			for _, c := range cs {
				items = append(items, fmt.Sprintf("%s = %s (%s)", c.Feature, number(c.Value, decimals(c.Value)), signed(c.Contribution, number)))
			}
			return strings.Join(items, ", ")
		},
	}
	return language{code, template.Must(template.New(code).Funcs(funcs).Parse(text))}
}

// join names the first few and counts the rest.
func join(names []string) string {
	if more := len(names) - mostNamed; more > 0 {
		return fmt.Sprintf("%s (+%d)", strings.Join(names[:mostNamed], ", "), more)
	}
	return strings.Join(names, ", ")
}

// decimals are as many as leave about three significant digits.
func decimals(v float64) int {
	switch a := math.Abs(v); {
	case a == math.Trunc(a), a >= 100:
		return 0
	case a >= 1:
		return 1
	}
	return 3
}

func signed(v float64, number func(float64, int) string) string {
	if v < 0 {
		return number(v, 2)
	}
	return "+" + number(v, 2)
}

// pickLanguage takes the first that is named, the default where none is.
func pickLanguage(named ...string) (language, error) {
	for _, code := range named {
		if code == "" {
			continue
		}
		for _, l := range languages {
			if l.code == code {
				return l, nil
			}
		}
		return language{}, invalid([]FieldError{{"language", fmt.Sprintf("is %q, must be it or en", printable([]byte(code)))}})
	}
	return languages[0], nil
}

// mostNamed is how many contributions each way, and how many missing inputs,
// the text names.
const mostNamed = 3

// explain writes the text; cs has the largest contribution first.
func (l language) explain(f *forecast, cs []contribution) (string, error) {
	data := struct {
		Positive               bool
		Minutes                int
		Network                string
		Probability, Threshold float64
		Raising, Lowering      []contribution
		Imputed                []string
	}{
		Positive:    f.positive,
		Minutes:     f.Model.Task.HorizonMinutes,
		Network:     f.network,
		Probability: f.probability,
		Threshold:   f.Model.Threshold,
		Imputed:     f.imputed,
	}
	for _, c := range cs {
		switch {
		case c.Contribution > 0 && len(data.Raising) < mostNamed:
			data.Raising = append(data.Raising, c)
		case c.Contribution < 0 && len(data.Lowering) < mostNamed:
			data.Lowering = append(data.Lowering, c)
		}
	}
	var text strings.Builder
	if err := l.text.Execute(&text, data); err != nil {
		return "", fmt.Errorf("write the explanation: %w", err)
	}
	return text.String(), nil
}
