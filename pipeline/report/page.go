package report

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"livelab/pipeline/gate"
	"livelab/pipeline/metrics"
)

//go:embed templates/report.gohtml
var templates embed.FS

//go:embed templates/style.css
var style string

var layout = template.Must(template.New("report.gohtml").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(style) },
	"score": scoreCell, "interval": intervalCell, "difference": differenceCell,
	"range95": func(low, high metrics.Score) metrics.Interval { return metrics.Interval{Low: low, High: high} },
	"number":  func(x float64) template.HTML { return scoreCell(metrics.Score(x)) },
	"verdict": func(r gate.Result) string { return strings.ReplaceAll(string(r), "_", " ") },
	"count":   count, "limit": limitWords, "clock": clock, "short": short,
}).ParseFS(templates, "templates/report.gohtml"))

// page is what the template shows.
type page struct {
	in       Input
	all      board
	onsets   board
	stations []station // with rows enough, the worst first
	left     int       // stations with too few rows
	inputs   []metrics.Importance

	Figures map[string]figure
}

type figure struct {
	Title   string
	Caption string
	SVG     template.HTML
}

func newPage(in Input) *page {
	p := &page{in: in}
	p.all = p.newBoard(in.Test, in.Metrics.Intervals, nil)
	p.onsets = p.newBoard(in.Test.Onset(), in.Metrics.OnsetIntervals, p.onset)
	p.stations, p.left = p.scoreStations()
	p.inputs = in.Metrics.Importance[:min(len(in.Metrics.Importance), mostInputs)]
	return p
}

// mostInputs bounds the figure of importance.
const mostInputs = 20

func (p *page) html() ([]byte, error) {
	if err := p.draw(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := layout.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("write the page: %w", err)
	}
	return b.Bytes(), nil
}

// drawing is a figure that is yet to be drawn.
type drawing struct {
	id, title, caption string
	plot               func() *plot.Plot
	height             vg.Length
	when               bool // whether there is anything to draw
}

func (p *page) draw() error {
	p.Figures = make(map[string]figure)
	for _, d := range p.drawings() {
		if !d.when {
			continue
		}
		s, err := svg(d.plot(), figureWidth, d.height, d.title)
		if err != nil {
			return err
		}
		p.Figures[d.id] = figure{Title: d.title, Caption: d.caption, SVG: template.HTML(s)}
	}
	return nil
}

func (p *page) drawings() []drawing {
	m := p.in.Metrics
	both := p.all.Positives > 0 && p.all.Positives < p.all.Samples
	prAUC := func(s metrics.Scores) metrics.Score { return s.PRAUC }
	brier := func(s metrics.Scores) metrics.Score { return s.Brier }
	folds := slices.ContainsFunc(m.Folds, func(f metrics.Fold) bool { return f.Skipped == "" })
	return []drawing{{
		id: "pr", title: "Precision and recall", when: both, plot: p.precisionRecall, height: figureHeight,
		caption: "Further up and to the right is better. The dotted line is the share of rows that are short: what calling rows at random gives.",
	}, {
		id: "roc", title: "ROC", when: both, plot: p.roc, height: figureHeight,
		caption: "Further up and to the left is better; the dotted diagonal is chance. Where shortages are rare, precision and recall tell more.",
	}, {
		id: "calibration", title: "Calibration", when: both, plot: p.calibration, height: figureHeight,
		caption: "On the dotted diagonal, of the rows that were given 30 % three in ten came true. The area of a disc is its share of the rows: far-off small discs matter little.",
	}, {
		id: "histogram", title: "Scores by class", when: both, plot: p.histogram, height: figureHeight,
		caption: "The less the two shapes overlap, the better the model tells them apart. What lies right of the threshold is called a shortage. Each class is a share of its own rows.",
	}, {
		id: "folds-pr", title: "PR-AUC of the backtest, fold by fold", when: folds, height: figureHeight,
		plot: func() *plot.Plot {
			return p.overTime("PR-AUC", prAUC, func(i metrics.Intervals) metrics.Interval { return i.PRAUC })
		},
		caption: "Each fold is forecast by a model that knows only what lies before it; trees are fitted to a sample of that. Higher is better; the model should stay above both rivals as time goes on. Bars are 95 % intervals.",
	}, {
		id: "folds-brier", title: "Brier score of the backtest, fold by fold", when: folds, height: figureHeight,
		plot: func() *plot.Plot {
			return p.overTime("Brier score", brier, func(i metrics.Intervals) metrics.Interval { return i.Brier })
		},
		caption: "The mean squared error of the probabilities: lower is better. A fold in which all rise was hard for everybody.",
	}, {
		id: "hours", title: "Error by hour of the day", when: both, plot: p.byHour, height: figureHeight,
		caption: "Brier score by the hour in which the forecast is made, in UTC; lower is better. Look for hours in which the model loses its lead.",
	}, {
		id: "stations", title: "Error by station", when: len(p.stations) > 0, plot: p.byStation, height: figureHeight,
		caption: "A ring is a station. On the dashed curve are forecasts that know how often the station is short and nothing else; the further under it, the more the model adds.",
	}, {
		id: "importance", title: "What moves the forecast", when: len(p.inputs) > 0, plot: p.importance,
		height:  vg.Length(46 + 15*len(p.inputs)),
		caption: fmt.Sprintf("How far an input moves the log odds of a shortage, on average over rows of the test part: %d of %d inputs, the largest first. It is what the model does, not what causes shortages.", len(p.inputs), len(m.Importance)),
	}}
}

