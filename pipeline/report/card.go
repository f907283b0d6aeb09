package report

import (
	"fmt"
	"strings"

	"livelab/pipeline/metrics"
)

// card gives the model's card (Mitchell et al., 2019).
func (p *page) card() []byte {
	var b strings.Builder
	in := p.in
	fmt.Fprintf(&b, "# %s %s\n\n%s\n\n", md(in.Model.Name), md(in.Metadata.ModelVersion), p.Question())
	if p.Simulated() {
		b.WriteString("**Trained on simulated data.** Its scores say how LiveLab works, not how well it forecasts any real city.\n\n")
	}
	fmt.Fprintf(&b, "Gate: **%s**.", strings.TrimPrefix(p.VerdictWord(), "gate: "))
	if in.Verdict != nil {
		fmt.Fprintf(&b, " %s", md(in.Verdict.Conclusion))
	}
	b.WriteString("\n\n")
	p.cardUse(&b)
	p.cardModel(&b)
	p.cardData(&b)
	p.cardScores(&b)
	p.cardLimits(&b)
	p.cardHow(&b)
	return []byte(b.String())
}

func (p *page) cardUse(b *strings.Builder) {
	what := "of the whole network"
	if p.in.Model.Task.Entity == "station" {
		what = "of single stations"
	}
	fmt.Fprintf(b, `## What it is for

Forecasts %s of %s, as a probability that people who move bikes and people who ride them can act on. Target: %s.

It is not for other networks, other horizons, or for judging people or places: it knows counts, calendar and weather, not why bikes are where they are.

`, what, md(p.in.Metadata.Network), code(p.in.Metadata.TargetRule))
}

func (p *page) cardModel(b *strings.Builder) {
	in := p.in
	fmt.Fprintf(b, "## The model\n\n| | |\n| --- | --- |\n| family | %s |\n| inputs | %d |\n| threshold | %s |\n| model | %s |\n| trained | %s |\n| program | %s |\n",
		p.Family(), len(in.Model.Inputs), decimals(in.Model.Threshold), code(in.Metadata.Digest), clock(in.Metadata.TrainedAt), md(in.Metadata.Code))
	for _, s := range p.Settings() {
		fmt.Fprintf(b, "| setting %s | %s |\n", md(s.Name), code(s.Text))
	}
	for _, t := range in.Model.Transforms {
		fmt.Fprintf(b, "| transform %s %s | %s |\n", md(t.Name), md(t.Version), code(t.Digest))
	}
	b.WriteString("\nInputs:")
	for i, x := range in.Model.Inputs {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(" " + code(x.Name))
	}
	b.WriteString(".\n\n")
}

func (p *page) cardData(b *strings.Builder) {
	in := p.in
	origin := "recorded from public feeds. Whoever publishes the counts holds the rights to them: see the network's own licence, and name it. Weather by Open-Meteo, CC BY 4.0"
	if p.Simulated() {
		origin = "made by LiveLab's simulator; nobody holds rights to it"
	}
	fmt.Fprintf(b, "## The data\n\n%s, %s.\n\n| part | from | to | rows | short at t+h |\n| --- | --- | --- | ---: | ---: |\n", md(in.Metadata.Data()), origin)
	for _, part := range []struct {
		name string
		metrics.Part
	}{{"training", in.Metrics.Train}, {"validation", in.Metrics.Validation}, {"test", in.Metrics.Test}} {
		fmt.Fprintf(b, "| %s | %s | %s | %d | %d |\n", part.name, clock(part.From), clock(part.To), part.Samples, part.Positives)
	}
	fmt.Fprintf(b, "\nDataset: %s.\n\n", code(in.Model.Dataset))
	if in.Data == nil {
		return
	}
	for _, list := range []struct {
		title string
		facts []Fact
	}{{"Gaps and oddities", in.Data.Findings}, {"What training does not see", in.Data.Excluded}} {
		if len(list.facts) == 0 {
			continue
		}
		fmt.Fprintf(b, "%s:\n\n", list.title)
		for _, f := range list.facts {
			fmt.Fprintf(b, "- **%s**: %s\n", md(f.Name), md(f.Text))
		}
		b.WriteString("\n")
	}
}

