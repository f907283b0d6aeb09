package report

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"regexp"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A hue is a colour of the page: plots are drawn in its light value, for which
// the page's variable then stands, so that plots follow light and dark.
type hue struct {
	light    color.RGBA
	variable string
}

// The hues of forecasters are Okabe and Ito's (2008), which the colour-blind
// tell apart; lines differ in their dashes as well.
var (
	ink    = hue{color.RGBA{0x1b, 0x1f, 0x24, 0xff}, "--ink"}
	quiet  = hue{color.RGBA{0x5b, 0x64, 0x70, 0xff}, "--quiet"}
	grid   = hue{color.RGBA{0xe3, 0xe6, 0xea, 0xff}, "--grid"}
	ours   = hue{color.RGBA{0x00, 0x72, 0xb2, 0xff}, "--ours"}
	orange = hue{color.RGBA{0xd5, 0x5e, 0x00, 0xff}, "--persistence"}
	green  = hue{color.RGBA{0x00, 0x9e, 0x73, 0xff}, "--climatology"}
	purple = hue{color.RGBA{0xcc, 0x79, 0xa7, 0xff}, "--champion"}

	hues = []hue{ink, quiet, grid, ours, orange, green, purple}
)

func (h hue) Color() color.Color { return h.light }

// dashes of the lines, by forecaster.
var (
	solid  []vg.Length
	dashed = []vg.Length{vg.Points(5), vg.Points(3)}
	dotted = []vg.Length{vg.Points(1.5), vg.Points(2.5)}
	mixed  = []vg.Length{vg.Points(6), vg.Points(2), vg.Points(1.5), vg.Points(2)}
)

const (
	figureWidth  = vg.Length(360)
	figureHeight = vg.Length(250)
)

// newPlot is a plot in the page's style.
func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // the page shows through
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		plain(&a.Label.TextStyle, 11, quiet)
		plain(&a.Tick.Label, 10, quiet)
		a.LineStyle.Color, a.LineStyle.Width = quiet.light, vg.Points(0.75)
		a.Tick.LineStyle.Color, a.Tick.LineStyle.Width = quiet.light, vg.Points(0.75)
		a.Tick.Length = vg.Points(4)
		a.Padding = vg.Points(4)
	}
	plain(&p.Legend.TextStyle, 10.5, ink)
	p.Legend.ThumbnailWidth = vg.Points(24)
	p.Legend.Padding = vg.Points(2)
	return p
}

// sans is what plots are laid out in. Its widths are Arial's and Helvetica's.
var sans = font.Font{Typeface: "Liberation", Variant: "Sans"}

func plain(s *text.Style, size float64, h hue) {
	s.Font = font.From(sans, vg.Points(size))
	s.Color = h.light
}

var (
	opening  = regexp.MustCompile(`(?s)^.*?<svg [^>]*viewBox="([^"]*)"[^>]*>`)
	families = regexp.MustCompile(`font-family:[^;"]*;font-variant:normal;font-weight:normal;font-style:normal;`)
	colours  = regexp.MustCompile(`:#[0-9A-F]{6}`)
	blanks   = regexp.MustCompile(`\s*\n\s*`)
	texts    = regexp.MustCompile(`<text ([^>]*) style="font-size:([0-9.]+)px([^>]*)>([^<]*)</text>`)
)

// fit has a text take the width that the plot was laid out for, in whichever
// font the reader's machine has.
func fit(element string) string {
	parts := texts.FindStringSubmatch(element)
	size, err := strconv.ParseFloat(parts[2], 64)
	if err != nil || parts[4] == "" {
		return element
	}
	face := font.DefaultCache.Lookup(sans, vg.Points(size))
	width := face.Width(html.UnescapeString(parts[4])).Points()
	return fmt.Sprintf(`<text %s textLength="%.1f" lengthAdjust="spacingAndGlyphs" style="font-size:%spx%s>%s</text>`,
		parts[1], width, parts[2], parts[3], parts[4])
}

// svg draws the plot for the inside of a page: no size of its own, no names of
// namespaces, the page's colours and fonts.
func svg(p *plot.Plot, width, height vg.Length, label string) (string, error) {
	c := vgsvg.New(width, height)
	p.Draw(draw.Crop(draw.New(c), 0, -vg.Points(6), 0, -vg.Points(6))) // half of the last label hangs over
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return "", fmt.Errorf("draw %s: %w", label, err)
	}
	s := opening.ReplaceAllString(b.String(), `<svg viewBox="$1" role="img" aria-label="`+html.EscapeString(label)+`">`)
	s = families.ReplaceAllString(s, "")
	s = blanks.ReplaceAllString(s, " ")
	s = texts.ReplaceAllStringFunc(s, fit)
	return colours.ReplaceAllStringFunc(s, variable), nil
}

// variable is the page's colour for one of a plot. Translucent ones come with
// a rounding error of one.
func variable(colour string) string {
	rgb, err := strconv.ParseUint(colour[2:], 16, 32)
	if err != nil {
		return colour
	}
	near := func(a uint8, b uint64) bool { return int(a)-int(b&0xff) <= 1 && int(b&0xff)-int(a) <= 1 }
	for _, h := range hues {
		if near(h.light.R, rgb>>16) && near(h.light.G, rgb>>8) && near(h.light.B, rgb) {
			return ":var(" + h.variable + ")"
		}
	}
	return colour
}
