package storagetest

import (
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/commands"

	"github.com/wigwag-chat/wigwag/messaging"
)

// genCommand draws a command that fits the state more often than not.
func genCommand(m *model, reopening bool) gopter.Gen {
	return func(p *gopter.GenParameters) *gopter.GenResult {
		g := generator{m, p.Rng}
		result := gopter.NewGenResult(commands.Command(command{g.act(reopening)}), fewerItems)
		result.ResultType = reflect.TypeFor[commands.Command]()
		return result
	}
}

// fewerItems shrinks a command by leaving out one of its items.
func fewerItems(v any) gopter.Shrink {
	var fewer []act
	switch a := v.(command).act.(type) {
	case appendAct:
		for i := range a {
			fewer = append(fewer, slices.Delete(slices.Clone(a), i, i+1))
		}
	case markAct:
		for i := range a {
			fewer = append(fewer, slices.Delete(slices.Clone(a), i, i+1))
		}
	}
	if len(fewer) < 2 {
		return gopter.NoShrink
	}
	return func() (any, bool) {
		if len(fewer) == 0 {
			return nil, false
		}
		next := fewer[0]
		fewer = fewer[1:]
		return commands.Command(command{next}), true
	}
}

type generator struct {
	m   *model
	rng *rand.Rand
}

func (g generator) act(reopening bool) act {
	if len(g.m.chats) == 0 {
		return g.makeChat()
	}
	switch n := g.rng.Intn(100); {
	case n < 4:
		return g.makeChat()
	case n < 14:
		return g.add()
	case n < 22:
		return g.remove()
	case n < 44:
		return g.append()
	case n < 52:
		return g.edit()
	case n < 58:
		chat, message, sender := g.message()
		if g.rng.Intn(2) == 0 {
			sender = g.user()
		}
		return deleteAct{ChatID: chat, MessageID: message, ActorID: sender, At: g.later()}
	case n < 64:
		chat, message, _ := g.message()
		return hideAct{ChatID: chat, MessageID: message, UserID: g.user(), At: g.later()}
	case n < 78:
		return g.mark()
	case n < 80 && reopening:
		return reopenAct{}
	}
	return g.look()
}

// later is a time not before the model's; now and then the same.
func (g generator) later() time.Time { return g.m.clock.Add(micros(g.rng.Intn(3) * 333)) }

func (g generator) user() string { return fmt.Sprintf("u%d", 1+g.rng.Intn(5)) }

// users draws distinct users.
func (g generator) users(n int) (ids []string) {
	for _, i := range g.rng.Perm(5)[:n] {
		ids = append(ids, fmt.Sprintf("u%d", 1+i))
	}
	return ids
}

// chat draws one that exists, or rarely one that does not.
func (g generator) chat() string {
	if g.rng.Intn(20) == 0 {
		return "nowhere"
	}
	return g.m.chats[g.rng.Intn(len(g.m.chats))].new.ID
}

// message draws a message, with its chat and sender; or rarely one that is not there.
func (g generator) message() (chat, id, sender string) {
	c := g.m.chats[g.rng.Intn(len(g.m.chats))]
	if len(c.posts) == 0 || g.rng.Intn(20) == 0 {
		return g.chat(), "nothing", g.user()
	}
	p := c.posts[g.rng.Intn(len(c.posts))]
	for _, other := range c.posts { // what one sent in an earlier membership is easily forgotten
		own := c.present(other.SenderID)
		if own != nil && own.JoinedSeq > other.seq && g.rng.Intn(3) == 0 {
			p = other
		}
	}
	return c.new.ID, p.ID, p.SenderID
}

func (g generator) makeChat() act {
	id := fmt.Sprintf("c%03d", g.m.names)
	n := messaging.NewChat{
		ID: id, Kind: messaging.Group, Title: "title of " + id, CreatedAt: g.later(),
		Key: messaging.WrappedKey{ID: "key", Data: []byte("key of " + id)},
	}
	people := g.users(2 + g.rng.Intn(3))
	if g.rng.Intn(3) == 0 {
		n.Kind, n.Title, people = messaging.Direct, "", people[:2]
	}
	n.CreatedBy = people[0]
	for i, u := range people {
		role := messaging.RoleMember
		switch {
		case n.Kind == messaging.Direct:
		case i == 0:
			role = messaging.RoleOwner
		case g.rng.Intn(3) == 0:
			role = messaging.RoleAdmin
		}
		n.Members = append(n.Members, messaging.NewMember{UserID: u, Role: role})
	}
	if n.Kind == messaging.Group && g.rng.Intn(2) == 0 {
		n.ClientID, n.Digest = g.clientID()
	}
	return makeChat(n)
}

