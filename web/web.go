// Package web is the dashboard: one page made on the server, with one style
// sheet and no script, so that a strict content security policy holds.
package web

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"math"
	"time"
)

// Page is what the dashboard shows.
type Page struct {
	Now     time.Time
	Program string // version of the program
	Source  string // "live", "replay" or "simulated"; empty while there is none

	// StoreDown says that the stored data cannot be read at the moment.
	StoreDown  bool
	LastIngest time.Time

	// Networks are those in the store; the one shown is Current.
	Networks []Network

	// Forecast is nil where there is none, and NoForecast then says why.
	Forecast   *Forecast
	NoForecast string

	// Stations is nil where no forecast of them is made, or none yet.
	Stations *Stations

	Model       *Model // nil while none is loaded
	Predictions []Prediction
}

// Network is a network with the time of its newest data, zero for none.
type Network struct {
	ID, Name                   string
	NewestBikes, NewestWeather time.Time
	Current                    bool
}

// Forecast is the answer for the newest stored data.
type Forecast struct {
	Network     string
	Short       bool
	Probability float64
	Threshold   float64
	Horizon     time.Duration
	AsOf        time.Time
	WeatherAt   time.Time // zero where the weather was missing
	Imputed     []string
}

// Stations is the forecast of the network's stations in short.
type Stations struct {
	Version         string // of the model; empty where none answered
	AsOf            time.Time
	Stale           bool // too old to stand for the present
	Total, Answered int
	Short           int // of those answered, how many are called short
	Horizon         time.Duration
	Riskiest        []Station // the likeliest shortage first
}

// Station is a station with its forecast.
type Station struct {
	ID, Name    string
	FreeBikes   int
	Probability float64
	Short       bool
}

// Model is the model in service.
type Model struct {
	Name, Version, Digest string
	TargetRule            string
	TrainedAt             string
	TrainedOn             string // the network and the kind of data
	LoadedAt              time.Time
	Verdict               string // of the gate, empty where none is known
	Conclusion            string // one sentence that says why
	TestFrom, TestTo      string
	Scores                []Scores
}

// Scores is one measure of the model and of its rivals on the same rows. NaN
// is undefined.
type Scores struct {
	Measure                         string
	LowerIsBetter                   bool
	Model, Persistence, Climatology float64
}

// Prediction is an answered prediction.
type Prediction struct {
	At          time.Time
	Network     string // empty when the client gave the features
	Short       bool
	Probability float64
	Threshold   float64
	Version     string
}

var (
	//go:embed page.html
	pageHTML string

	//go:embed livelab.css
	styles []byte
)

// stylesPath changes with the style sheet, so that a browser may keep it.
var stylesPath = "/assets/livelab.css?v=" + sum(styles)

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:6])
}

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"styles":  func() string { return stylesPath },
	"percent": func(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) },
	"exact":   func(v float64) string { return fmt.Sprintf("%.3f", v) },
	"score":   score,
	"stamp":   func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
	"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"age":     age,
	"short":   shorten,
	"bar":     bar,
}).Parse(pageHTML))

// Render writes the page.
func Render(w io.Writer, p Page) error {
	if err := page.Execute(w, p); err != nil {
		return fmt.Errorf("write the dashboard: %w", err)
	}
	return nil
}

// Asset gives a file of the page by its name under /assets/.
func Asset(name string) (body []byte, contentType string, ok bool) {
	if name != "livelab.css" {
		return nil, "", false
	}
	return styles, "text/css; charset=utf-8", true
}

func score(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.3f", v)
}

// age says how long before now t was.
func age(now, t time.Time) string {
	switch d := now.Sub(t); {
	case d < 0:
		return "in the future"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min ago", int(d.Hours()), int(d.Minutes())%60)
	default:
		return fmt.Sprintf("%d days ago", int(d.Hours()/24))
	}
}

// shorten gives the start of a digest.
func shorten(digest string) string {
	if len(digest) > 12 {
		return digest[:12]
	}
	return digest
}

// bar is a probability's place on a bar 1000 units long.
func bar(v float64) int { return int(math.Round(1000 * min(max(v, 0), 1))) }
