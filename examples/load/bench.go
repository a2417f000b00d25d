package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"
)

// bench is one run: what was asked for, its target, and what is counted.
type bench struct {
	opt       options
	api       *client
	socketURL string
	mark      string
	meter     *meter
	progress  progress
	report    *report
}

func newBench(opt options, stderr io.Writer) (*bench, error) {
	socket := *opt.url
	socket.Scheme = map[string]string{"http": "ws", "https": "wss"}[socket.Scheme]
	b := &bench{
		opt: opt, api: newClient(opt.url), socketURL: socket.JoinPath("/v1/ws").String(),
		mark: fmt.Sprintf("%0*x", runDigits, rand.Uint32()), progress: newProgress(stderr),
	}
	b.meter = &meter{start: time.Now(), failures: make(map[string]int)}
	b.report = &report{
		Mode: opt.mode, Description: opt.String(), URL: opt.url.Redacted(), Started: time.Now().UTC().Truncate(time.Second), options: opt,
		names: namesOf(opt.mode),
	}
	for _, pid := range opt.pids {
		if _, err := processOf(pid); err != nil {
			return nil, fmt.Errorf("-pid %d: %w", pid, err)
		}
	}
	return b, nil
}

// run prepares, loads and accounts.
func (b *bench) run(ctx context.Context) (*report, error) {
	defer b.progress.end()
	if err := b.api.checkTarget(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", b.report.URL, err)
	}
	modes := map[string]func(context.Context) error{
		direct: b.direct, group: b.group, history: b.history, idle: b.idle, storm: b.storm,
	}
	if err := modes[b.opt.mode](ctx); err != nil {
		return nil, err
	}
	return b.report, nil
}

func (b *bench) say(format string, args ...any) { b.progress.line(fmt.Sprintf(format, args...)) }

// measure runs a load and samples it. The load's context ends after warm-up and
// duration, or with ctx; then the load finishes what is in flight and returns.
// Throughput and CPU are those between the end of the warm-up and the end of the
// duration, latencies those of all that began to be counted after the warm-up. A
// duration of 0 lasts until the load returns.
func (b *bench) measure(ctx context.Context, warmup, duration time.Duration, load func(context.Context) error) error {
	loading, stop := context.WithCancel(ctx)
	defer stop()
	if duration > 0 {
		loading, stop = context.WithTimeout(loading, warmup+duration)
		defer stop()
	}
	b.meter.start = time.Now()
	first := b.meter.sample(b.opt.pids)
	var last *sample
	done := make(chan error, 1)
	go func() { done <- load(loading) }()

	tick := time.NewTicker(b.opt.interval)
	defer tick.Stop()
	warm := time.NewTimer(warmup)
	defer warm.Stop()
	over := loading.Done()
	before := first
	for {
		select {
		case <-warm.C:
			if last == nil && warmup > 0 {
				first = b.meter.sample(b.opt.pids)
			}
		case <-tick.C:
			now := b.meter.sample(nil)
			p := pointOf(before, now)
			before = now
			if last != nil {
				b.progress.update("finishing what is in flight")
				continue
			}
			b.report.Series = append(b.report.Series, p)
			b.progress.update(b.report.names.progress(p, now))
		case <-over:
			s := b.meter.sample(b.opt.pids)
			last, over = &s, nil
		case err := <-done:
			now := b.meter.sample(b.opt.pids)
			if last == nil {
				last = &now
				b.report.Series = append(b.report.Series, pointOf(before, now))
			}
			b.report.take(first, *last, now, b.meter)
			if errors.Is(err, context.Canceled) && ctx.Err() != nil {
				err = nil // interrupted: report what there is
			}
			return err
		}
	}
}

// progress shows what happens: on a terminal as one line that changes, elsewhere
// as lines.
type progress struct {
	out      io.Writer
	terminal bool
}

func newProgress(w io.Writer) progress {
	f, ok := w.(*os.File)
	if !ok {
		return progress{w, false}
	}
	info, err := f.Stat()
	return progress{w, err == nil && info.Mode()&os.ModeCharDevice != 0}
}

const clearLine = "\r\x1b[K"

// line writes a line that stays.
func (p progress) line(text string) {
	if p.terminal {
		text = clearLine + text
	}
	fmt.Fprintln(p.out, text)
}

// update replaces the last line of a terminal.
func (p progress) update(text string) {
	if !p.terminal {
		fmt.Fprintln(p.out, text)
		return
	}
	fmt.Fprint(p.out, clearLine, text)
}

func (p progress) end() {
	if p.terminal {
		fmt.Fprint(p.out, clearLine)
	}
}