func (g generator) add() act {
	chat := g.chat()
	x := addMembersAct{ChatID: chat, ActorID: g.manager(chat), UserIDs: g.users(1 + g.rng.Intn(3)), Limit: 3 + g.rng.Intn(3), At: g.later()}
	if c := g.m.chat(chat); c != nil && g.rng.Intn(3) > 0 { // somebody comes back
		for _, s := range c.spans {
			if c.present(s.UserID) == nil {
				x.UserIDs = []string{s.UserID}
			}
		}
	}
	return x
}

func (g generator) remove() act {
	x := removeMemberAct{ChatID: g.chat(), UserID: g.user(), At: g.later()}
	if c := g.m.chat(x.ChatID); c != nil && len(c.posts) > 0 && g.rng.Intn(2) == 0 { // who leaves something behind
		x.UserID = c.posts[g.rng.Intn(len(c.posts))].SenderID
	}
	x.ActorID = x.UserID
	if g.rng.Intn(3) > 0 {
		x.ActorID = g.manager(x.ChatID)
	}
	return x
}

// manager draws one who manages the chat, or now and then anybody.
func (g generator) manager(chat string) string {
	c := g.m.chat(chat)
	if c == nil || g.rng.Intn(4) == 0 {
		return g.user()
	}
	for _, s := range c.members() {
		if s.Role.Manages() {
			return s.UserID
		}
	}
	return g.user()
}

// clientID draws one of few, with a digest that is mostly the same.
func (g generator) clientID() (string, []byte) {
	digest := "d1"
	if g.rng.Intn(5) == 0 {
		digest = "d2"
	}
	return fmt.Sprintf("k%d", g.rng.Intn(3)), []byte(digest)
}

func (g generator) append() act {
	var items appendAct
	at := g.later()
	for range 1 + g.rng.Intn(4) {
		id := fmt.Sprintf("m%03d", g.m.names+len(items))
		n := messaging.NewMessage{
			ID: id, ChatID: g.chat(), SenderID: g.user(), Kind: messaging.KindText, CreatedAt: at,
			Body: messaging.Sealed{KeyID: "key", Data: []byte("body of " + id)}, Digest: []byte("digest of " + id),
		}
		if g.rng.Intn(3) == 0 {
			n.ClientID, n.Digest = g.clientID()
		}
		items = append(items, n)
	}
	return items
}

func (g generator) edit() act {
	chat, message, sender := g.message()
	x := editAct{ChatID: chat, MessageID: message, EditorID: sender, Revision: 1 + g.rng.Intn(4), At: g.later(), SentAfter: epoch()}
	if c := g.m.chat(chat); c != nil && c.post(message) != nil && g.rng.Intn(6) > 0 {
		x.Revision = c.post(message).revision + 1
	}
	switch g.rng.Intn(10) {
	case 0:
		x.EditorID = g.user()
	case 1:
		x.SentAfter = g.m.clock
	}
	x.Body = messaging.Sealed{KeyID: "key", Data: fmt.Appendf(nil, "%s, revision %d", message, x.Revision)}
	return x
}

func (g generator) mark() act {
	var items markAct
	at := g.later()
	chat := g.chat()
	head := int64(3)
	if c := g.m.chat(chat); c != nil {
		head = c.head()
	}
	for _, user := range g.users(1 + g.rng.Intn(3)) { // nobody twice: which of his marks is first is not said
		upTo := 1 + g.rng.Int63n(head+1)
		if g.rng.Intn(8) > 0 {
			upTo = min(upTo, max(head, 1))
		}
		items = append(items, messaging.Mark{ChatID: chat, UserID: user, Read: g.rng.Intn(3) > 0, UpTo: upTo, At: at})
	}
	return items
}

func (g generator) look() act {
	chat, message, _ := g.message()
	a := lookAct{
		own: g.rng.Intn(2) == 0, viewer: g.user(), chat: chat, message: message, after: int64(g.rng.Intn(6)), limit: 1 + g.rng.Intn(20),
		window: messaging.Window{Limit: 1 + g.rng.Intn(20)},
	}
	place := 1 + g.rng.Int63n(20)
	switch g.rng.Intn(3) {
	case 0:
		a.window.Before = place
	case 1:
		a.window.After = place
	case 2:
		a.window.Offset = g.rng.Intn(5)
	}
	return a
}