// The rest are answers to the template.

// In is what the report is made from.
func (p *page) In() Input { return p.in }

// All and Onset are the boards.
func (p *page) All() board   { return p.all }
func (p *page) Onset() board { return p.onsets }

// Question is the task in words.
func (p *page) Question() string { return question(p.in.Model.Task) }

// Family of the model.
func (p *page) Family() string { return family(p.in.Model) }

// Simulated reports whether the data is made up.
func (p *page) Simulated() bool { return p.in.Metadata.Origin == "simulated" }

// Worst and Best stations.
func (p *page) Worst() []station { return p.stations[:min(len(p.stations), 8)] }

// Best stations among those that run short at all: who never does is easy.
func (p *page) Best() []station {
	var best []station
	for _, s := range slices.Backward(p.stations) {
		if s.Positives > 0 && len(best) < 8 {
			best = append(best, s)
		}
	}
	return best
}

// Stations that were judged, and those left out for too few rows.
func (p *page) Stations() int     { return len(p.stations) }
func (p *page) StationsLeft() int { return p.left }

// LeastStationRows is how many rows a station is judged by.
func (p *page) LeastStationRows() int { return leastStationRows }

// Transforms with what each brings.
func (p *page) Transforms() []transform { return p.transforms() }

// Changes against the champion.
func (p *page) Changes() []change { return p.changes() }

// Settings of the training, in the order of their names.
func (p *page) Settings() []Fact {
	var facts []Fact
	for _, s := range settings(p.in.Model.Training) {
		if s.Name != "inputs" {
			facts = append(facts, s)
		}
	}
	return facts
}

// Resamples of the days that intervals are made from.
func (p *page) Resamples() int { return metrics.DefaultResamples }

// VerdictClass and VerdictWord show the gate's answer.
func (p *page) VerdictClass() string {
	if p.in.Verdict == nil {
		return "waiting"
	}
	return string(p.in.Verdict.Result)
}

func (p *page) VerdictWord() string {
	if p.in.Verdict == nil {
		return "not judged yet"
	}
	return "gate: " + strings.ReplaceAll(string(p.in.Verdict.Result), "_", " ")
}

// Headline says what matters most, as far as the intervals carry it.
func (p *page) Headline() string {
	rivals := p.onsets.Rivals()
	if p.in.Champion != nil {
		return "On the same rows, its Brier score is " + apart(p.all.rows[4]) + " the champion's."
	}
	if len(rivals) < 2 {
		return ""
	}
	return "Its Brier score is " + apart(p.all.rows[1]) + " persistence's, and " + apart(p.all.rows[2]) + " climatology's."
}

// apart says of a lower-is-better difference whether the interval carries it.
func apart(r row) string {
	i := r.OverIntervals.Brier
	switch {
	case i.High < 0:
		return "surely better than"
	case i.Low > 0:
		return "surely worse than"
	}
	return "not surely different from"
}

func settings(training json.RawMessage) []Fact {
	var values map[string]json.RawMessage
	if json.Unmarshal(training, &values) != nil {
		return nil
	}
	var facts []Fact
	for name, v := range values {
		var b bytes.Buffer
		if json.Compact(&b, v) == nil {
			facts = append(facts, Fact{Name: name, Text: b.String()})
		}
	}
	slices.SortFunc(facts, func(a, b Fact) int { return cmp.Compare(a.Name, b.Name) })
	return facts
}

func limitWords(r gate.RuleResult) string {
	if math.IsNaN(float64(r.Limit)) {
		return "–"
	}
	return strings.NewReplacer(">=", "≥", "<=", "≤").Replace(string(r.Comparison)) + " " + decimals(float64(r.Limit))
}
