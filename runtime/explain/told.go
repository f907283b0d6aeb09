package explain

import "livelab/pipeline/model"

// mostTold is how many effects a prompt gives.
const mostTold = 8

// Told is what a prompt gives of a prediction: the facts, already rounded and
// written as the language does, so that nothing need be computed. All of it
// comes from the model and the stored data, but for numbers that the schema
// checked: no client's own words can be in it.
type Told struct {
	Forecast    string   `json:"forecast"`
	Question    string   `json:"question"`
	Horizon     string   `json:"horizon"`
	Probability string   `json:"probability"`
	Threshold   string   `json:"threshold"`
	Network     string   `json:"network,omitempty"`
	Station     string   `json:"station,omitempty"`
	DataFrom    string   `json:"data_from,omitempty"`
	Effects     []Cause  `json:"effects"`
	Estimated   []string `json:"estimated_because_missing,omitempty"`
	Missing     []string `json:"missing,omitempty"` // and not estimated
}

// Cause is an effect as a prompt gives it.
type Cause struct {
	Input  string `json:"input"`
	Value  string `json:"value,omitempty"`
	Risk   string `json:"risk"` // raises or lowers
	Effect string `json:"effect"`
}

// Tell writes the facts for a prompt.
func (l Language) Tell(f *Facts) Told {
	digits := digitsApart(f.Probability, f.Threshold)
	t := Told{
		Forecast:    "no shortage of bikes is expected",
		Question:    f.Task.Rule(),
		Horizon:     l.until(f.Task.HorizonMinutes),
		Probability: l.percent(f.Probability, digits),
		Threshold:   l.percent(f.Threshold, digits),
		Network:     Printable(f.Network),
		Station:     Printable(f.stationName()),
		Effects:     []Cause{},
	}
	missing := l.names(f.Task.Entity, f.Imputed)
	if f.Family == model.FamilyTrees {
		t.Missing = missing
	} else {
		t.Estimated = missing
	}
	if f.Positive {
		t.Forecast = "a shortage of bikes is expected"
	}
	if !f.AsOf.IsZero() {
		t.DataFrom = dataTime(f.AsOf)
	}
	for _, e := range l.effects(f.Task.Entity, f.Parts) {
		if len(t.Effects) == mostTold || e.logOdds < slight && e.logOdds > -slight {
			break
		}
		c := Cause{e.name, e.value, "lowers", e.strength(l)}
		if e.logOdds > 0 {
			c.Risk = "raises"
		}
		t.Effects = append(t.Effects, c)
	}
	return t
}
