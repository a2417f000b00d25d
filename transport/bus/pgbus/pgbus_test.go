package pgbus_test

import (
	"context"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/internal/faultnet"
	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/transport/bus"
	"github.com/wigwag-chat/wigwag/transport/bus/bustest"
	"github.com/wigwag-chat/wigwag/transport/bus/pgbus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, url string, opt pgbus.Options) *pgbus.Bus {
	t.Helper()
	b, err := pgbus.New(url, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func TestBus(t *testing.T) {
	bustest.Run(t, func(t *testing.T) (bus.Bus, bus.Bus) {
		url := pgtest.URL(t)
		return open(t, url, pgbus.Options{}), open(t, url, pgbus.Options{})
	})
}

func TestBadOptions(t *testing.T) {
	for _, url := range []string{"not a URL", "postgres://user:secret@host:port/x"} {
		if _, err := pgbus.New(url, pgbus.Options{}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("New(%q) = %v", url, err)
		}
	}
	if _, err := pgbus.New("postgres://host/x", pgbus.Options{Channel: strings.Repeat("c", 64)}); err == nil {
		t.Error("a channel of 64 bytes is taken")
	}
	b := open(t, "postgres://127.0.0.1:1/x", pgbus.Options{})
	if err := b.Send(t.Context(), make([]byte, bus.MaxNote+1)); err == nil {
		t.Error("a note over the greatest length is taken")
	}
	if err := b.Send(t.Context(), []byte("x")); err == nil {
		t.Error("a note is sent without a server")
	}
	if err := b.Listen(t.Context(), func() { t.Error("ready without a server") }, nil); err == nil {
		t.Error("Listen succeeds without a server")
	}
}

// Systems on one database do not hear each other.
func TestChannels(t *testing.T) {
	url := pgtest.URL(t)
	ours, theirs := open(t, url, pgbus.Options{Channel: `our "own"`}), open(t, url, pgbus.Options{})
	ctx, stop := context.WithCancel(t.Context())
	ready, heard, ended := make(chan struct{}), make(chan string, 9), make(chan error)
	go func() { ended <- ours.Listen(ctx, func() { close(ready) }, func(n []byte) { heard <- string(n) }) }()
	<-ready
	for _, b := range []*pgbus.Bus{theirs, ours} {
		if err := b.Send(t.Context(), []byte(map[bool]string{true: "ours", false: "theirs"}[b == ours])); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-heard; got != "ours" {
		t.Errorf("heard %q", got)
	}
	stop()
	<-ended
}

// A connection that dies without a word is noticed, and who listens is told.
func TestSilentConnection(t *testing.T) {
	through, proxy := behind(t, pgtest.URL(t))
	opt := pgbus.Options{Quiet: 50 * time.Millisecond, Answer: 500 * time.Millisecond}
	b := open(t, through, opt)
	ready, ended := make(chan struct{}), make(chan error)
	go func() { ended <- b.Listen(t.Context(), func() { close(ready) }, func([]byte) {}) }()
	<-ready
	if err := b.Send(t.Context(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	proxy.Set(faultnet.Fault{Swallow: true})
	select {
	case err := <-ended:
		if err == nil {
			t.Error("Listen ended without an error")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a dead connection is listened to")
	}
	if err := b.Send(t.Context(), []byte("x")); err == nil {
		t.Error("a note is sent into a dead connection")
	}
	proxy.Set(faultnet.Fault{})
	if err := b.Send(t.Context(), []byte("x")); err != nil {
		t.Errorf("once the network is back: %v", err)
	}
}

// behind is the URL of a server through a proxy.
func behind(t *testing.T, server string) (string, *faultnet.Proxy) {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	p, err := faultnet.Listen(net.JoinHostPort(u.Hostname(), u.Port()), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	u.Host = p.Addr()
	return u.String(), p
}
