package web

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 5, 11, 12, 0, 0, 0, time.UTC)

func fullPage() Page {
	return Page{
		Now:        now,
		Program:    "1.2.3",
		Source:     "simulated",
		LastIngest: now.Add(-40 * time.Second),
		Networks: []Network{
			{ID: "oslo-bysykkel", Name: "Oslo Bysykkel", NewestBikes: now.Add(-3 * time.Minute), NewestWeather: now.Add(-15 * time.Minute), Current: true},
			{ID: "bergen-bysykkel", Name: "Bergen Bysykkel", NewestBikes: now.Add(-4 * time.Minute)},
		},
		Forecast: &Forecast{
			Network: "oslo-bysykkel", Short: true, Probability: 0.8734, Threshold: 0.412, Horizon: time.Hour,
			AsOf: now.Add(-3 * time.Minute), WeatherAt: now.Add(-15 * time.Minute), Imputed: []string{"climatology"},
		},
		Stations: &Stations{
			Version: "20260511T110500Z-2b3c4d5e", AsOf: now.Add(-3 * time.Minute), Total: 250, Answered: 248, Short: 12, Horizon: time.Hour,
			Riskiest: []Station{{ID: "465", Name: "Bislett <&>", FreeBikes: 1, Probability: 0.91, Short: true}, {ID: "466", FreeBikes: -1, Probability: 0.2}},
		},
		Model: &Model{
			Name: "network-shortage", Version: "20260511T110000Z-0a1b2c3d", Digest: strings.Repeat("0a1b2c3d", 8),
			TargetRule: "free_ratio(t+60 min) < 0.20 quantile of the trailing 14 days", TrainedAt: "2026-05-11T11:00:00Z",
			LoadedAt: now.Add(-time.Hour), Verdict: "pass", Conclusion: "All rules that apply hold.",
			TestFrom: "2026-04-20T00:00:00Z", TestTo: "2026-05-11T10:00:00Z",
			Scores: []Scores{
				{"F1", false, 0.891, 0.886, 0.712}, {"PR-AUC", false, 0.957, 0.823, 0.754}, {"ROC-AUC", false, 0.982, 0.93, 0.88},
				{"Brier score", true, 0.039, 0.051, 0.098}, {"Calibration error", true, 0.012, 0.051, 0.02}, {"PR-AUC of onsets", false, 0.61, math.NaN(), 0.31},
			},
		},
		Predictions: []Prediction{
			{At: now.Add(-20 * time.Second), Network: "oslo-bysykkel", Short: true, Probability: 0.8734, Threshold: 0.412, Version: "20260511T110000Z-0a1b2c3d"},
			{At: now.Add(-26 * time.Hour), Probability: 0.1021, Threshold: 0.412, Version: "20260510T110000Z-9f8e7d6c"},
		},
	}
}

func render(t *testing.T, p Page) string {
	t.Helper()
	var b strings.Builder
	if err := Render(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRender(t *testing.T) {
	t.Parallel()
	empty := Page{Now: now}
	noForecast := fullPage()
	noForecast.Forecast, noForecast.NoForecast = nil, "The newest observation is 3 h old."
	hostile := fullPage()
	hostile.Networks[1].ID, hostile.Networks[1].Name = `"><script>`, "<b>Bergen</b>"
	live := fullPage()
	live.Source = "live"
	down := fullPage()
	down.StoreDown = true
	unjudged := fullPage()
	unjudged.Model.Verdict, unjudged.Model.Conclusion = "", ""

	for name, tt := range map[string]struct {
		page Page
		want []string
		not  []string
	}{
		"full": {fullPage(), []string{"Simulated data", "87 %", "Shortage expected", "in 60 minutes", "0.412", "3 min ago", "0a1b2c3d0a1b<", "All rules that apply hold.",
			"<td>0.891</td><td>0.886</td><td>0.712</td>", "<td>–</td>", "given features", "26 h 0 min ago", `href="/dashboard?network=bergen-bysykkel"`, "/metrics"}, []string{"role=\"alert\"", "CityBikes"}},
		"empty":       {empty, []string{"No source yet", "There is no forecast yet.", "No model is in service yet", "Nothing is stored yet", "Nobody has asked yet"}, []string{"0001"}},
		"no forecast": {noForecast, []string{"The newest observation is 3 h old."}, []string{"87 % ·"}},
		"hostile":     {hostile, []string{"&lt;b&gt;Bergen"}, []string{"<script", "<b>"}},
		"live":        {live, []string{"Live data", "CityBikes"}, []string{"Simulated"}},
		"store down":  {down, []string{`role="alert"`, "cannot be read"}, nil},
		"not judged":  {unjudged, []string{"not judged"}, nil},
	} {
		html := render(t, tt.page)
		for _, part := range tt.want {
			if !strings.Contains(html, part) {
				t.Errorf("%s: no %s", name, part)
			}
		}
		for _, part := range tt.not {
			if strings.Contains(html, part) {
				t.Errorf("%s: %s is there", name, part)
			}
		}
	}
}

// The page must work under a policy that allows styles of its own host alone.
func TestPageNeedsNothingElse(t *testing.T) {
	t.Parallel()
	html := render(t, fullPage())
	for what, pattern := range map[string]string{
		"a script":           `(?i)<script`,
		"an event handler":   `(?i)\son[a-z]+=`,
		"an inline style":    `(?i)\sstyle=|<style`,
		"another host":       `(?i)(src|href)="(https?:)?//`,
		"an unfilled action": `ZgotmplZ|<no value>`,
	} {
		if found := regexp.MustCompile(pattern).FindString(html); found != "" {
			t.Errorf("%s: %s", what, found)
		}
	}
	if !strings.Contains(html, `href="`+stylesPath+`"`) {
		t.Error("no style sheet")
	}
	if strings.Contains(string(styles), "@import") || strings.Contains(string(styles), "url(") {
		t.Error("the style sheet fetches something")
	}
}

func TestAsset(t *testing.T) {
	t.Parallel()
	if b, kind, ok := Asset("livelab.css"); !ok || len(b) == 0 || kind != "text/css; charset=utf-8" {
		t.Errorf("%d bytes of %s, %v", len(b), kind, ok)
	}
	if _, _, ok := Asset("web.go"); ok {
		t.Error("the source is an asset")
	}
}

func TestAge(t *testing.T) {
	t.Parallel()
	for ago, want := range map[time.Duration]string{
		-time.Second: "in the future", 0: "0 s ago", 59 * time.Second: "59 s ago", 90 * time.Second: "1 min ago",
		90 * time.Minute: "1 h 30 min ago", 50 * time.Hour: "2 days ago",
	} {
		if got := age(now, now.Add(-ago)); got != want {
			t.Errorf("%v: %s, want %s", ago, got, want)
		}
	}
}
