package storagetest

import (
	"strings"

	"github.com/wigwag-chat/wigwag/messaging"
)

func clientIDRules() []rule {
	return []rule{
		{name: "clientid/repeats the first result", check: clientIDRepeats,
			says: "A client id is unique for its sender over all chats: with the digest of the first request it repeats the first result, as it stands now."},
		{name: "clientid/other content is refused", check: clientIDReused,
			says: "A client id with another digest than that of the first request is ErrClientIDReused."},
		{name: "clientid/counts in one batch", check: clientIDBatch,
			says: "A client id is unique for its sender: also among the items of one call."},
		{name: "clientid/counts over all chats", check: clientIDChats,
			says: "A client id is unique for its sender over all chats."},
		{name: "clientid/outlives the message and the membership", check: clientIDOutlives,
			says: "It repeats the first result also after the sender left or the message was deleted; a tombstone has lost its digest, so any content repeats it."},
		{name: "clientid/belongs to its sender", check: clientIDSender,
			says: "A client id is unique for its sender, compared byte by byte; \"\" is none."},
		{name: "clientid/race stores one message", check: clientIDRace,
			says: "Of concurrent calls with one client id one stores the message, and all return it."},
	}
}

// named makes a message with a client id.
func (c room) named(sender, clientID string) messaging.NewMessage {
	n := c.message(sender)
	n.ClientID = clientID
	return n
}

// retry is the same request under a new id and time, as a service makes it.
func (c room) retry(n messaging.NewMessage) messaging.NewMessage {
	again := c.named(n.SenderID, n.ClientID)
	again.ChatID, again.Digest = n.ChatID, n.Digest
	return again
}

func (r *R) repeats(what string, n messaging.NewMessage, want messaging.StoredMessage) {
	out := r.append1(n)
	r.ok(out.Err)
	r.same(what+": repeated", true, out.Repeated)
	// Which marks a repeated result counts is not said.
	want.Tally, out.Message.Tally = messaging.Tally{}, messaging.Tally{}
	r.same(what, want, out.Message, asSeenBy(n.SenderID))
}

func clientIDRepeats(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	n := c.named(p[0], r.id("client"))
	m := c.post(n)
	r.repeats("retry", c.retry(n), m)
	c.send(p[1])
	c.edit(m, 2)
	r.repeats("retry after an edit", c.retry(n), c.get(p[0], m.ID))
	r.same("events", "1 message.created, 2 message.created, 3 message.edited", outline(c.events(p[0])))
	r.same("messages", 2, len(c.history(p[0], newest())))
}

func clientIDReused(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	m := c.post(c.named(p[0], r.id("client")))
	out := r.append1(c.named(p[0], m.ClientID))
	r.fails("client id with other content", out.Err, messaging.ErrClientIDReused)
	longer := c.named(p[0], m.ClientID)
	longer.Digest = append([]byte(string(m.Digest)), 0)
	r.fails("client id with a longer digest", r.append1(longer).Err, messaging.ErrClientIDReused)
	r.same("messages", []int64{1}, seqs(c.history(p[0], newest())))
}

func clientIDBatch(r *R) {
	p := r.people(1)
	c := r.group(p[0])
	n := c.named(p[0], r.id("client"))
	out := r.append(c.message(p[0]), n, c.retry(n), c.message(p[0]), c.retry(n), c.named(p[0], n.ClientID))
	var got []int64
	for _, o := range out[:5] {
		r.ok(o.Err)
		got = append(got, o.Message.Seq)
	}
	r.same("places", []int64{1, 2, 2, 3, 2}, got)
	r.same("repeated", []bool{false, false, true, false, true},
		[]bool{out[0].Repeated, out[1].Repeated, out[2].Repeated, out[3].Repeated, out[4].Repeated})
	r.same("repeated id", n.ID, out[4].Message.ID)
	r.fails("other content", out[5].Err, messaging.ErrClientIDReused)
	r.same("messages", []int64{1, 2, 3}, seqs(c.history(p[0], newest())))
}

func clientIDChats(r *R) {
	p := r.people(2)
	a, b := r.group(p[0], p[1]), r.group(p[0], p[1])
	n := a.named(p[0], r.id("client"))
	m := a.post(n)
	again := b.retry(n)
	again.ChatID = b.id
	r.repeats("the same request, for another chat", again, m)
	r.fails("another request, for another chat", r.append1(b.named(p[0], n.ClientID)).Err, messaging.ErrClientIDReused)
	r.same("messages of the other chat", 0, len(b.history(p[0], newest())))
}

func clientIDOutlives(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	n, kept := c.named(p[1], r.id("client")), c.named(p[1], r.id("client"))
	m, k := c.post(n), c.post(kept)
	c.delete(p[1], m.ID)
	tombstone := c.history(p[1], newest())[0]
	r.repeats("retry after a delete", c.retry(n), tombstone)
	r.repeats("other content after a delete", c.named(p[1], n.ClientID), tombstone)
	c.remove(p[0], p[1])
	r.repeats("retry after leaving", c.retry(kept), k)
	r.repeats("retry after a delete and leaving", c.retry(n), tombstone)
	r.fails("new message after leaving", r.append1(c.message(p[1])).Err, messaging.ErrNotAMember)
	r.same("head", int64(4), c.view(p[0]).HeadSeq)
}

func clientIDSender(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	name := r.id("Client\u00e9")
	n := c.named(p[0], name)
	c.post(n)
	others := []messaging.NewMessage{
		c.named(p[1], name), c.named(p[0], strings.ToUpper(name)), c.named(p[0], name+" "),
		c.named(p[0], strings.Replace(name, "\u00e9", "e\u0301", 1)), c.message(p[0]), c.message(p[0]),
	}
	for i, other := range others {
		other.Digest = n.Digest
		out := r.append1(other)
		r.ok(out.Err)
		r.same("repeated", false, out.Repeated)
		r.same("place", int64(i)+2, out.Message.Seq)
	}
}

func clientIDRace(r *R) {
	p := r.people(2)
	c := r.group(p[0], p[1])
	for round := range 5 {
		n := c.named(p[0], r.id("client"))
		calls, out := make([]messaging.NewMessage, 8), make([]messaging.Appended, 8)
		for i := range calls {
			calls[i] = c.retry(n)
		}
		r.race(len(calls), func(i int) { out[i] = r.append1(calls[i]) })
		made := 0
		for _, o := range out {
			r.ok(o.Err)
			if !o.Repeated {
				made++
			}
			r.same("place that a racing call returned", []any{out[0].Message.ID, int64(round) + 1},
				[]any{o.Message.ID, o.Message.Seq})
		}
		r.same("messages stored", 1, made)
	}
	r.same("messages", []int64{1, 2, 3, 4, 5}, seqs(c.history(p[1], newest())))
}
