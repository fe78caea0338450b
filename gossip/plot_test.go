package gossip

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// The plot, in pixels.
const (
	plotWidth, plotHeight = 720, 400
	plotLeft, plotBottom  = 60, 350
	plotRight, plotTop    = 500, 40
	plotSeconds           = 40 // at the top
)

// A curve is the figures of one setting, for all sizes.
type curve struct {
	interval  time.Duration
	threshold float64
	color     string
}

// holds reports whether a figure is a point of the curve. The heartbeat of large clusters is stretched.
func (c curve) holds(f figure) bool {
	return f.threshold == c.threshold && (f.interval == c.interval || f.nodes >= 1000)
}

// plot returns an SVG: how long it takes until all nodes know of a kill, by the number of nodes.
func plot(figures []figure) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", plotWidth, plotHeight)
	text(&b, plotLeft, 22, "start", "Seconds from a kill until all nodes know, by number of nodes")
	for seconds := 0; seconds <= plotSeconds; seconds += 5 {
		y := plotY(float64(seconds))
		fmt.Fprintf(&b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/>`+"\n", plotLeft, y, plotRight, y)
		text(&b, plotLeft-8, y+4, "end", fmt.Sprint(seconds))
	}
	for _, nodes := range []int{5, 20, 100, 1000} {
		text(&b, plotX(nodes), plotBottom+20, "middle", fmt.Sprint(nodes))
	}
	row := 0
	for _, c := range []curve{{250 * time.Millisecond, 8, "#1b6ca8"}, {time.Second, 5, "#c8553d"}, {time.Second, 8, "#588157"}} {
		for _, loss := range []float64{0, 0.2} {
			dashes := ""
			if loss > 0 {
				dashes = ` stroke-dasharray="6 4"`
			}
			var points []string
			for _, f := range figures {
				if c.holds(f) && f.loss == loss {
					points = append(points, fmt.Sprintf("%.1f,%.1f", plotX(f.nodes), plotY(f.last.Seconds())))
				}
			}
			style := fmt.Sprintf(`fill="none" stroke="%s" stroke-width="2"%s`, c.color, dashes)
			fmt.Fprintf(&b, `<polyline points="%s" %s/>`+"\n", strings.Join(points, " "), style)
			y := float64(plotTop + 20*row)
			fmt.Fprintf(&b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" %s/>`+"\n", plotRight+20, y, plotRight+50, y, style)
			text(&b, plotRight+58, y+4, "start", fmt.Sprintf("%s, phi %v, %.0f %% loss", c.interval, c.threshold, loss*100))
			row++
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func text(b *strings.Builder, x, y float64, anchor, words string) {
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, words)
}

// plotX is logarithmic from 5 to 1000 nodes.
func plotX(nodes int) float64 {
	return plotLeft + (plotRight-plotLeft)*math.Log(float64(nodes)/5)/math.Log(1000.0/5)
}

func plotY(seconds float64) float64 {
	return plotBottom - (plotBottom-plotTop)*seconds/plotSeconds
}
