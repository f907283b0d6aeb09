package explain

import (
	"context"
	"math"
	"strings"
	"time"

	"livelab/pipeline/model"
)

// Template writes by itself, with nobody's help: the same facts give the same
// words. The zero value is ready for use.
type Template struct{}

// mostNamed is how many effects each way, and how many missing inputs, are
// named.
const mostNamed = 3

// Explain puts facts into words.
func (Template) Explain(_ context.Context, l Language, f *Facts) Text {
	return Text{Words: l.write(f), Reason: NotConfigured}
}

// write joins the sentences.
func (l Language) write(f *Facts) string {
	sentences := []string{l.verdict(f)}
	raising, lowering := split(l.effects(f.Task.Entity, f.Parts), mostNamed)
	if len(raising) > 0 {
		sentences = append(sentences, l.raised(raising))
	}
	if len(lowering) > 0 {
		sentences = append(sentences, l.lowered(lowering, len(raising) > 0))
	}
	if len(raising)+len(lowering) == 0 {
		sentences = append(sentences, l.in("Nessun dato si scosta dal solito.", "No input differs from what is usual."))
	}
	if len(f.Imputed) > 0 {
		sentences = append(sentences, l.assumed(f))
	}
	if !f.AsOf.IsZero() {
		sentences = append(sentences, l.in("Dati del ", "Data from ")+dataTime(f.AsOf)+".")
	}
	return strings.Join(sentences, " ")
}

// verdict is the forecast with its two numbers.
func (l Language) verdict(f *Facts) string {
	what := l.in("Non si prevede una carenza di bici ", "No shortage of bikes is expected ")
	if f.Positive {
		what = l.in("Si prevede una carenza di bici ", "A shortage of bikes is expected ")
	}
	compared := l.in(", sotto la soglia ", ", below the threshold of ")
	switch {
	case f.Probability == f.Threshold:
		compared = l.in(", pari alla soglia ", ", at the threshold of ")
	case f.Probability > f.Threshold:
		compared = l.in(", sopra la soglia ", ", above the threshold of ")
	}
	digits := digitsApart(f.Probability, f.Threshold)
	return what + l.until(f.Task.HorizonMinutes) + l.where(f) + ": " +
		l.probability(f.Probability, digits) + compared + l.of(l.percent(f.Threshold, digits)) + "."
}

// where names the place that stored data is about.
func (l Language) where(f *Facts) string {
	place := ""
	if f.Station != "" {
		place += l.in(" alla stazione ", " at the station ") + Printable(f.stationName())
	}
	if f.Network != "" {
		place += l.in(" nella rete ", " in the network ") + Printable(f.Network)
	}
	return place
}

// stationName is the name of the station, which tells people more than its ID.
func (f *Facts) stationName() string {
	if OneLine(f.StationName) != "" {
		return f.StationName
	}
	return f.Station
}

// probability never says that something is certain, which no model knows.
func (l Language) probability(p float64, digits int) string {
	least := math.Pow10(-digits - 2)
	switch shown := l.percent(p, digits); shown {
	case l.percent(1, digits):
		return l.in("la probabilità è superiore "+l.to(l.percent(1-least, digits)), "the probability is over "+l.percent(1-least, digits))
	case l.percent(0, digits):
		return l.in("la probabilità è inferiore "+l.to(l.percent(least, digits)), "the probability is under "+l.percent(least, digits))
	default:
		return l.in("la probabilità è ", "the probability is ") + l.of(shown)
	}
}

// digitsApart is how many decimals of a percentage tell two probabilities
// apart, at least one: a sentence that calls 40.0% less than 40.0% is no
// explanation.
func digitsApart(a, b float64) int {
	digits := 1
	for a != b && digits < 6 && English.percent(a, digits) == English.percent(b, digits) {
		digits++
	}
	return digits
}

func (l Language) raised(es []effect) string {
	verb := l.in("Aumentano il rischio: ", "Raising the risk: ")
	if len(es) == 1 {
		verb = l.in("Aumenta il rischio: ", verb)
	}
	return verb + l.said(es) + "."
}

// lowered speaks of it where the risk was named just before.
func (l Language) lowered(es []effect, named bool) string {
	verb := l.in("riducono", "Lowering")
	if len(es) == 1 {
		verb = l.in("riduce", verb)
	}
	if named {
		return l.in("Lo "+verb, verb+" it") + ": " + l.said(es) + "."
	}
	return l.in(strings.ToUpper(verb[:1])+verb[1:]+" il rischio", verb+" the risk") + ": " + l.said(es) + "."
}

func (l Language) said(es []effect) string {
	items := make([]string, len(es))
	for i, e := range es {
		items[i] = e.say(l)
	}
	return l.list(items)
}

// assumed names what was missing. Trees know a way for what is missing, so that
// nothing need be estimated.
func (l Language) assumed(f *Facts) string {
	names := l.names(f.Task.Entity, f.Imputed)
	which := l.few(names, mostNamed) + "."
	switch one := len(names) == 1; {
	case f.Family == model.FamilyTrees && one:
		return l.in("Un dato mancava: ", "One input was missing: ") + which
	case f.Family == model.FamilyTrees:
		return l.in("Alcuni dati mancavano: ", "Some inputs were missing: ") + which
	case one:
		return l.in("Un dato mancava ed è stato stimato: ", "One input was missing and was estimated: ") + which
	}
	return l.in("Alcuni dati mancavano e sono stati stimati: ", "Some inputs were missing and were estimated: ") + which
}

func dataTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
