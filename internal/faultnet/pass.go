package faultnet

import (
	"net"
	"time"
)

// verdict is what becomes of some bytes.
type verdict struct {
	n       int           // how many of them pass
	wait    time.Duration // before they do
	changed chan struct{} // closed when another fault is set
	swallow bool
	cut     bool // afterwards
	reset   bool
}

// pass moves bytes one way until the connection ends.
func (p *Proxy) pass(c *pair, to, from *net.TCPConn) {
	buf := make([]byte, chunk)
	for {
		n, err := from.Read(buf)
		for rest := buf[:n]; len(rest) > 0; {
			v := p.judge(c, len(rest))
			if v.swallow {
				break
			}
			if !p.hold(c, v) {
				return
			}
			if _, e := to.Write(rest[:v.n]); e != nil {
				c.end(false)
				return
			}
			rest = rest[v.n:]
			if v.cut {
				c.end(v.reset)
				return
			}
		}
		if err != nil {
			p.ended(c)
			return
		}
	}
}

// ended passes the end of one half on; of a deaf connection nobody hears.
func (p *Proxy) ended(c *pair) {
	p.mu.Lock()
	deaf := c.deaf
	p.mu.Unlock()
	if deaf {
		select { // the other end finds out by itself, or never
		case <-p.done:
		case <-c.gone:
		}
	}
	c.end(false)
}

func (p *Proxy) judge(c *pair, n int) verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.fault
	if f.Swallow && !c.deaf {
		c.deaf = true
		p.broken++
	}
	if c.deaf {
		return verdict{swallow: true}
	}
	v := verdict{n: n, wait: f.Delay, changed: p.set}
	if f.Jitter > 0 {
		v.wait += time.Duration(p.rnd.Int64N(int64(f.Jitter)))
	}
	if f.Drip > 0 {
		v.n, v.wait = 1, v.wait+f.Drip
	}
	if f.CutAfter > 0 {
		if c.left <= int64(v.n) {
			v.n, v.cut, v.reset = int(max(c.left, 0)), true, f.Reset
			p.broken++
		}
		c.left -= int64(v.n)
	}
	return v
}

// hold waits as long as bytes are to be held back, or the fault holds; false
// when the connection has ended.
func (p *Proxy) hold(c *pair, v verdict) bool {
	if v.wait <= 0 {
		return true
	}
	timer := time.NewTimer(v.wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-v.changed:
	case <-c.gone:
		return false
	case <-p.done:
		return false
	}
	return true
}
