package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// The server tells its address once it answers, stops when it is told to, and
// leaves nothing running.
func TestRunStartsAndStops(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- run(ctx, []string{"-addr", "127.0.0.1:0", "-db", "memory:"}, in, io.Discard) }()

	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	for _, path := range []string{"/", "/readyz", "/dev/outbox"} {
		res, err := client.Get(strings.TrimSpace(line) + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("GET %s: %d", path, res.StatusCode)
		}
	}
	stop()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("run: %v", err)
		}
	case <-time.After(stopWithin):
		t.Error("the server does not stop")
	}
}

func TestRunSaysWhatIsWrong(t *testing.T) {
	for _, args := range [][]string{
		{"-db", "mysql:x"}, {"-db", "sqlite:"}, {"-addr", "127.0.0.1:http-not", "-db", "memory:"}, {"-db", "sqlite:" + t.TempDir() + "/no/such/folder/x.db"},
	} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("run(%q) succeeds", args)
		}
	}
}
