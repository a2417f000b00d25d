package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
)

// room is a chat in which a rule does things that must succeed.
type room struct {
	r  *R
	id string
}

// newChat describes a chat of the first one, as owner of a group, and the others.
func (r *R) newChat(kind messaging.ChatKind, first string, others ...string) messaging.NewChat {
	id := r.id("chat")
	n := messaging.NewChat{
		ID: id, Kind: kind, CreatedBy: first, CreatedAt: r.now(),
		Key: messaging.WrappedKey{ID: "key of " + id, Data: []byte("wrapped key of " + id)},
	}
	role := messaging.RoleMember
	if kind == messaging.Group {
		n.Title, role = "Title of "+id, messaging.RoleOwner
	}
	n.Members = []messaging.NewMember{{UserID: first, Role: role}}
	for _, u := range others {
		n.Members = append(n.Members, messaging.NewMember{UserID: u, Role: messaging.RoleMember})
	}
	return n
}

func (r *R) create(n messaging.NewChat) room {
	_, err := r.m().CreateChat(r.ctx, n)
	r.ok(err)
	return room{r, n.ID}
}

func (r *R) group(owner string, others ...string) room {
	return r.create(r.newChat(messaging.Group, owner, others...))
}

func (r *R) direct(a, b string) room { return r.create(r.newChat(messaging.Direct, a, b)) }

// message makes a message that was not sent yet.
func (c room) message(sender string) messaging.NewMessage {
	id := c.r.id("msg")
	return messaging.NewMessage{
		ID: id, ChatID: c.id, SenderID: sender, Kind: messaging.KindText,
		Body:   messaging.Sealed{KeyID: "key of " + c.id, Data: []byte("body of " + id)},
		Digest: []byte("digest of " + id), CreatedAt: c.r.now(),
	}
}

// append stores messages and returns each result.
func (r *R) append(items ...messaging.NewMessage) []messaging.Appended {
	out, err := r.m().Append(r.ctx, items)
	r.ok(err)
	if len(out) != len(items) {
		r.Fatalf("Append of %d items has %d results", len(items), len(out))
	}
	return out
}

// append1 stores one message and returns its result.
func (r *R) append1(item messaging.NewMessage) messaging.Appended { return r.append(item)[0] }

func (c room) post(n messaging.NewMessage) messaging.StoredMessage {
	out := c.r.append1(n)
	c.r.ok(out.Err)
	return out.Message
}

func (c room) send(sender string) messaging.StoredMessage { return c.post(c.message(sender)) }

// sendMany sends n messages at once and returns them.
func (c room) sendMany(sender string, n int) []messaging.StoredMessage {
	items := make([]messaging.NewMessage, n)
	for i := range items {
		items[i] = c.message(sender)
	}
	sent := make([]messaging.StoredMessage, n)
	for i, out := range c.r.append(items...) {
		c.r.ok(out.Err)
		sent[i] = out.Message
	}
	return sent
}

// rewrite describes the edit of a message, from its first revision on.
func (c room) rewrite(m messaging.StoredMessage, revision int) messaging.EditMessage {
	return messaging.EditMessage{
		ChatID: c.id, MessageID: m.ID, EditorID: m.SenderID, Revision: revision, At: c.r.now(), SentAfter: epoch(),
		Body: messaging.Sealed{KeyID: m.Body.KeyID, Data: fmt.Appendf(nil, "revision %d of %s", revision, m.ID)},
	}
}

func (c room) edit(m messaging.StoredMessage, revision int) messaging.Changed {
	out, err := c.r.m().Edit(c.r.ctx, c.rewrite(m, revision))
	c.r.ok(err)
	return out
}

func (c room) delete(actor, messageID string) messaging.Changed {
	out, err := c.tryDelete(actor, messageID)
	c.r.ok(err)
	return out
}

func (c room) tryDelete(actor, messageID string) (messaging.Changed, error) {
	return c.r.m().Delete(c.r.ctx, messaging.DeleteMessage{
		ChatID: c.id, MessageID: messageID, ActorID: actor, At: c.r.now(),
	})
}

func (c room) hide(user, messageID string) messaging.Changed {
	out, err := c.tryHide(user, messageID)
	c.r.ok(err)
	return out
}

func (c room) tryHide(user, messageID string) (messaging.Changed, error) {
	return c.r.m().Hide(c.r.ctx, messaging.HideMessage{
		ChatID: c.id, MessageID: messageID, UserID: user, At: c.r.now(),
	})
}

