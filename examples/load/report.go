package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what a run found. Its JSON has times in milliseconds unless named otherwise.
type report struct {
	Mode        string         `json:"mode"`
	Description string         `json:"description"`
	URL         string         `json:"url"`
	Started     time.Time      `json:"started"`
	Seconds     float64        `json:"seconds"` // measured
	Total       int64          `json:"total"`   // in them
	Rate        float64        `json:"rate"`    // a second
	Deliveries  float64        `json:"deliveries"`
	Ack         summary        `json:"ack"`
	Receive     summary        `json:"receive"`
	Lag         summary        `json:"lag"`
	Errors      map[string]int `json:"errors"`
	BytesIn     int64          `json:"bytesIn"`
	BytesOut    int64          `json:"bytesOut"`

	ClientCPU            float64     `json:"clientCpuSeconds"`
	Servers              []server    `json:"servers,omitempty"`
	CPUMicrosPerUnit     float64     `json:"cpuMicrosPerUnit,omitempty"` // of all named processes together
	CPUMicrosPerDelivery float64     `json:"cpuMicrosPerDelivery,omitempty"`
	Memory               []footprint `json:"memory,omitempty"`
	Accounting           *accounting `json:"accounting,omitempty"`
	Problems             []string    `json:"problems"` // why the run counts as failed
	Series               []point     `json:"series"`

	options options
	names   names
	settled func() // fills in Accounting
}

// server is what one server process used in the measured time.
type server struct {
	process
	CPUSeconds float64 `json:"cpuSeconds"`
}

// names say what a mode counts, in words.
type names struct {
	one, many string
	latency   string // of what Ack measures
	delivers  bool
}

func namesOf(mode string) names {
	switch mode {
	case direct, group:
		return names{"message", "messages", "send → ack", true}
	case history:
		return names{"page", "pages", "page", false}
	case idle:
		return names{"connection", "connections", "ping at the end", false}
	default:
		return names{"reconnect", "reconnects", "connect → up to date", false}
	}
}

// progress is the line of one interval.
func (n names) progress(p point, s sample) string {
	if n.many == "connections" {
		return fmt.Sprintf("%5.0f s  holding connections, %d lost", p.Seconds, s.failed)
	}
	line := fmt.Sprintf("%5.0f s  %s %s/s", p.Seconds, count(p.Rate), n.many)
	if n.delivers {
		line += fmt.Sprintf("  %s deliveries/s", count(p.Deliveries))
	}
	line += fmt.Sprintf("  %s p50 %s p99 %s", n.latency, ms(p.Ack.P50), ms(p.Ack.P99))
	if s.failed > 0 {
		line += fmt.Sprintf("  %d errors", s.failed)
	}
	return line
}

// take computes the report from the samples at the beginning and the end of the
// measured time, and after everything in flight had come.
func (r *report) take(first, last, final sample, m *meter) {
	p := pointOf(first, last)
	r.Seconds, r.Total, r.Rate, r.Deliveries = (last.at - first.at).Seconds(), last.done-first.done, p.Rate, p.Deliveries
	r.Ack, r.Receive = final.ack.since(first.ack).summary(), final.deliver.since(first.deliver).summary()
	r.Lag = final.lag.since(first.lag).summary()
	r.Errors, r.BytesIn, r.BytesOut = m.allFailures(), last.in-first.in, last.out-first.out
	r.ClientCPU = (last.client.CPU - first.client.CPU).Seconds()
	var cpu time.Duration
	for i, now := range last.servers {
		used := max(0, now.CPU-first.servers[i].CPU)
		cpu += used
		r.Servers = append(r.Servers, server{now, used.Seconds()})
	}
	if r.Total > 0 {
		r.CPUMicrosPerUnit = float64(cpu.Microseconds()) / float64(r.Total)
	}
	if n := last.delivered - first.delivered; n > 0 {
		r.CPUMicrosPerDelivery = float64(cpu.Microseconds()) / float64(n)
	}
	if r.settled != nil {
		r.settled()
		a := r.Accounting
		r.problem(a.Missing > 0, "%d deliveries of acknowledged messages are missing", a.Missing)
		r.problem(a.Duplicates > 0, "%d deliveries came twice", a.Duplicates)
		r.problem(a.OutOfOrder > 0, "%d deliveries came out of order", a.OutOfOrder)
		r.problem(a.Contradicted > 0, "%d answers or deliveries contradict what was sent or acknowledged", a.Contradicted)
	}
	r.problem(r.Errors[errPage.Error()] > 0, "%d pages did not hold what they must", r.Errors[errPage.Error()])
	r.problem(r.Total == 0, "nothing was done in the measured time")
}

