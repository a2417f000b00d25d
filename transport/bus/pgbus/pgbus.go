// Package pgbus is a bus over the NOTIFY of PostgreSQL: the nodes that share a
// database need nothing else to hear of each other. It keeps two connections of each node.
//
// A note costs PostgreSQL one short transaction that writes nothing. NOTIFY works on
// the primary alone, and not through a pooler that shares connections between
// transactions.
package pgbus

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wigwag-chat/wigwag/transport/bus"
)

// Options tune a Bus; the zero value is ready for use.
type Options struct {
	Channel string        // of NOTIFY, at most 63 bytes; several systems on one database need one each; default "wigwag"
	Quiet   time.Duration // without a note the connection is tested; default 5 s
	Answer  time.Duration // longest wait for an answer of the server; default 5 s
}

// Bus is a bus.Bus over one database.
type Bus struct {
	config *pgx.ConnConfig
	opt    Options
	sender chan *pgx.Conn // holds the connection that sends; nil while there is none
}

var _ bus.Bus = (*Bus)(nil)

// New makes a bus of the database at a URL, or says what is wrong with the URL. It
// connects when it is used.
func New(url string, opt Options) (*Bus, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("pgbus: the URL is not one of PostgreSQL") // which may hold a password
	}
	if opt.Channel == "" {
		opt.Channel = "wigwag"
	}
	if len(opt.Channel) > 63 {
		return nil, errors.New("pgbus: Options.Channel is longer than 63 bytes")
	}
	if opt.Quiet == 0 {
		opt.Quiet = 5 * time.Second
	}
	if opt.Answer == 0 {
		opt.Answer = 5 * time.Second
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = opt.Answer
	}
	b := &Bus{config: config, opt: opt, sender: make(chan *pgx.Conn, 1)}
	b.sender <- nil
	return b, nil
}

// Send implements bus.Bus.
func (b *Bus) Send(ctx context.Context, note []byte) error {
	if len(note) > bus.MaxNote {
		return fmt.Errorf("pgbus: a note of %d bytes", len(note))
	}
	var conn *pgx.Conn
	select {
	case conn = <-b.sender:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { b.sender <- conn }()
	ctx, cancel := context.WithTimeout(ctx, b.opt.Answer)
	defer cancel()
	if conn == nil || conn.IsClosed() {
		var err error
		if conn, err = pgx.ConnectConfig(ctx, b.config); err != nil {
			conn = nil
			return fmt.Errorf("pgbus: connect: %w", err)
		}
	}
	if _, err := conn.Exec(ctx, "SELECT pg_notify($1, $2)", b.opt.Channel, base64.StdEncoding.EncodeToString(note)); err != nil {
		b.drop(conn)
		conn = nil
		return fmt.Errorf("pgbus: notify: %w", err)
	}
	return nil
}

// Listen implements bus.Bus.
func (b *Bus) Listen(ctx context.Context, ready func(), take func([]byte)) error {
	conn, err := pgx.ConnectConfig(ctx, b.config)
	if err != nil {
		return fmt.Errorf("pgbus: connect: %w", err)
	}
	defer b.drop(conn)
	if err := b.answers(ctx, func(ctx context.Context) error {
		_, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{b.opt.Channel}.Sanitize())
		return err
	}); err != nil {
		return fmt.Errorf("pgbus: listen: %w", err)
	}
	ready()
	for {
		quiet, cancel := context.WithTimeout(ctx, b.opt.Quiet)
		n, err := conn.WaitForNotification(quiet)
		silent := quiet.Err() != nil
		cancel()
		switch {
		case err == nil:
			note, err := base64.StdEncoding.DecodeString(n.Payload)
			if err != nil {
				return fmt.Errorf("pgbus: somebody else sends on channel %q: %w", b.opt.Channel, err)
			}
			take(note)
		case ctx.Err() != nil:
			return ctx.Err()
		case !silent || conn.IsClosed():
			return fmt.Errorf("pgbus: wait: %w", err)
		default: // a connection may be dead without saying so
			if err := b.answers(ctx, conn.Ping); err != nil {
				return fmt.Errorf("pgbus: no answer: %w", err)
			}
		}
	}
}

func (b *Bus) answers(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, b.opt.Answer)
	defer cancel()
	return ask(ctx)
}

// drop closes a connection without waiting long for a farewell.
func (b *Bus) drop(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // it is of no use any more, however it ends
}

// Close implements bus.Bus. A later Send connects again.
func (b *Bus) Close() error {
	if conn := <-b.sender; conn != nil {
		b.drop(conn)
	}
	b.sender <- nil
	return nil
}
