package report

import (
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"livelab/pipeline/metrics"
)

// curvePoints bounds the points of a curve: more than the eye can tell apart.
const curvePoints = 250

// line adds a curve and its entry in the legend.
func line(p *plot.Plot, name string, points []metrics.Point, h hue, dashes []vg.Length, width float64) {
	if len(points) == 0 {
		return
	}
	xys := make(plotter.XYs, len(points))
	for i, q := range points {
		xys[i].X, xys[i].Y = q.X, q.Y
	}
	l := &plotter.Line{XYs: xys, LineStyle: draw.LineStyle{Color: h.Color(), Width: vg.Points(width), Dashes: dashes}}
	p.Add(l)
	if name != "" {
		p.Legend.Add(name, l)
	}
}

func addGrid(p *plot.Plot) {
	g := plotter.NewGrid()
	g.Vertical.Color, g.Horizontal.Color = grid.light, grid.light
	g.Vertical.Width, g.Horizontal.Width = vg.Points(0.5), vg.Points(0.5)
	p.Add(g)
}

// unit makes both axes run from 0 to 1.
func unit(p *plot.Plot) {
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 1, 0, 1
	fifths := plot.ConstantTicks{{Value: 0, Label: "0"}, {Value: 0.2, Label: "0.2"}, {Value: 0.4, Label: "0.4"},
		{Value: 0.6, Label: "0.6"}, {Value: 0.8, Label: "0.8"}, {Value: 1, Label: "1"}}
	p.X.Tick.Marker, p.Y.Tick.Marker = fifths, fifths
}

// curves draws a curve of each forecaster.
func (p *page) curves(x, y string, of func(proba []float64, outcome []bool, most int) []metrics.Point) *plot.Plot {
	f := newPlot(x, y)
	unit(f)
	addGrid(f)
	for _, r := range slices.Backward(p.all.rows) {
		if r.drawn {
			line(f, "", of(r.proba, p.in.Test.Outcome, curvePoints), r.hue, r.dashes, r.width)
		}
	}
	for _, r := range p.all.rows { // the legend in the order of the tables
		if r.drawn {
			f.Legend.Add(r.name, &plotter.Line{LineStyle: draw.LineStyle{Color: r.hue.Color(), Width: vg.Points(r.width), Dashes: r.dashes}})
		}
	}
	return f
}

func (p *page) precisionRecall() *plot.Plot {
	f := p.curves("recall: share of shortages that are called", "precision: share of calls that are right", metrics.PrecisionRecall)
	f.Legend.Left, f.Legend.Top = true, false
	rate := float64(p.in.Metrics.Positives) / float64(p.in.Metrics.Samples)
	line(f, "", []metrics.Point{{X: 0, Y: rate}, {X: 1, Y: rate}}, quiet, dotted, 1)
	return f
}

func (p *page) roc() *plot.Plot {
	f := p.curves("false positive rate", "true positive rate (recall)", metrics.ROC)
	f.Legend.Top = false
	line(f, "", []metrics.Point{{}, {X: 1, Y: 1}}, quiet, dotted, 1)
	return f
}

// calibration draws the bins as discs whose area is their share of the rows.
func (p *page) calibration() *plot.Plot {
	f := newPlot("forecast probability", "share that came true")
	unit(f)
	addGrid(f)
	line(f, "perfect", []metrics.Point{{}, {X: 1, Y: 1}}, quiet, dotted, 1)
	f.Legend.Left, f.Legend.Top = true, true
	if c := p.in.Champion; c != nil {
		p.calibrationOf(f, "champion", c.Forecasts, purple, mixed, 1.25)
	}
	p.calibrationOf(f, "climatology", p.in.Test.Climatology, green, dashed, 1.25)
	p.calibrationOf(f, "model", p.in.Test.Model, ours, solid, 2)
	return f
}

func (p *page) calibrationOf(f *plot.Plot, name string, proba []float64, h hue, dashes []vg.Length, width float64) {
	var points []metrics.Point
	var discs plotter.XYs
	var radii []vg.Length
	for _, b := range metrics.Calibration(proba, p.in.Test.Outcome) {
		if b.Rows == 0 {
			continue
		}
		points = append(points, metrics.Point{X: b.Mean, Y: b.Rate})
		discs = append(discs, plotter.XY{X: b.Mean, Y: b.Rate})
		share := float64(b.Rows) / float64(len(proba))
		radii = append(radii, vg.Points(2+6*math.Sqrt(share)))
	}
	line(f, name, points, h, dashes, width)
	if h != ours || len(discs) == 0 {
		return
	}
	f.Add(&plotter.Scatter{XYs: discs, GlyphStyleFunc: func(i int) draw.GlyphStyle {
		return draw.GlyphStyle{Color: h.Color(), Radius: radii[i], Shape: draw.CircleGlyph{}}
	}})
}

// histogramBins split the probabilities from 0 to 1.
const histogramBins = 25

// histogram draws the model's scores, each class on a share of its own: the
// rare one would not be seen beside the other.
func (p *page) histogram() *plot.Plot {
	f := newPlot("forecast probability", "share of the class's rows")
	positives, negatives := metrics.Histogram(p.in.Test.Model, p.in.Test.Outcome, histogramBins)
	addGrid(f)
	stairs(f, "not short", negatives, quiet, 0x30)
	stairs(f, "short", positives, orange, 0x50)
	threshold := p.in.Model.Threshold
	top := math.Max(highest(positives), highest(negatives))
	line(f, "threshold", []metrics.Point{{X: threshold, Y: 0}, {X: threshold, Y: top}}, ours, dashed, 1.25)
	f.X.Min, f.X.Max, f.Y.Min, f.Y.Max = 0, 1, 0, top*1.05
	f.Legend.Top = true
	return f
}

func highest(counts []int) float64 {
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return float64(slices.Max(counts)) / math.Max(1, float64(sum))
}

func stairs(f *plot.Plot, name string, counts []int, h hue, alpha uint8) {
	total := 0
	for _, n := range counts {
		total += n
	}
	if total == 0 {
		return
	}
	xys := plotter.XYs{{X: 0, Y: 0}}
	for i, n := range counts {
		y := float64(n) / float64(total)
		xys = append(xys, plotter.XY{X: float64(i) / histogramBins, Y: y}, plotter.XY{X: float64(i+1) / histogramBins, Y: y})
	}
	xys = append(xys, plotter.XY{X: 1, Y: 0})
	c := h.light
	area := &plotter.Polygon{
		XYs: []plotter.XYs{xys}, Color: color.NRGBA{c.R, c.G, c.B, alpha},
		LineStyle: draw.LineStyle{Color: h.Color(), Width: vg.Points(1.25)},
	}
	f.Add(area)
	f.Legend.Add(name, area)
}
