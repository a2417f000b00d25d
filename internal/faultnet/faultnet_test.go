package faultnet_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wigwag-chat/wigwag/internal/faultnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo starts a peer that says back what it hears, and a proxy before it.
func echo(t *testing.T) *faultnet.Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			})
		}
	})
	p, err := faultnet.Listen(l.Addr().String(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.Close()
		_ = l.Close()
		running.Wait()
	})
	return p
}

func dial(t *testing.T, p *faultnet.Proxy) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

// say sends text and returns how long its echo took, and why there was none.
func say(conn net.Conn, text string) (time.Duration, error) {
	began := time.Now()
	if _, err := io.WriteString(conn, text); err != nil {
		return 0, err
	}
	back := make([]byte, len(text))
	if _, err := io.ReadFull(conn, back); err != nil {
		return 0, err
	}
	if string(back) != text {
		return 0, errors.New("other bytes came back: " + string(back))
	}
	return time.Since(began), nil
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault   faultnet.Fault
		text    int
		atLeast time.Duration
		err     error
	}{
		"none":  {text: 100_000},
		"delay": {fault: faultnet.Fault{Delay: 20 * time.Millisecond, Jitter: time.Millisecond}, text: 9, atLeast: 40 * time.Millisecond},
		"drip":  {fault: faultnet.Fault{Drip: 2 * time.Millisecond}, text: 10, atLeast: 20 * time.Millisecond},
		"fin":   {fault: faultnet.Fault{CutAfter: 15}, text: 10, err: io.ErrUnexpectedEOF},
		"reset": {fault: faultnet.Fault{CutAfter: 5, Reset: true}, text: 10, err: syscall.ECONNRESET},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := echo(t)
			p.Set(test.fault)
			took, err := say(dial(t, p), string(bytes.Repeat([]byte("x"), test.text)))
			if !errors.Is(err, test.err) || took < test.atLeast {
				t.Errorf("%v after %v, want %v after %v", err, took, test.err, test.atLeast)
			}
			if want := test.err != nil; p.Broken() > 0 != want {
				t.Errorf("%d are broken", p.Broken())
			}
		})
	}
}

// Nothing tells of a swallowed byte, the connection never recovers, and new ones do.
func TestSwallow(t *testing.T) {
	t.Parallel()
	p := echo(t)
	old := dial(t, p)
	if _, err := say(old, "before"); err != nil {
		t.Fatal(err)
	}
	p.Set(faultnet.Fault{Swallow: true})
	for range 2 {
		_ = old.SetDeadline(time.Now().Add(50 * time.Millisecond))
		if _, err := say(old, "lost"); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		p.Set(faultnet.Fault{})
	}
	if _, err := say(dial(t, p), "after"); err != nil || p.Broken() != 1 {
		t.Error(err, p.Broken())
	}
}

// A fault that ends lets go what it held back.
func TestEndOfFault(t *testing.T) {
	t.Parallel()
	p := echo(t)
	p.Set(faultnet.Fault{Drip: time.Hour})
	conn := dial(t, p)
	done := make(chan error, 1)
	go func() {
		_, err := say(conn, "held back")
		done <- err
	}()
	p.Set(faultnet.Fault{})
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestKindsStayWithinTheirScale(t *testing.T) {
	scale := faultnet.Scale{Delay: 3, Jitter: 2, CutFrom: 0, Cut: 4, Drip: 5}
	rnd := rand.New(rand.NewPCG(1, 1))
	seen := make(map[faultnet.Fault]bool)
	for _, kind := range faultnet.Kinds(scale) {
		for range 200 {
			f := kind.Draw(rnd)
			if f == (faultnet.Fault{}) || f.Delay >= scale.Delay || f.CutAfter < 0 || f.CutAfter > scale.Cut {
				t.Errorf("%s: %+v", kind.Name, f)
			}
			seen[f] = true
		}
	}
	if want := 3 + 4*2 + 1 + 1; len(seen) != want { // delays, cuts by FIN and RST, the rest
		t.Errorf("%d different faults, want %d", len(seen), want)
	}
}
