package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"livelab/pipeline/features"
	"livelab/pipeline/gate"
	"livelab/pipeline/metrics"
	"livelab/pipeline/model"
)

const hostile = `<script>alert(1)</script>"'&|` + "`[x](http://evil.example)"

// world is a made-up test part: days of rows, each of the stations in turn.
func world(rows, stations int) Input {
	r := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Unix()
	s := metrics.Sample{}
	for i := range rows {
		z := 2*math.Sin(float64(i)/40) - 1.5 + r.NormFloat64()
		p := 1 / (1 + math.Exp(-z))
		s.At = append(s.At, start+int64(i)*30*86400/int64(rows))
		s.Outcome = append(s.Outcome, r.Float64() < p)
		s.ShortNow = append(s.ShortNow, r.Float64() < p)
		s.Model = append(s.Model, p)
		s.Climatology = append(s.Climatology, 1/(1+math.Exp(-z-r.NormFloat64())))
		if stations > 0 {
			s.Entity = append(s.Entity, int32(i%stations))
		}
	}
	in := Input{
		Model: &model.Model{
			Name: "network-shortage", Task: features.NetworkShortage(), Threshold: 0.4, Dataset: strings.Repeat("a", 64),
			Inputs:     []model.Input{{Name: "free_ratio"}, {Name: "hour_sin"}},
			Transforms: []features.TransformSpec{{Name: "calendar", Version: "1.0.0", Digest: strings.Repeat("b", 64)}},
			Training:   []byte(`{"c":1,"inputs":["free_ratio","hour_sin"]}`),
		},
		Metadata: model.Metadata{ModelVersion: "20260601T000000Z-1a2b3c4d", Model: "network-shortage", Network: hostile, Origin: "simulated", TrainedAt: "2026-06-01T00:00:00Z"},
		Test:     s,
		Docs:     map[string]string{"calendar": hostile},
		Data:     &Data{Findings: []Fact{{hostile, hostile}}, Excluded: []Fact{{"3 snapshots", hostile}}},
	}
	for i := range stations {
		in.Stations = append(in.Stations, Station{ID: strconv.Itoa(i), Name: hostile + strconv.Itoa(i)})
	}
	part := metrics.Part{From: "2026-03-01T00:00:00Z", To: "2026-03-30T23:00:00Z", Samples: rows}
	in.Metrics = metrics.Report{
		Scores: s.Scores(0.4), Baselines: s.Baselines(0.3), Onset: s.Onset().Scores(0.4), OnsetBaselines: s.Onset().Baselines(0.3),
		Train: part, Validation: part, Test: part,
		Importance: []metrics.Importance{{Input: "free_ratio", LogOdds: 1.2}, {Input: hostile, LogOdds: 0.3}},
		Ablations:  []metrics.Ablation{{Transform: "calendar", Scores: s.Scores(0.5)}},
	}
	for i := range 4 {
		at := time.Date(2026, 2, 1+10*i, 0, 0, 0, 0, time.UTC)
		in.Metrics.Folds = append(in.Metrics.Folds, metrics.Fold{
			Part:   metrics.Part{From: at.Format(time.RFC3339), To: at.AddDate(0, 0, 9).Format(time.RFC3339), Samples: 10, Positives: 3},
			Scores: in.Metrics.Scores, Persistence: in.Metrics.Baselines.Persistence, Climatology: in.Metrics.Baselines.Climatology,
		})
	}
	in.Metrics.Folds[3].Skipped = "the test part has no rows"
	return in
}

func withChampion(in Input) Input {
	champion := *in.Model
	champion.Inputs = []model.Input{{Name: "free_ratio"}, {Name: "temp_2m"}}
	champion.Training = []byte(`{"c":10}`)
	in.Champion = &Champion{Version: "20260501T000000Z-aaaaaaaa", Model: &champion, Forecasts: in.Test.Climatology}
	in.Verdict = &gate.Verdict{Result: gate.Pass, Conclusion: hostile, Rules: []gate.RuleResult{{Explanation: hostile, Value: 0.7, Comparison: gate.AtLeast, Limit: 0.6, Low: metrics.Score(math.NaN()), High: metrics.Score(math.NaN()), Result: gate.Pass}}}
	return in
}

