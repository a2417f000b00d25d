package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// traffic is senders and listeners of messages, in one chat or in many.
type traffic struct {
	b       *bench
	scan    *scanner
	members []*member
	senders []*sender
	fan     int64 // connections that get each message

	answered   atomic.Int64
	refused    atomic.Int64
	duplicates atomic.Int64
	disorder   atomic.Int64
	contrary   atomic.Int64
	resumed    atomic.Int64
	receipts   atomic.Int64

	stopped atomic.Bool // no more messages
}

// member is one connection. It listens in one chat, to all who send there.
type member struct {
	user   user
	chat   string
	first  int          // the number of the first sender in its chat
	heard  []heard      // by sender, from first
	newest atomic.Int64 // sequence
	marked int64        // up to this sequence it told that it has read
	again  int64        // up to this sequence, what was read from history may come live too
	sends  *sender      // nil for those who only listen

	conn    atomic.Pointer[conn]
	sending sync.Mutex // held while a message is sent, and while the connection is resumed
}

type sender struct {
	number   int
	template *template
	ledger   ledger
}

const (
	markID     = "read"                // of the frames that tell of receipts; messages have numbers
	afterError = 10 * time.Millisecond // a server that refuses is not hammered
	patience   = 5 * time.Second       // without any progress, until what is missing counts as lost
)

// add adds a connection that hears senders from first to last, and is itself
// the next of them if it sends.
func (t *traffic) add(c *conn, u user, chat string, first, last int, sends bool) {
	m := &member{user: u, chat: chat, first: first, heard: make([]heard, last-first+1)}
	m.conn.Store(c)
	if sends {
		number := len(t.senders)
		m.sends = &sender{number: number, template: newTemplate(t.b.mark, chat, number, t.b.opt.size)}
		t.senders = append(t.senders, m.sends)
	}
	t.members = append(t.members, m)
}

// run sends until the context ends, and returns once everything has arrived, or
// does not any more.
func (t *traffic) run(ctx context.Context) error {
	var reading, pacing sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { t.stopped.Store(true) })
	defer stop()
	every := time.Duration(0)
	if t.b.opt.rate > 0 {
		every = time.Duration(float64(len(t.senders)) / t.b.opt.rate * float64(time.Second))
	}
	alive, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	for i, m := range t.members {
		if every := t.b.opt.receipts; every > 0 {
			offset := every * time.Duration(i) / time.Duration(len(t.members))
			pacing.Go(func() {
				pace(ctx, t.b.meter.start, offset, every, func(time.Time) bool { t.mark(m); return true })
			})
		}
		reading.Go(func() { t.serve(alive, m, every == 0) })
		if m.sends != nil && every > 0 {
			offset := every * time.Duration(m.sends.number) / time.Duration(len(t.senders))
			pacing.Go(func() {
				pace(ctx, t.b.meter.start, offset, every, func(due time.Time) bool { return t.send(m, due.Sub(t.b.meter.start)) })
			})
		}
	}
	<-ctx.Done()
	waitFor(patience, t.progress, t.settled)
	end()
	for _, m := range t.members {
		m.conn.Load().close()
	}
	pacing.Wait()
	reading.Wait()
	return nil
}

func (t *traffic) progress() int64 { return t.answered.Load() + t.b.meter.delivered.Load() }

// settled tells whether every message is answered and has reached everybody.
func (t *traffic) settled() bool {
	var sent int64
	for _, s := range t.senders {
		sent += s.ledger.sent.Load()
	}
	acked := t.b.meter.done.Load()
	return acked+t.refused.Load() == sent && t.b.meter.delivered.Load() >= acked*t.fan
}

