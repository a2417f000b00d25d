package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The modes, and the flags that only some of them know.
const (
	direct  = "direct"
	group   = "group"
	history = "history"
	idle    = "idle"
	storm   = "storm"
)

const (
	minSize     = 40               // bytes of a text, for the mark by which it is known again
	maxSize     = 4096             // the server's limit
	maxInFlight = 1024             // of one sender
	maxUnread   = 512 << 10        // bytes of texts in flight: a sender reads no answers while it writes
	maxDuration = 10 * time.Minute // access tokens live for 15
)

// options are the flags, checked.
type options struct {
	url         *url.URL
	mode        string
	senders     int
	members     int
	connections int
	users       int
	chats       int
	stored      int
	missed      int
	rounds      int
	inFlight    int
	size        int
	rate        float64
	receipts    time.Duration
	duration    time.Duration
	warmup      time.Duration
	interval    time.Duration
	pids        []int
	json, svg   string
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	f.SetOutput(stderr)
	target := f.String("url", "http://127.0.0.1:8080", "`address` of a server in development mode with -limits=off")
	f.StringVar(&o.mode, "mode", direct, "what to do: direct, group, history, idle or storm")
	f.IntVar(&o.senders, "senders", 16, "direct, group: how many users send; in direct each to a peer of its own")
	f.IntVar(&o.members, "members", 100, "group: members online, senders included")
	f.IntVar(&o.connections, "connections", 16, "history, idle, storm: how many")
	f.IntVar(&o.users, "users", 0, "idle: users that share the connections (default: one each)")
	f.IntVar(&o.chats, "chats", 10, "storm: chats of each user")
	f.IntVar(&o.stored, "stored", 1000, "history: messages in each chat")
	f.IntVar(&o.missed, "missed", 0, "storm: messages sent while everybody is away, to be resumed")
	f.IntVar(&o.rounds, "rounds", 3, "storm: how often all reconnect")
	f.IntVar(&o.inFlight, "inflight", 1, "closed loop: messages that a sender may have in flight")
	f.IntVar(&o.size, "size", 128, "`bytes` of a text")
	f.Float64Var(&o.rate, "rate", 0, "open loop: messages, pages or reconnects a second, over all; latency counts from the scheduled time (0: closed loop)")
	f.DurationVar(&o.receipts, "receipts", 0, "direct, group: how often each user tells what it has read (0: never)")
	f.DurationVar(&o.duration, "duration", 10*time.Second, "how long to measure, after the warm-up")
	f.DurationVar(&o.warmup, "warmup", time.Second, "load that is not measured, before")
	f.DurationVar(&o.interval, "interval", time.Second, "between progress reports, and points of the plot")
	f.StringVar(&o.json, "json", "", "write the report as JSON to this `file`")
	f.StringVar(&o.svg, "svg", "", "write a plot over time to this `file`")
	f.Func("pid", "`ids` of server processes on this machine, the database's too: report their CPU (children included) and memory", func(v string) error {
		for id := range strings.SplitSeq(v, ",") {
			pid, err := strconv.Atoi(strings.TrimSpace(id))
			if err != nil || pid <= 0 {
				return fmt.Errorf("%q is no process id", id)
			}
			o.pids = append(o.pids, pid)
		}
		return nil
	})
	if err := f.Parse(args); err != nil {
		return options{}, flag.ErrHelp // the flag set has told what is wrong
	}
	if f.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	var err error
	if o.url, err = url.Parse(strings.TrimSuffix(*target, "/")); err != nil || o.url.Host == "" || o.url.Scheme != "http" && o.url.Scheme != "https" {
		return options{}, fmt.Errorf("-url %q: use http://host:port, with a prefix if the server has one", *target)
	}
	if o.users == 0 {
		o.users = o.connections
	}
	return o, o.check(f)
}

// check refuses what makes no sense, a flag of another mode included.
func (o options) check(f *flag.FlagSet) error {
	onlyFor := map[string][]string{
		"senders": {direct, group}, "members": {group}, "connections": {history, idle, storm}, "users": {idle}, "stored": {history},
		"chats": {storm}, "missed": {storm}, "rounds": {storm}, "inflight": {direct, group},
		"size": {direct, group, history, storm}, "rate": {direct, group, history, storm},
		"receipts": {direct, group}, "duration": {direct, group, history, idle}, "warmup": {direct, group, history},
	}
	if !slices.Contains([]string{direct, group, history, idle, storm}, o.mode) {
		return fmt.Errorf("-mode is direct, group, history, idle or storm, not %q", o.mode)
	}
	var err error
	f.Visit(func(given *flag.Flag) {
		if modes := onlyFor[given.Name]; modes != nil && !slices.Contains(modes, o.mode) {
			err = errors.Join(err, fmt.Errorf("-%s is for -mode %s", given.Name, strings.Join(modes, ", ")))
		}
	})
	bounds := []struct {
		flag          string
		value, lo, hi int
	}{
		{"senders", o.senders, 1, maxSenders}, {"members", o.members, 2, 100_000}, {"connections", o.connections, 1, 1_000_000},
		{"users", o.users, 1, o.connections}, {"chats", o.chats, 1, 10_000}, {"missed", o.missed, 0, 1_000_000}, {"rounds", o.rounds, 1, 1000},
		{"stored", o.stored, pageSize, 1_000_000}, {"inflight", o.inFlight, 1, maxInFlight}, {"size", o.size, minSize, maxSize},
	}
	for _, b := range bounds {
		if b.value < b.lo || b.value > b.hi {
			err = errors.Join(err, fmt.Errorf("-%s is from %d to %d, not %d", b.flag, b.lo, b.hi, b.value))
		}
	}
	if o.mode == group && o.senders > o.members {
		err = errors.Join(err, errors.New("-senders: at most as many as -members"))
	}
	if o.inFlight*o.size > maxUnread {
		err = errors.Join(err, fmt.Errorf("-inflight times -size is at most %d", maxUnread))
	}
	if o.receipts < 0 || o.receipts > 0 && o.receipts < 10*time.Millisecond {
		err = errors.Join(err, errors.New("-receipts is 0, or at least 10ms"))
	}
	if o.rate < 0 || o.duration <= 0 || o.warmup < 0 || o.interval < 10*time.Millisecond || o.warmup+o.duration > maxDuration {
		err = errors.Join(err, fmt.Errorf("-rate is not negative, -interval at least 10ms, -warmup and -duration together at most %v", maxDuration))
	}
	return err
}

// String describes the run in one line, for people.
func (o options) String() string {
	loop := fmt.Sprintf("%d in flight each", o.inFlight)
	if o.rate > 0 {
		loop = fmt.Sprintf("%g a second by schedule", o.rate)
	}
	if o.receipts > 0 {
		loop += fmt.Sprintf(", receipts every %v", o.receipts)
	}
	switch o.mode {
	case direct:
		return fmt.Sprintf("direct: %d senders, %s, %d bytes", o.senders, loop, o.size)
	case group:
		return fmt.Sprintf("group: %d members, %d senders, %s, %d bytes", o.members, o.senders, loop, o.size)
	case history:
		if o.rate == 0 {
			loop = "one request in flight each"
		}
		return fmt.Sprintf("history: pages of %d, %d connections, %s", pageSize, o.connections, loop)
	case idle:
		return fmt.Sprintf("idle: %d connections of %d users", o.connections, o.users)
	default:
		if o.rate == 0 {
			loop = "all at once"
		}
		return fmt.Sprintf("storm: %d connections with %d chats each, %s, %d messages missed, %d rounds", o.connections, o.chats, loop, o.missed, o.rounds)
	}
}
