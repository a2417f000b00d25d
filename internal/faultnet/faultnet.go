// Package faultnet breaks TCP connections on purpose, for tests. A Proxy stands
// between a program and its peer and does to the bytes what bad networks do:
// delays them, drips them, cuts them off in the middle, or swallows them while
// both ends believe that all is well.
package faultnet

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Fault is what happens to connections. The zero Fault passes everything on.
type Fault struct {
	// Delay holds back each chunk of bytes, with up to Jitter more. Bytes stay in order.
	Delay, Jitter time.Duration
	// Drip, if above 0, passes one byte in that time in each direction.
	Drip time.Duration
	// CutAfter, if above 0, ends a connection after as many bytes of both
	// directions, counted from when the fault was set: with FIN, or with RST when Reset is set.
	CutAfter int64
	Reset    bool
	// Swallow takes bytes and passes none on: the peer has vanished. A connection
	// that lost bytes stays so when the fault ends, since its stream has a hole.
	Swallow bool
}

// chunk is the most that is passed on at once, in bytes: small, so that cuts
// fall within frames and statements.
const chunk = 512

// Proxy passes TCP connections on to a target. It is safe for concurrent use.
type Proxy struct {
	listener net.Listener
	target   string
	running  sync.WaitGroup
	done     chan struct{}

	mu     sync.Mutex
	rnd    *rand.Rand
	fault  Fault
	set    chan struct{} // closed when another fault is set
	pairs  map[*pair]bool
	broken int
	closed bool
}

// pair is one connection and its other half.
type pair struct {
	in, out *net.TCPConn
	left    int64         // bytes until it is cut; guarded by Proxy.mu
	deaf    bool          // it has lost bytes; guarded by Proxy.mu
	gone    chan struct{} // closed when it has ended
	once    sync.Once
}

// Listen starts a proxy on a free loopback port. The seed draws the jitter.
func Listen(target string, seed uint64) (*Proxy, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		listener: l, target: target, done: make(chan struct{}), set: make(chan struct{}),
		rnd: rand.New(rand.NewPCG(seed, seed)), pairs: make(map[*pair]bool), //nolint:gosec // a test's faults need no secret
	}
	p.running.Go(p.accept)
	return p, nil
}

// Addr is where the proxy listens: host and port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Set makes a fault hold for all connections, also those that are open.
func (p *Proxy) Set(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	for c := range p.pairs {
		c.left = f.CutAfter
	}
	close(p.set)
	p.set = make(chan struct{})
}

// Broken counts the connections that were cut, or lost bytes.
func (p *Proxy) Broken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken
}

// Close ends all connections and returns when nothing of the proxy runs.
func (p *Proxy) Close() error {
	p.mu.Lock()
	if !p.closed {
		close(p.done)
	}
	p.closed = true
	for c := range p.pairs {
		c.end(false)
	}
	p.mu.Unlock()
	err := p.listener.Close()
	p.running.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (p *Proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.running.Go(func() { p.serve(in.(*net.TCPConn)) })
	}
}

func (p *Proxy) serve(in *net.TCPConn) {
	out, err := new(net.Dialer).DialContext(context.Background(), "tcp", p.target)
	if err != nil {
		_ = in.Close()
		return
	}
	c := &pair{in: in, out: out.(*net.TCPConn), gone: make(chan struct{})}
	p.mu.Lock()
	c.left = p.fault.CutAfter
	p.pairs[c] = true
	if p.closed {
		c.end(false)
	}
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.pass(c, c.out, c.in) })
	both.Go(func() { p.pass(c, c.in, c.out) })
	both.Wait()
	p.mu.Lock()
	delete(p.pairs, c)
	p.mu.Unlock()
}

// end closes both halves; reset: with RST.
func (c *pair) end(reset bool) {
	c.once.Do(func() {
		close(c.gone)
		for _, conn := range []*net.TCPConn{c.in, c.out} {
			if reset {
				_ = conn.SetLinger(0)
			}
			_ = conn.Close()
		}
	})
}
