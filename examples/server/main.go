// Command server is Wigwag as one binary: the whole back end on SQLite (or
// PostgreSQL, or memory), and a web client in the browser.
//
//	go run ./examples/server
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

// stopWithin bounds how long a clean stop may take.
const stopWithin = 10 * time.Second

// headroom is memory that the garbage collector counts and nobody touches: no page
// of it is ever backed. A small heap would be collected a dozen times a second.
const headroom = 32 << 20

// run serves until the context ends. It prints the address on stdout once
// requests are answered.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	opt, err := parse(args, stderr)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	app, box, err := open(ctx, opt, log)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", opt.addr)
	if err != nil {
		return errors.Join(err, app.Stop(context.WithoutCancel(ctx)))
	}
	server := &http.Server{
		Handler:           routes(app.Handler(), box, opt.local),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	room := make([]byte, headroom)
	defer runtime.KeepAlive(room)
	app.Start()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	fmt.Fprintf(stdout, "http://%s\n", listener.Addr())

	select {
	case err = <-failed:
	case <-ctx.Done():
		log.Info("stopping")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	// Shutdown does not know of WebSockets; Stop closes those.
	return errors.Join(err, server.Shutdown(ctx), app.Stop(ctx))
}
