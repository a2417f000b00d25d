package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	pageSize     = 50
	historyUsers = 32 // at most; two to a chat
	fillInFlight = 64
)

// stored is a chat full of messages, of sequences first to last.
type stored struct {
	chat        string
	first, last int64
}

// history reads pages from random places of filled chats, each connection for a
// user of its own as far as they go. Each page is checked to hold what it must.
func (b *bench) history(ctx context.Context) error {
	users, err := b.signUp(ctx, min(b.opt.connections+b.opt.connections%2, historyUsers))
	if err != nil {
		return err
	}
	if err := b.checkLimits(ctx, users[0]); err != nil {
		return err
	}
	chats := make([]stored, len(users)/2)
	b.say("filling %d chats with %d messages each", len(chats), b.opt.stored)
	g, filling := errgroup.WithContext(ctx)
	g.SetLimit(signUpsAtOnce)
	for i := range chats {
		g.Go(func() (err error) {
			chats[i], err = b.fill(filling, users[2*i], users[2*i+1], i)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	readers := make([]*pageReader, b.opt.connections)
	for i := range readers {
		u := i % len(users)
		readers[i] = b.newPageReader(users[u].token, chats[u/2])
	}
	b.say("%s; measuring %v after %v", b.opt, b.opt.duration, b.opt.warmup)
	return b.measure(ctx, b.opt.warmup, b.opt.duration, func(ctx context.Context) error {
		var wg sync.WaitGroup
		for i, r := range readers {
			wg.Go(func() { b.readPages(ctx, i, r) })
		}
		wg.Wait()
		return nil
	})
}

// fill sends the messages to be read from one user to another.
func (b *bench) fill(ctx context.Context, from, to user, number int) (stored, error) {
	chat, err := b.api.openDirect(ctx, from, to)
	if err != nil {
		return stored{}, err
	}
	c, _, err := b.dial(ctx, from)
	if err != nil {
		return stored{}, err
	}
	defer c.close()
	defer context.AfterFunc(ctx, c.close)()
	scan, frame, s := newScanner(b.mark), newTemplate(b.mark, chat, number, b.opt.size), stored{chat: chat}
	for sent, answered := 0, 0; answered < b.opt.stored; {
		if sent < b.opt.stored && sent-answered < fillInFlight {
			if err := c.write(frame.set(sent)); err != nil {
				return s, err
			}
			sent++
			continue
		}
		data, err := c.read()
		if err != nil {
			return s, errors.Join(ctx.Err(), err)
		}
		if _, ok := replyTo(data); !ok {
			continue
		}
		d, ok := scan.message(data)
		if !ok || !succeeded(data) {
			return s, errors.New(failure(data))
		}
		if s.last = d.seq; answered == 0 {
			s.first = d.seq
		}
		answered++
	}
	return s, nil
}

// readPages asks for one page after the other until the context ends.
func (b *bench) readPages(ctx context.Context, number int, r *pageReader) {
	defer r.close()
	defer context.AfterFunc(ctx, func() { // a server that hangs must not hold up the end
		time.AfterFunc(patience, r.close)
	})()
	one := func(due time.Time) bool {
		before := r.first + pageSize + rand.Int64N(r.last-r.first-pageSize+2)
		body, err := r.page(ctx, before)
		if err == nil {
			err = checkPage(body, before)
		}
		if err != nil {
			if ctx.Err() == nil {
				b.meter.fail(err.Error())
				r.close()
				time.Sleep(afterError)
			}
			return ctx.Err() == nil
		}
		b.meter.ack.record(time.Since(due))
		b.meter.done.Add(1)
		return true
	}
	if b.opt.rate > 0 {
		every := time.Duration(float64(b.opt.connections) / b.opt.rate * float64(time.Second))
		offset := every * time.Duration(number) / time.Duration(b.opt.connections)
		pace(ctx, b.meter.start, offset, every, func(due time.Time) bool {
			b.meter.lag.record(time.Since(due))
			return one(due)
		})
		return
	}
	for ctx.Err() == nil && one(time.Now()) {
		continue
	}
}

var errPage = errors.New("wrong page")

// checkPage wants the pageSize messages before a sequence, by their number and the last one.
func checkPage(body []byte, before int64) error {
	seq := []byte(`"seq":`)
	at := bytes.LastIndex(body, seq)
	if at < 0 || bytes.Count(body, seq) != pageSize || digits(body[at+len(seq):]) != before-1 {
		return errPage
	}
	return nil
}

// dialPlain opens a connection for HTTP.
func (b *bench) dialPlain(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	host := b.opt.url.Host
	if b.opt.url.Port() == "" {
		host = net.JoinHostPort(b.opt.url.Hostname(), b.opt.url.Scheme) // a service name
	}
	if b.opt.url.Scheme == "https" {
		return dialTLS(ctx, host)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", host)
}