// serve reads a member's connection until the context ends. In a closed loop it
// also sends: each answer lets the next message out. When the connection breaks
// it resumes, as any client does.
func (t *traffic) serve(ctx context.Context, m *member, closed bool) {
	if m.sends != nil && closed {
		for range t.b.opt.inFlight {
			t.send(m, t.b.meter.elapsed())
		}
	}
	var now time.Duration
	take := func(d delivery) { t.take(m, d, now) }
	for {
		frame, err := m.conn.Load().read()
		now = t.b.meter.elapsed()
		if err != nil {
			if ctx.Err() == nil {
				t.b.meter.fail(reason(err))
				err = t.resume(ctx, m)
			}
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				t.b.meter.fail("resume: " + reason(err))
				return
			}
			continue
		}
		id, ok := replyTo(frame)
		if !ok {
			t.scan.events(frame, take)
			continue
		}
		if string(id) == markID {
			if succeeded(frame) {
				t.receipts.Add(1)
			} else {
				t.b.meter.fail("receipt: " + failure(frame))
			}
			continue
		}
		t.reply(m, frame, now)
		if closed && !t.stopped.Load() {
			t.send(m, t.b.meter.elapsed())
		}
	}
}

// send sends the next message of a member, unless the ledger is full.
func (t *traffic) send(m *member, due time.Duration) bool {
	m.sending.Lock()
	defer m.sending.Unlock()
	n, ok := m.sends.ledger.begin(due)
	if !ok {
		return false
	}
	if t.b.opt.rate > 0 {
		t.b.meter.lag.record(t.b.meter.elapsed() - due)
	}
	_ = m.conn.Load().write(m.sends.template.set(n)) // the reader learns why, and sends it again
	return true
}

// mark tells that a member has read what reached it, if that is anything new.
func (t *traffic) mark(m *member) {
	m.sending.Lock()
	defer m.sending.Unlock()
	upTo := m.newest.Load()
	if upTo == m.marked {
		return
	}
	m.marked = upTo
	_ = m.conn.Load().write(fmt.Appendf(nil, `{"id":%q,"type":"read","chatId":%q,"upTo":%d}`, markID, m.chat, upTo)) // as in send
}

// reply takes the answer to a message.
func (t *traffic) reply(m *member, frame []byte, now time.Duration) {
	defer t.answered.Add(1)
	id, _ := replyTo(frame)
	r := m.sends.ledger.record(int(digits(id)))
	if r == nil {
		t.contrary.Add(1)
		return
	}
	if !succeeded(frame) {
		r.seq.Store(refusedSeq)
		t.refused.Add(1)
		t.b.meter.fail(failure(frame))
		time.Sleep(afterError)
		return
	}
	d, ok := t.scan.message(frame)
	if !ok || d.sender != m.sends.number || int64(d.n) != digits(id) || !r.is(d.id) || !r.seq.CompareAndSwap(0, d.seq) {
		t.contrary.Add(1)
		return
	}
	t.b.meter.ack.record(now - time.Duration(r.due.Load()))
	t.b.meter.done.Add(1)
}

// take takes a message that reached a member.
func (t *traffic) take(m *member, d delivery, now time.Duration) {
	at := d.sender - m.first
	if at < 0 || at >= len(m.heard) {
		t.contrary.Add(1)
		return
	}
	r := t.senders[d.sender].ledger.record(d.n)
	if r == nil || !r.is(d.id) {
		t.contrary.Add(1)
		return
	}
	if !m.heard[at].add(d.n) {
		if d.seq > m.again {
			t.duplicates.Add(1)
		}
		return
	}
	if d.seq <= m.newest.Load() {
		t.disorder.Add(1)
	} else {
		m.newest.Store(d.seq)
	}
	t.b.meter.delivered.Add(1)
	if m.sends == nil || m.sends.number != d.sender {
		t.b.meter.deliver.record(now - time.Duration(r.due.Load()))
	}
}

// account holds what was acknowledged against what arrived. Nothing may run.
func (t *traffic) account() accounting {
	a := accounting{
		Acknowledged: t.b.meter.done.Load(), Refused: t.refused.Load(),
		Receipts: t.receipts.Load(),
		Resumed:  t.resumed.Load(), Duplicates: t.duplicates.Load(), OutOfOrder: t.disorder.Load(), Contradicted: t.contrary.Load(),
	}
	for _, s := range t.senders {
		a.Sent += s.ledger.sent.Load()
	}
	a.Unanswered = a.Sent - t.answered.Load()
	for _, m := range t.members {
		for i, h := range m.heard {
			a.settle(&t.senders[m.first+i].ledger, h)
		}
	}
	return a
}