func (r *report) problem(is bool, format string, args ...any) {
	if is {
		r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
	}
}

// verdict is an error when the run counts as failed.
func (r *report) verdict() error {
	if len(r.Problems) == 0 {
		return nil
	}
	return errors.New(strings.Join(r.Problems, "; "))
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// table writes the summary for people.
func (r *report) table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, name+"\t"+format+"\n", args...) }
	fmt.Fprintf(w, "\n%s\n\n", r.Description)
	switch r.Mode {
	case idle:
		row("connections", "%d alive after %.1f s", r.Total, r.Seconds)
	default:
		row("throughput", "%s %s/s  (%d in %.1f s)", count(r.Rate), r.names.many, r.Total, r.Seconds)
	}
	if r.names.delivers {
		row("deliveries", "%s/s", count(r.Deliveries))
	}
	row("bytes", "%s/s in, %s/s out", size(float64(r.BytesIn)/r.Seconds), size(float64(r.BytesOut)/r.Seconds))
	fmt.Fprint(w, "\nlatency\tp50\tp90\tp99\tp99.9\tmax\n")
	for _, l := range []struct {
		name string
		summary
	}{{r.names.latency, r.Ack}, {"send → receive", r.Receive}, {"sent late by", r.Lag}} {
		if l.Count > 0 {
			row(l.name, "%s\t%s\t%s\t%s\t%s", ms(l.P50), ms(l.P90), ms(l.P99), ms(l.P999), ms(l.Max))
		}
	}
	r.processes(w, row)
	if a := r.Accounting; a != nil {
		fmt.Fprintln(w)
		row("messages", "%d sent, %d acknowledged, %d refused, %d unanswered", a.Sent, a.Acknowledged, a.Refused, a.Unanswered)
		row("deliveries of these", "%d of %d, %d missing", a.Delivered, a.Expected, a.Missing)
		row("", "%d twice, %d out of order, %d contradicted, %d of unacknowledged, %d connections resumed", a.Duplicates, a.OutOfOrder, a.Contradicted, a.Unasked, a.Resumed)
		if a.Receipts > 0 {
			row("receipts", "%d", a.Receipts)
		}
	}
	for i, why := range slices.Sorted(maps.Keys(r.Errors)) {
		if i == 0 {
			fmt.Fprintln(w)
		}
		row("error", "%d × %s", r.Errors[why], why)
	}
	return w.Flush()
}

func (r *report) processes(w io.Writer, row func(name, format string, args ...any)) {
	fmt.Fprintln(w)
	row("CPU of this client", "%.2f s", r.ClientCPU)
	for _, s := range r.Servers {
		row(fmt.Sprintf("CPU of %s (%d)", s.Name, s.PID), "%.2f s, memory %s", s.CPUSeconds, size(float64(s.RSS)))
	}
	if len(r.Servers) > 0 && r.Mode != idle {
		row("server CPU", "%.1f µs a %s", r.CPUMicrosPerUnit, r.names.one)
		if r.names.delivers {
			row("", "%.2f µs a delivery", r.CPUMicrosPerDelivery)
		}
	}
	for _, m := range r.Memory {
		row(fmt.Sprintf("memory of %s (%d)", m.Name, m.PID), "%s at first, %s after sign-up, %s with connections: %.1f KiB each",
			size(float64(m.Fresh)), size(float64(m.Before)), size(float64(m.Held)), m.KiBPerConnection)
	}
}
