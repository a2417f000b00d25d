package main

import (
	"context"

	"golang.org/x/sync/errgroup"
)

const dialsAtOnce = 32

// connect opens a connection for each of many; on an error it closes all.
func (b *bench) connect(ctx context.Context, users []user, n int) ([]*conn, error) {
	b.say("opening %d connections", n)
	conns := make([]*conn, n)
	g, dialing := errgroup.WithContext(ctx)
	g.SetLimit(dialsAtOnce)
	for i := range conns {
		g.Go(func() (err error) {
			conns[i], _, err = b.dial(dialing, users[i%len(users)])
			return err
		})
	}
	err := g.Wait()
	if err != nil {
		for _, c := range conns {
			if c != nil {
				c.close()
			}
		}
		return nil, err
	}
	return conns, nil
}

// direct lets each sender write to a peer of its own. Each message reaches two
// connections: the peer's and, as the protocol has it, the sender's own.
func (b *bench) direct(ctx context.Context) error {
	n := b.opt.senders
	users, err := b.signUp(ctx, 2*n)
	if err != nil {
		return err
	}
	if err := b.checkLimits(ctx, users[0]); err != nil {
		return err
	}
	chats := make([]string, n)
	g, opening := errgroup.WithContext(ctx)
	g.SetLimit(signUpsAtOnce)
	for i := range chats {
		g.Go(func() (err error) {
			chats[i], err = b.api.openDirect(opening, users[i], users[n+i])
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	conns, err := b.connect(ctx, users, 2*n)
	if err != nil {
		return err
	}
	t := &traffic{b: b, scan: newScanner(b.mark), fan: 2}
	for i, chat := range chats {
		t.add(conns[i], users[i], chat, i, i, true)
		t.add(conns[n+i], users[n+i], chat, i, i, false)
	}
	return b.traffic(ctx, t)
}

// traffic measures messages and accounts for them.
func (b *bench) traffic(ctx context.Context, t *traffic) error {
	b.say("%s; measuring %v after %v", b.opt, b.opt.duration, b.opt.warmup)
	b.report.settled = func() {
		a := t.account()
		b.report.Accounting = &a
	}
	return b.measure(ctx, b.opt.warmup, b.opt.duration, t.run)
}
