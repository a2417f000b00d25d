package main

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// Measures of the plot, in SVG units.
const (
	plotWidth   = 960
	plotHeight  = 600
	plotLeft    = 84
	plotRight   = 92 // room for the names of the lines
	panelHeight = 200
	upperTop    = 92
	lowerTop    = 352
)

// line is one curve: a value for each point of the series.
type line struct {
	name, colour string
	value        func(point) float64
}

// panel is one diagram: values over time, from the bottom up or by powers of ten.
type panel struct {
	title     string
	top       float64
	log       bool
	low, high float64 // of the axis
	label     func(float64) string
	lines     []line
	seconds   float64 // of the horizontal axis, from 0
	warm      float64 // seconds that were not measured
}

// plot writes an SVG of throughput and latency over time.
func (r *report) plot(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" font-family="system-ui, 'Helvetica Neue', Arial, sans-serif" font-size="12" fill="#475569">`, plotWidth, plotHeight)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#ffffff"/><text x="%d" y="32" font-size="17" font-weight="600" fill="#0f172a">%s</text>`, plotLeft, html.EscapeString(r.Description))
	fmt.Fprintf(&b, `<text x="%d" y="53">%s</text>`, plotLeft, html.EscapeString(r.subtitle()))
	for _, p := range r.panels() {
		p.draw(&b, r.Series)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">seconds since the load began</text></svg>`+"\n", (plotLeft+plotWidth-plotRight)/2, plotHeight-10)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r *report) subtitle() string {
	s := fmt.Sprintf("%s %s/s", count(r.Rate), r.names.many)
	if r.names.delivers {
		s += fmt.Sprintf(", %s deliveries/s", count(r.Deliveries))
	}
	l := r.main()
	s += fmt.Sprintf(" · %s p50 %s, p99 %s, max %s", r.latencyName(), ms(l(*r.total()).P50), ms(l(*r.total()).P99), ms(l(*r.total()).Max))
	return s + " · " + r.Started.Format(time.DateTime) + " UTC"
}

// total is the whole run as one point.
func (r *report) total() *point { return &point{Ack: r.Ack, Receive: r.Receive} }

// main picks the latency that the mode is about.
func (r *report) main() func(point) summary {
	if r.Mode == group {
		return func(p point) summary { return p.Receive }
	}
	return func(p point) summary { return p.Ack }
}

func (r *report) latencyName() string {
	if r.Mode == group {
		return "send → receive"
	}
	return r.names.latency
}

func (r *report) panels() []panel {
	rate := line{"", "#2563eb", func(p point) float64 { return p.Rate }}
	title := r.names.many + " a second"
	if r.Mode == group {
		rate.value, title = func(p point) float64 { return p.Deliveries }, "deliveries a second"
	}
	l := r.main()
	up := panel{title: title, top: upperTop, label: count, lines: []line{rate}}
	down := panel{title: r.latencyName() + ", logarithmic", top: lowerTop, log: true, label: tickMS, lines: []line{
		{"p50", "#0d9488", func(p point) float64 { return l(p).P50 }},
		{"p90", "#ca8a04", func(p point) float64 { return l(p).P90 }},
		{"p99", "#ea580c", func(p point) float64 { return l(p).P99 }},
		{"p99.9", "#be123c", func(p point) float64 { return l(p).P999 }},
	}}
	panels := []panel{up, down}
	for i := range panels {
		panels[i].scale(r.Series)
		if slices.Contains([]string{direct, group, history}, r.Mode) {
			panels[i].warm = r.options.warmup.Seconds()
		}
	}
	return panels
}

// scale chooses the axes.
func (p *panel) scale(series []point) {
	low, high := math.Inf(1), 0.0
	p.seconds = 0.1
	for _, at := range series {
		p.seconds = max(p.seconds, at.Seconds)
		for _, l := range p.lines {
			if v := l.value(at); v > 0 {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	switch {
	case high == 0 && p.log:
		p.low, p.high = 0.1, 10
	case high == 0:
		p.high = 1
	case p.log:
		p.low, p.high = math.Pow(10, math.Floor(math.Log10(low))), math.Pow(10, math.Ceil(math.Log10(high)))
		if p.low == p.high {
			p.high *= 10
		}
	default:
		step := niceStep(high / 4)
		p.high = step * math.Ceil(high/step)
	}
}

// niceStep rounds up to 1, 2 or 5 times a power of ten.
func niceStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*power*(1+1e-9) {
			return m * power
		}
	}
	return 10 * power
}

func tickMS(v float64) string {
	if v >= 1000 {
		return fmt.Sprintf("%g s", v/1000)
	}
	return fmt.Sprintf("%.4g ms", v)
}

// ticks are the values that the vertical axis names.
func (p *panel) ticks() (values []float64) {
	if !p.log {
		step := niceStep(p.high / 4)
		for v := 0.0; v <= p.high*(1+1e-9); v += step {
			values = append(values, v)
		}
		return values
	}
	decades := math.Log10(p.high / p.low)
	for v := p.low; v <= p.high*(1+1e-9); v *= 10 {
		values = append(values, v)
		if decades <= 2 && v < p.high*(1-1e-9) {
			values = append(values, 2*v, 5*v)
		}
	}
	return values
}

func (p *panel) x(seconds float64) float64 {
	return plotLeft + seconds/p.seconds*(plotWidth-plotLeft-plotRight)
}

func (p *panel) y(v float64) float64 {
	share := v / p.high
	if p.log {
		share = math.Log10(max(v, p.low)/p.low) / math.Log10(p.high/p.low)
	}
	return p.top + panelHeight*(1-share)
}

func (p *panel) draw(b *strings.Builder, series []point) {
	right, bottom := float64(plotWidth-plotRight), p.top+panelHeight
	fmt.Fprintf(b, `<text x="%d" y="%.1f" font-weight="600" fill="#0f172a">%s</text>`, plotLeft, p.top-12, html.EscapeString(p.title))
	for _, v := range p.ticks() {
		y := p.y(v)
		fmt.Fprintf(b, `<path d="M%d %.1fH%.1f" stroke="#e2e8f0"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`, plotLeft, y, right, plotLeft-8, y+4, p.label(v))
	}
	for step, v := niceStep(p.seconds/10), 0.0; v <= p.seconds*(1+1e-9); v += step {
		fmt.Fprintf(b, `<path d="M%.1f %.1fv5" stroke="#94a3b8"/><text x="%.1f" y="%.1f" text-anchor="middle">%.4g</text>`, p.x(v), bottom, p.x(v), bottom+19, v)
	}
	fmt.Fprintf(b, `<path d="M%d %.1fH%.1f" stroke="#94a3b8"/>`, plotLeft, bottom, right)
	if x := p.x(p.warm); p.warm > 0 && x < right {
		fmt.Fprintf(b, `<path d="M%d %.1fH%.1fV%.1fH%dZ" fill="#94a3b8" opacity="0.12"/><text x="%d" y="%.1f" font-size="11">warm-up</text>`, plotLeft, p.top, x, bottom, plotLeft, plotLeft+6, p.top+16)
	}
	labels := math.Inf(1)
	for i := len(p.lines) - 1; i >= 0; i-- { // from the highest down, so that labels can make room
		labels = p.curve(b, p.lines[i], series, labels)
	}
}

// curve draws a line of one step for each interval, and its name at the end,
// which stays clear of the last one.
func (p *panel) curve(b *strings.Builder, l line, series []point, last float64) (label float64) {
	var path strings.Builder
	var from, x, y float64 // of the interval; x and y are where the line stands
	drawn := false
	for _, at := range series {
		x = p.x(at.Seconds)
		switch v := l.value(at); {
		case v <= 0 && p.log:
			drawn = false // nothing was measured in this interval
		case drawn:
			y = p.y(v)
			fmt.Fprintf(&path, "V%.1fH%.1f", y, x)
		default:
			y, drawn = p.y(v), true
			fmt.Fprintf(&path, "M%.1f %.1fH%.1f", max(from, plotLeft), y, x)
		}
		from = x
	}
	if path.Len() == 0 {
		return last
	}
	if !p.log {
		fmt.Fprintf(b, `<path d="%sV%.1fH%dZ" fill="%s" opacity="0.1"/>`, path.String(), p.top+panelHeight, plotLeft, l.colour)
	}
	fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round"/>`, path.String(), l.colour)
	if l.name == "" {
		return last
	}
	label = y + 4
	if !math.IsInf(last, 1) {
		label = max(label, last+15)
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" font-weight="600" fill="%s">%s</text>`, x+8, label, l.colour, l.name)
	return label
}