func (p *page) cardScores(b *strings.Builder) {
	fmt.Fprintf(b, "## How good it is\n\nOn the test part, which training never saw, with 95 %% intervals over %d resamples of whole days.\n\n", metrics.DefaultResamples)
	fmt.Fprintf(b, "All rows: %d, %d of them short at t+h.\n\n", p.all.Samples, p.all.Positives)
	p.all.card(b)
	fmt.Fprintf(b, "The onset, rows that are not short when the forecast is made: %d, %d of them short at t+h.\n\n", p.onsets.Samples, p.onsets.Positives)
	p.onsets.card(b)
}

func (bd board) card(b *strings.Builder) {
	b.WriteString("| | F1 | PR-AUC | ROC-AUC | Brier | ECE |\n| --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, r := range bd.rows {
		fmt.Fprintf(b, "| %s ", r.name)
		for _, c := range []struct {
			score metrics.Score
			metrics.Interval
		}{
			{r.Scores.F1, r.Intervals.F1}, {r.Scores.PRAUC, r.Intervals.PRAUC}, {r.Scores.ROCAUC, r.Intervals.ROCAUC},
			{r.Scores.Brier, r.Intervals.Brier}, {r.Scores.ECE, r.Intervals.ECE},
		} {
			fmt.Fprintf(b, "| %s", decimals(float64(c.score)))
			if low := decimals(float64(c.Low)); low != "–" {
				fmt.Fprintf(b, " (%s to %s)", low, decimals(float64(c.High)))
			}
			b.WriteString(" ")
		}
		b.WriteString("|\n")
	}
	b.WriteString("\n")
}

func (p *page) cardLimits(b *strings.Builder) {
	b.WriteString("## Limits\n\n")
	if p.Simulated() {
		b.WriteString("- The data is simulated: nothing here carries over to a real network.\n")
	}
	fmt.Fprintf(b, "- It has seen %s to %s only: seasons, holidays and fleets outside of that time are new to it.\n", clock(p.in.Metrics.Train.From), clock(p.in.Metrics.Validation.To))
	b.WriteString("- It forecasts what the feed will show. Bikes that are broken but shown as free count as free.\n")
	b.WriteString("- Inputs may be missing; each answer names those that were.\n")
	if p.left > 0 {
		fmt.Fprintf(b, "- %d stations have fewer than %d test rows: how good it is there is not known.\n", p.left, leastStationRows)
	}
	if p.onsets.Positives < fewPositives {
		fmt.Fprintf(b, "- There are %d shortages on the onset rows: scores there are rough.\n", p.onsets.Positives)
	}
	b.WriteString("\n")
}

// fewPositives make rough scores, as the gate has it.
const fewPositives = 100

func (p *page) cardHow(b *strings.Builder) {
	fmt.Fprintf(b, "## How to use it\n\n```\nlivelab gate --task %[1]s --version %[2]s\nlivelab publish --task %[1]s --version %[2]s\nlivelab serve\n```\n\n", p.in.Model.Name, p.in.Metadata.ModelVersion)
	b.WriteString("`POST /predict` then answers with a probability and the version; `POST /explain` splits it into what each input adds. The plots are in report.html, beside this file.\n")
}

var mdEscapes = strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ", "<", "&lt;", "`", "'", "*", `\*`, "[", `\[`, "]", `\]`)

// md makes text safe in a line of Markdown.
func md(s string) string { return mdEscapes.Replace(s) }

// code sets text in Markdown as it is, in a table as well.
func code(s string) string {
	return "`" + strings.NewReplacer("`", "'", "|", `\|`, "\n", " ", "\r", " ").Replace(s) + "`"
}
