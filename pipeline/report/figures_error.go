package report

import (
	"math"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"livelab/pipeline/metrics"
)

// overTime draws a score of each fold, at the middle of the fold's time, with
// its interval where there is one.
func (p *page) overTime(y string, of func(metrics.Scores) metrics.Score, interval func(metrics.Intervals) metrics.Interval) *plot.Plot {
	f := newPlot("time (UTC)", y)
	f.X.Tick.Marker = plot.TimeTicks{Ticker: days{}, Format: "2 Jan"}
	addGrid(f)
	for i, who := range []struct {
		name   string
		scores func(metrics.Fold) metrics.Scores
		spread func(metrics.BoardIntervals) metrics.Intervals
		hue    hue
		dashes []vg.Length
		glyph  draw.GlyphDrawer
	}{
		{"persistence", func(f metrics.Fold) metrics.Scores { return f.Persistence }, func(b metrics.BoardIntervals) metrics.Intervals { return b.Persistence }, orange, mixed, draw.BoxGlyph{}},
		{"climatology", func(f metrics.Fold) metrics.Scores { return f.Climatology }, func(b metrics.BoardIntervals) metrics.Intervals { return b.Climatology }, green, dashed, draw.PyramidGlyph{}},
		{"model", func(f metrics.Fold) metrics.Scores { return f.Scores }, func(b metrics.BoardIntervals) metrics.Intervals { return b.Model }, ours, solid, draw.CircleGlyph{}},
	} {
		var points []metrics.Point
		var discs plotter.XYs
		for _, fold := range p.in.Metrics.Folds {
			at, apart, ok := middle(fold.Part)
			score := float64(of(who.scores(fold)))
			if !ok || math.IsNaN(score) {
				continue
			}
			x := at + apart*0.06*float64(i-1) // beside each other, so that bars do not overlap
			points = append(points, metrics.Point{X: x, Y: score})
			discs = append(discs, plotter.XY{X: x, Y: score})
			if fold.Intervals != nil {
				bar := interval(who.spread(*fold.Intervals))
				if low, high := float64(bar.Low), float64(bar.High); !math.IsNaN(low) && !math.IsNaN(high) {
					line(f, "", []metrics.Point{{X: x, Y: low}, {X: x, Y: high}}, who.hue, solid, 1)
				}
			}
		}
		if len(points) == 0 {
			continue
		}
		line(f, "", points, who.hue, who.dashes, 1.5)
		s := &plotter.Scatter{XYs: discs, GlyphStyle: draw.GlyphStyle{Color: who.hue.Color(), Radius: vg.Points(3), Shape: who.glyph}}
		f.Add(s)
		f.Legend.Add(who.name, s)
	}
	f.Y.Min = math.Min(f.Y.Min, 0)
	f.X.Min, f.X.Max = f.X.Min-day/2, f.X.Max+day/2
	f.Legend.Top, f.Legend.YOffs = true, vg.Points(2)
	f.Y.Max += (f.Y.Max - f.Y.Min) * 0.28 // room for the legend
	return f
}

// middle gives the middle of a part and its length, in seconds.
func middle(part metrics.Part) (at, apart float64, ok bool) {
	from, to, err := part.Window()
	if err != nil {
		return 0, 0, false
	}
	apart = to.Sub(from).Seconds()
	return float64(from.Unix()) + apart/2, apart, true
}

// day in seconds.
const day = 24 * 60 * 60

// days puts ticks at midnights, at most six.
type days struct{}

func (days) Ticks(low, high float64) (ticks []plot.Tick) {
	every := math.Max(1, math.Ceil((high-low)/day/6)) * day
	for t := math.Ceil(low/day) * day; t <= high; t += every {
		ticks = append(ticks, plot.Tick{Value: t, Label: "-"})
	}
	return ticks
}

// byHour draws the Brier score by hour of the day.
func (p *page) byHour() *plot.Plot {
	f := newPlot("hour of the forecast (UTC)", "Brier score")
	addGrid(f)
	for _, r := range p.all.rows {
		if !r.drawn {
			continue
		}
		var sums, rows [24]float64
		for i, e := range metrics.SquaredErrors(r.proba, p.in.Test.Outcome) {
			h := time.Unix(p.in.Test.At[i], 0).UTC().Hour()
			sums[h] += e
			rows[h]++
		}
		var points []metrics.Point
		for h := range sums {
			if rows[h] > 0 {
				points = append(points, metrics.Point{X: float64(h), Y: sums[h] / rows[h]})
			}
		}
		line(f, r.name, points, r.hue, r.dashes, r.width)
	}
	var ticks plot.ConstantTicks
	for h := 0; h < 24; h += 3 {
		ticks = append(ticks, plot.Tick{Value: float64(h), Label: strconv.Itoa(h)})
	}
	f.X.Tick.Marker = ticks
	f.X.Min, f.X.Max, f.Y.Min = 0, 23, 0
	f.Legend.Top = true
	f.Y.Max *= 1.35
	return f
}

// mostStations bounds the points of the figure about stations.
const mostStations = 1500

// byStation draws each station's Brier score over its rate of shortage, and
// what who knows the rate alone would score.
func (p *page) byStation() *plot.Plot {
	f := newPlot("share of the station's rows that are short at t+h", "Brier score")
	addGrid(f)
	var xys plotter.XYs
	step := (len(p.stations) + mostStations - 1) / mostStations
	for i := 0; i < len(p.stations); i += step {
		s := p.stations[i]
		xys = append(xys, plotter.XY{X: float64(s.Positives) / float64(s.Rows), Y: s.Brier})
	}
	c := ours.light
	f.Add(&plotter.Scatter{XYs: xys, GlyphStyle: draw.GlyphStyle{Color: c, Radius: vg.Points(2.2), Shape: draw.RingGlyph{}}})
	most := math.Min(1, f.X.Max*1.05)
	var parabola []metrics.Point
	for i := range 101 {
		x := most * float64(i) / 100
		parabola = append(parabola, metrics.Point{X: x, Y: x * (1 - x)})
	}
	line(f, "knowing the station's rate alone", parabola, quiet, dashed, 1.25)
	f.X.Min, f.X.Max, f.Y.Min = 0, most, 0
	f.Legend.Top, f.Legend.Left = true, true
	f.Y.Max *= 1.15
	return f
}

// importance draws the mean absolute contributions, the largest on top.
func (p *page) importance() *plot.Plot {
	f := newPlot("mean absolute contribution to the log odds", "")
	n := len(p.inputs)
	values, names := make(plotter.Values, n), make([]string, n)
	for i, in := range p.inputs { // from the bottom up
		values[n-1-i], names[n-1-i] = in.LogOdds, cut(in.Input, 34)
	}
	bars := &plotter.BarChart{Values: values, Width: vg.Points(9), Color: ours.light, Horizontal: true}
	g := plotter.NewGrid()
	g.Horizontal.Color = nil
	g.Vertical.Color, g.Vertical.Width = grid.light, vg.Points(0.5)
	f.Add(g, bars)
	f.NominalY(names...)
	f.Y.Tick.Label.Color = ink.light
	f.X.Min = 0
	return f
}

// cut shortens a name for a figure; tables have it whole.
func cut(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}