func (c room) read(user string, upTo int64) messaging.Marked {
	return c.mark(messaging.Mark{ChatID: c.id, UserID: user, Read: true, UpTo: upTo, At: c.r.now()})
}

func (c room) deliver(user string, upTo int64) messaging.Marked {
	return c.mark(messaging.Mark{ChatID: c.id, UserID: user, UpTo: upTo, At: c.r.now()})
}

func (c room) mark(m messaging.Mark) messaging.Marked {
	out := c.r.marks(m)[0]
	c.r.ok(out.Err)
	return out
}

func (r *R) marks(items ...messaging.Mark) []messaging.Marked {
	out, err := r.m().Mark(r.ctx, items)
	r.ok(err)
	if len(out) != len(items) {
		r.Fatalf("Mark of %d items has %d results", len(items), len(out))
	}
	return out
}

func (c room) add(actor string, users ...string) messaging.Changed {
	out, err := c.tryAdd(actor, users...)
	c.r.ok(err)
	return out
}

func (c room) tryAdd(actor string, users ...string) (messaging.Changed, error) {
	return c.r.m().AddMembers(c.r.ctx, messaging.AddMembers{
		ChatID: c.id, ActorID: actor, UserIDs: users, Limit: messaging.MaxMembers, At: c.r.now(),
	})
}

func (c room) remove(actor, user string) messaging.Changed {
	out, err := c.tryRemove(actor, user)
	c.r.ok(err)
	return out
}

func (c room) tryRemove(actor, user string) (messaging.Changed, error) {
	return c.r.m().RemoveMember(c.r.ctx, messaging.RemoveMember{
		ChatID: c.id, ActorID: actor, UserID: user, At: c.r.now(),
	})
}

func (c room) view(viewer string) messaging.StoredView {
	v, err := c.r.m().Chat(c.r.ctx, viewer, c.id)
	c.r.ok(err)
	return v
}

func (c room) get(viewer, messageID string) messaging.StoredMessage {
	m, err := c.r.m().Message(c.r.ctx, viewer, c.id, messageID)
	c.r.ok(err)
	return m
}

func (c room) history(viewer string, w messaging.Window) []messaging.StoredMessage {
	page, err := c.r.m().Messages(c.r.ctx, viewer, c.id, w)
	c.r.ok(err)
	return page
}

// events returns all events of the chat.
func (c room) events(viewer string) []messaging.StoredEvent {
	all, err := c.r.m().Events(c.r.ctx, viewer, c.id, 0, messaging.MaxSync)
	c.r.ok(err)
	return all
}

func (c room) members(viewer string) []messaging.Member {
	all, err := c.r.m().Members(c.r.ctx, viewer, c.id, "", messaging.MaxPage)
	c.r.ok(err)
	return all
}

func (c room) receipts(viewer, messageID string) []messaging.Receipt {
	all, err := c.r.m().Receipts(c.r.ctx, viewer, c.id, messageID, "", messaging.MaxPage)
	c.r.ok(err)
	return all
}

func (r *R) unread(user, chatID string) messaging.UnreadCount {
	n, err := r.m().Unread(r.ctx, chatID, []string{user})
	r.ok(err)
	return n[0]
}

// feed returns all of a user's own events.
func (r *R) feed(user string) []messaging.UserEvent {
	all, err := r.m().UserEvents(r.ctx, user, 0, messaging.MaxSync)
	r.ok(err)
	return all
}

func (r *R) heads(user string) messaging.Heads {
	h, err := r.m().Heads(r.ctx, user)
	r.ok(err)
	return h
}

// newest is the window of everything, for small chats.
func newest() messaging.Window { return messaging.Window{Limit: messaging.MaxPage} }

// seqs are the places of messages.
func seqs(messages []messaging.StoredMessage) []int64 {
	var out []int64
	for _, m := range messages {
		out = append(out, m.Seq)
	}
	return out
}

// outline names events by type, in order.
func outline(events []messaging.StoredEvent) string {
	var out []string
	for _, e := range events {
		out = append(out, fmt.Sprintf("%d %s", e.Seq, e.Type))
	}
	return strings.Join(out, ", ")
}

// byUser orders user events where the contract does not.
func byUser(events []messaging.UserEvent) []messaging.UserEvent {
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b messaging.UserEvent) int { return strings.Compare(a.UserID, b.UserID) })
	return events
}

// later is a time after all that a rule's clock shows.
func later() time.Time { return epoch().AddDate(1, 0, 0) }