func files(t *testing.T, in Input) (page, card string) {
	t.Helper()
	fs, err := Files(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(fs[model.ReportFile]), string(fs[model.CardFile])
}

// find gives the first element with an attribute of a value.
func find(n *html.Node, key, value string) *html.Node {
	for _, a := range n.Attr {
		if a.Key == key && a.Val == value {
			return n
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if found := find(c, key, value); found != nil {
			return found
		}
	}
	return nil
}

func each(n *html.Node, visit func(*html.Node)) {
	visit(n)
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		each(c, visit)
	}
}

func parse(t *testing.T, page string) *html.Node {
	t.Helper()
	n, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPageIsWholeAndAlone(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]Input{
		"network": world(2000, 0), "stations": world(4000, 40), "champion": withChampion(world(2000, 0)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page, _ := files(t, in)
			root := parse(t, page)
			for _, id := range []string{"summary", "scores", "curves", "time", "errors", "importance", "transforms", "data", "champion", "gate", "making"} {
				if find(root, "id", id) == nil {
					t.Errorf("there is no section %s", id)
				}
			}
			figures := 8
			if in.Test.Entity != nil {
				figures++
			}
			if got := strings.Count(page, "<svg "); got != figures {
				t.Errorf("%d figures, want %d", got, figures)
			}
			each(root, func(n *html.Node) {
				if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "link" || n.Data == "img" || n.Data == "iframe") {
					t.Errorf("there is a %s in the page", n.Data)
				}
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") || strings.Contains(a.Val, "//") && a.Key != "content" || a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
						t.Errorf("<%s %s=%q> reaches outside of the page", n.Data, a.Key, a.Val)
					}
				}
			})
			if strings.Contains(page, "url(") || strings.Contains(page, "@import") {
				t.Error("the style asks for something outside of the page")
			}
			if len(page) > 1_500_000 {
				t.Errorf("the page has %d bytes", len(page))
			}
		})
	}
}

var svgs = regexp.MustCompile(`(?s)<svg .*?</svg>`)

// TestFigures parses each plot strictly, and holds that its colours are the
// page's own and its numbers finite.
func TestFigures(t *testing.T) {
	t.Parallel()
	page, _ := files(t, withChampion(world(3000, 30)))
	for _, s := range svgs.FindAllString(page, -1) {
		d := xml.NewDecoder(strings.NewReader(s))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v in %.200s", err, s)
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "script" {
				t.Errorf("a figure has a script: %.200s", s)
			}
		}
		if raw := regexp.MustCompile(`:#[^"; ]*`).FindString(s); raw != "" {
			t.Errorf("the colour %s is not the page's: %.200s", raw, s)
		}
		if strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
			t.Errorf("a figure has numbers that are none: %.200s", s)
		}
	}
}

// TestTablesAreTheMetrics reads the first table back, to the bit.
func TestTablesAreTheMetrics(t *testing.T) {
	t.Parallel()
	in := withChampion(world(3000, 0))
	text, card := files(t, in)
	var rows [][]float64
	each(parse(t, text), func(n *html.Node) {
		if n.Data != "table" || find(n, "class", "model") == nil {
			return
		}
		each(n, func(tr *html.Node) {
			if tr.Data != "tr" || tr.Parent.Data != "tbody" {
				return
			}
			var values []float64
			for td := tr.FirstChild; td != nil; td = td.NextSibling {
				if td.Data != "td" || td.FirstChild == nil || td.FirstChild.Data != "data" {
					if td.Data == "td" {
						values = append(values, math.NaN())
					}
					continue
				}
				x, err := strconv.ParseFloat(td.FirstChild.Attr[0].Val, 64)
				if err != nil {
					t.Error(err)
				}
				if shown := td.FirstChild.FirstChild.Data; shown != strconv.FormatFloat(x, 'f', 4, 64) {
					t.Errorf("%v is shown as %s", x, shown)
				}
				values = append(values, x)
			}
			rows = append(rows, values)
		})
	})
	champion := metrics.Evaluate(in.Champion.Forecasts, in.Test.Outcome, in.Champion.Model.Threshold)
	kept := (&page{in: in}).onset
	championOnset := metrics.Evaluate(kept(in.Champion.Forecasts), in.Test.Onset().Outcome, in.Champion.Model.Threshold)
	m := in.Metrics
	want := []metrics.Scores{
		m.Scores, m.Baselines.Persistence, m.Baselines.Climatology, m.Baselines.AlwaysShort, champion,
		m.Onset, m.OnsetBaselines.Persistence, m.OnsetBaselines.Climatology, m.OnsetBaselines.AlwaysShort, championOnset,
	}
	if len(rows) != len(want) {
		t.Fatalf("%d rows in the tables, want %d", len(rows), len(want))
	}
	for i, s := range want {
		for j, x := range []metrics.Score{s.F1, s.Precision, s.Recall, s.PRAUC, s.ROCAUC, s.Brier, s.LogLoss, s.ECE, s.Threshold} {
			if got := rows[i][j]; got != float64(x) && !(math.IsNaN(got) && math.IsNaN(float64(x))) {
				t.Errorf("row %d, column %d: the page has %v, metrics.json %v", i, j, got, x)
			}
		}
	}
	if line := fmt.Sprintf("| model | %.4f (", float64(m.F1)); !strings.Contains(card, line) {
		t.Errorf("the card has no %q", line)
	}
}

// TestKnownIntervals holds that intervals that were measured at training are
// shown as they were, and are what the report would measure.
func TestKnownIntervals(t *testing.T) {
	t.Parallel()
	in := world(2000, 0)
	fresh, _ := files(t, in)
	all := in.Test.Intervals(0.4, 0.3, metrics.DefaultResamples, metrics.DefaultSeed)
	onset := in.Test.Onset().Intervals(0.4, 0.3, metrics.DefaultResamples, metrics.DefaultSeed)
	in.Metrics.Intervals, in.Metrics.OnsetIntervals = &all, &onset
	if known, _ := files(t, in); known != fresh {
		t.Error("the page differs where the intervals are known")
	}
	all.Model.F1.Low = 0.123456
	if known, _ := files(t, in); !strings.Contains(known, "0.123456") {
		t.Error("a known interval is not shown")
	}
}

