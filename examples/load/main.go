// Command load puts a Wigwag server under load, for capacity planning: how many
// messages, deliveries, history pages, reconnects and idle connections does this
// machine carry, how fast, and at what cost of CPU and memory?
//
//	go run ./examples/server -limits=off
//	go run ./examples/load -mode direct -senders 64 -pid "$(pgrep -n -x server)" -svg direct.svg
//
// It signs up its own users by fictional phone numbers, whose codes it reads from
// /dev/outbox: the server must run in development mode and with -limits=off. What
// it writes stays in that server's database; give it one of its own.
//
// Every message that the server acknowledges is accounted for. When one is not
// delivered to somebody, or twice, or out of order, the exit code is 1.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process without a report
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// run makes one run and reports it on stdout; progress goes to stderr. When ctx
// ends during the load, what was measured so far is reported.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	opt, err := parse(args, stderr)
	if err != nil {
		return err
	}
	b, err := newBench(opt, stderr)
	if err != nil {
		return err
	}
	defer b.api.close()
	r, err := b.run(ctx)
	if err != nil {
		return err
	}
	if err := r.table(stdout); err != nil {
		return err
	}
	if err := writeFile(opt.json, r.writeJSON); err != nil {
		return err
	}
	if err := writeFile(opt.svg, r.plot); err != nil {
		return err
	}
	return r.verdict()
}

// writeFile writes a file by a function, or nothing when it has no name.
func writeFile(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
