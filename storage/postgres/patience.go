package postgres

import (
	"context"
	"database/sql/driver"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// patience bounds how long a server may be silent. A peer that vanished without
// a word, or bytes that drip, would else hold a call, and the locks of its
// transaction, for as long as the system's TCP retries: a quarter of an hour.
type patience struct {
	answer time.Duration // to what was written last; 0: no limit

	mu     sync.Mutex
	silent time.Time // when a connection last ran out of it
}

// dialer makes connections that end when the server does not answer in time.
func (p *patience) dialer() pgconn.DialFunc {
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		began := time.Now()
		conn, err := d.DialContext(ctx, network, address)
		if err != nil || p.answer <= 0 {
			return conn, err
		}
		return &patientConn{Conn: conn, p: p, began: began}, nil
	}
}

// fresh refuses a connection of the pool that is older than the last silence:
// what befell one befell its neighbours, and each would cost a caller the whole wait.
func (p *patience) fresh(_ context.Context, conn *pgx.Conn) error {
	c, ok := conn.PgConn().Conn().(*patientConn)
	if !ok { // TLS hides it; there the pool's own ping has to do
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.began.Before(p.silent) {
		return driver.ErrBadConn
	}
	return nil
}

// patientConn gives each write, and all that is read until the next one, a deadline.
type patientConn struct {
	net.Conn
	p     *patience
	began time.Time

	mu  sync.Mutex
	set bool // pgx has set a deadline of its own: a context has ended
}

func (c *patientConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	if !c.set {
		_ = c.Conn.SetDeadline(time.Now().Add(c.p.answer)) // fails on what is closed, and so will the write
	}
	c.mu.Unlock()
	n, err := c.Conn.Write(b)
	return n, c.note(err)
}

func (c *patientConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.note(err)
}

func (c *patientConn) SetDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.set = !t.IsZero()
	return c.Conn.SetDeadline(t)
}

// note keeps in mind when the server was silent for too long.
func (c *patientConn) note(err error) error {
	e, ok := err.(net.Error) //nolint:errorlint // straight from the socket
	if !ok || !e.Timeout() {
		return err
	}
	c.mu.Lock()
	own := !c.set
	c.mu.Unlock()
	if own {
		c.p.mu.Lock()
		c.p.silent = time.Now()
		c.p.mu.Unlock()
	}
	return err
}