func TestSameInputSameBytes(t *testing.T) {
	t.Parallel()
	in := withChampion(world(2000, 20))
	page, card := files(t, in)
	again, cardAgain := files(t, in)
	if page != again || card != cardAgain {
		t.Error("the same input gave other bytes")
	}
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	page, card := files(t, withChampion(world(4000, 20)))
	if bytes.Contains([]byte(page), []byte("<script>")) {
		t.Error("a name is markup in the page")
	}
	if strings.Contains(card, "<script") || strings.Contains(card, "[x](http") {
		t.Error("a name is markup in the card")
	}
	if got := strings.Count(page, html.EscapeString("alert(1)")); got < 20 {
		t.Errorf("the names are shown %d times only", got)
	}
}

func TestChangesAgainstTheChampion(t *testing.T) {
	t.Parallel()
	in := withChampion(world(500, 0))
	got := make(map[string][2]string)
	for _, c := range newPage(in).changes() {
		got[c.What] = [2]string{c.Was, c.Now}
	}
	for what, want := range map[string][2]string{
		"inputs taken away": {"temp_2m", ""}, "inputs added": {"", "hour_sin"}, "setting c": {"10", "1"},
	} {
		if got[what] != want {
			t.Errorf("%s: got %q, want %q", what, got[what], want)
		}
	}
	if len(got) != 3 {
		t.Errorf("got %v, want three changes", got)
	}
}

func TestCard(t *testing.T) {
	t.Parallel()
	_, card := files(t, withChampion(world(500, 0)))
	for _, want := range []string{"## What it is for", "It is not for", "simulated", "## The data", "## How good it is", "## Limits", "## How to use it", "livelab publish", "Gate: **pass**", strings.Repeat("b", 64)} {
		if !strings.Contains(card, want) {
			t.Errorf("the card does not say %q", want)
		}
	}
}

func TestOneClass(t *testing.T) {
	t.Parallel()
	in := world(300, 0)
	for i := range in.Test.Outcome {
		in.Test.Outcome[i] = false
	}
	in.Metrics.Scores = in.Test.Scores(0.4)
	if page, _ := files(t, in); !strings.Contains(page, "rows of one class only") {
		t.Error("the page does not say why there are no curves")
	}
}

func TestFilesRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Input){
		"no model":          func(in *Input) { in.Model = nil },
		"short column":      func(in *Input) { in.Test.Model = in.Test.Model[1:] },
		"unknown station":   func(in *Input) { in.Test.Entity[3] = 99 },
		"champion's column": func(in *Input) { in.Champion = &Champion{Model: in.Model} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := world(100, 5)
			spoil(&in)
			if _, err := Files(in); err == nil {
				t.Error("got no error")
			}
		})
	}
}

func BenchmarkFiles(b *testing.B) {
	for _, rows := range []int{10_000, 400_000} {
		in := withChampion(world(rows, 250))
		b.Run(fmt.Sprintf("rows=%d,champion", rows), func(b *testing.B) {
			for b.Loop() {
				fs, err := Files(in)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(len(fs[model.ReportFile])), "bytes")
			}
		})
	}
}

// TestDifferencesAreTheModelsLessTheRivals holds the sign of each difference,
// and that its interval goes with it.
func TestDifferencesAreTheModelsLessTheRivals(t *testing.T) {
	t.Parallel()
	in := withChampion(world(3000, 0))
	p := newPage(in)
	for i, rival := range []metrics.Scores{in.Metrics.Baselines.Persistence, in.Metrics.Baselines.Climatology, in.Metrics.Baselines.AlwaysShort} {
		r := p.all.Rivals()[i]
		if want := in.Metrics.Brier - rival.Brier; r.Over.Brier != want {
			t.Errorf("Brier over %s is %v, want %v", r.name, r.Over.Brier, want)
		}
		if d := r.OverIntervals.Brier; !(d.Low < r.Over.Brier && r.Over.Brier < d.High) {
			t.Errorf("%s: %v is outside of its interval %v", r.name, r.Over.Brier, d)
		}
	}
	for _, better := range []struct {
		cell, want string
	}{
		{string(differenceCell(0.1, metrics.Interval{Low: 0.05, High: 0.2}, 1)), "good"},
		{string(differenceCell(0.1, metrics.Interval{Low: 0.05, High: 0.2}, -1)), "bad"},
		{string(differenceCell(0.1, metrics.Interval{Low: -0.05, High: 0.2}, 1)), "even"},
		{string(differenceCell(-0.1, metrics.Interval{Low: -0.2, High: -0.05}, -1)), "good"},
	} {
		if !strings.Contains(better.cell, `<td class="`+better.want+`">`) {
			t.Errorf("got %s, want it %s", better.cell, better.want)
		}
	}
}
