package storagetest

import (
	"errors"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/messaging"
)

// groupProperty is property 11 of the seed.
func groupProperty() property {
	return property{11, "A group has exactly its creator, as owner, and the people named, each once; when one of them does not exist there is no group and the error names him.",
		func(w *world) gopter.Prop {
			w.gather(8)
			// Places in the crowd, with repeats; and names of nobody, in one case of four.
			named := sequence(2, drawn(func(rng *rand.Rand) int { return rng.Intn(8) }))
			nobody := drawn(func(rng *rand.Rand) []int {
				return rng.Perm(3)[:max(0, rng.Intn(13)-9)]
			}).WithShrinker(gen.SliceShrinker(gopter.NoShrinker))
			return prop.ForAll(func(creator int, named, nobody []int, title string) string {
				return w.try(func(w *world) { w.createsGroup(creator, named, nobody, title) })
			}, gen.IntRange(0, 7), named, nobody, titles())
		}}
}

// titles are names of groups: one line, not blank.
func titles() gopter.Gen {
	return drawn(func(rng *rand.Rand) string {
		return "T" + strings.Map(func(r rune) rune {
			if r < ' ' || 0x7f <= r && r < 0xa0 {
				return -1
			}
			return r
		}, drawText(rng, messaging.MaxTitle-1))
	})
}

func (w *world) createsGroup(creator int, named, nobody []int, title string) {
	owner := w.crowd[creator]
	var members, missing []string
	inside := map[string]messaging.Role{owner.id: messaging.RoleOwner}
	for _, i := range named {
		p := w.crowd[i]
		members = append(members, p.id)
		if p != owner {
			inside[p.id] = messaging.RoleMember
		}
	}
	for _, i := range nobody {
		id := fmt.Sprintf("%snobody%d", w.prefix, i)
		members = slices.Insert(members, len(members)/2, id)
	}
	for _, id := range members { // in the order given
		if strings.HasPrefix(id, w.prefix) && !slices.Contains(missing, id) {
			missing = append(missing, id)
		}
	}
	before := w.heads(owner.id)
	chat, created, err := w.app.Groups.Create(w.ctx, messaging.NewGroup{CreatorID: owner.id, Title: title, MemberIDs: members})
	if len(missing) > 0 {
		w.fails("a group with nobody", err, messaging.ErrUserNotFound)
		e, _ := errors.AsType[*errs.Error](err)
		w.same("the ids that the error names", missing, e.Details()["userIds"])
		w.same("what the creator has", before, w.heads(owner.id))
		return
	}
	w.ok(err)
	w.same("created", true, created)
	w.same("the title", title, chat.Title)
	w.same("the number of members", len(inside), chat.MemberCount)
	last := owner
	for _, p := range w.crowd {
		role, in := inside[p.id]
		view, err := w.app.Groups.Group(w.ctx, p.id, chat.ID)
		if !in {
			w.fails("somebody else's look", err, messaging.ErrChatNotFound)
			continue
		}
		w.ok(err)
		w.same("the role of "+p.id, role, view.Own.Role)
		w.same("the title", title, view.Title)
		last = p
	}
	w.told(last, messaging.UserEvent{Type: messaging.ChatJoined, ChatID: chat.ID})
	w.same("the members", inside, w.roles(chat.ID, owner, 1+creator%5))
}

// roles are the members of a group, read in pages of a size.
func (w *world) roles(chatID string, viewer person, page int) map[string]messaging.Role {
	out := make(map[string]messaging.Role)
	for cursor := ""; ; {
		p, err := w.app.Groups.Members(w.ctx, viewer.id, chatID, messaging.List{Limit: page, Cursor: cursor})
		w.ok(err)
		for _, m := range p.Items {
			if _, twice := out[m.UserID]; twice {
				w.Fatalf("the list of members names %s twice", m.UserID)
			}
			out[m.UserID] = m.Role
		}
		if cursor = p.Next; cursor == "" {
			return out
		}
	}
}

// told demands what the newest own event of a person is, but for its place.
func (w *world) told(p person, want messaging.UserEvent) {
	heads := w.heads(p.id)
	answer, err := w.app.Messaging.Sync(w.ctx, messaging.SyncRequest{UserID: p.id, Epoch: heads.Epoch, UserSeq: heads.UserSeq - 1})
	w.ok(err)
	want.UserID, want.Seq, want.At = p.id, heads.UserSeq, w.clock.Now()
	w.same("the newest event of "+p.id, []messaging.UserEvent{want}, answer.User.Events,
		cmpopts.IgnoreFields(messaging.UserEvent{}, "HeadSeq"))
}

// groupStep is one thing that happens in a group.
type groupStep struct {
	kind, who, whom int
	text            string
}

func (t groupStep) String() string {
	switch t.kind % 4 {
	case 0:
		return fmt.Sprintf("owner adds %d", t.whom)
	case 1:
		return fmt.Sprintf("owner removes %d", t.whom)
	case 2:
		return fmt.Sprintf("%d leaves", t.whom)
	}
	return fmt.Sprintf("%d sends %s", t.who, brief(t.text))
}

func drawGroupStep(rng *rand.Rand) groupStep {
	kind := rng.Intn(6)
	if kind > 3 {
		kind = 3 // mostly messages
	}
	return groupStep{kind, rng.Intn(60), rng.Intn(60), drawText(rng, 200)}
}

// broadcastProperty is property 12 of the seed.
func broadcastProperty() property {
	return property{12, "Whoever comes and goes, a message to a group is read by every member of that moment, counts as unread for each but its sender, and reaches nobody else.",
		func(w *world) gopter.Prop {
			w.gather(6)
			return prop.ForAll(func(size int, steps []groupStep, last groupStep) string {
				last.kind = 3
				return w.try(func(w *world) { w.broadcasts(size, append(steps, last)) })
			}, gen.IntRange(1, 6), sequence(2, drawn(drawGroupStep)), drawn(drawGroupStep))
		}}
}

func (w *world) broadcasts(size int, steps []groupStep) {
	chatID, people, outside := w.group(size)
	owner := people[0]
	everybody := append(slices.Clone(people), outside...)
	unread := make(map[string]int) // of all who ever were members
	for _, p := range people {
		unread[p.id] = 0
	}
	for _, t := range steps {
		w.clock.pass(time.Second)
		whom := everybody[t.whom%len(everybody)]
		in := slices.Contains(people, whom)
		switch {
		case t.kind == 0 && !in:
			w.ok(w.app.Groups.Add(w.ctx, owner.id, chatID, []string{whom.id}))
			people, unread[whom.id] = append(people, whom), 0
		case t.kind == 1 && in && whom != owner:
			w.ok(w.app.Groups.Remove(w.ctx, owner.id, chatID, whom.id))
			people = slices.DeleteFunc(people, func(p person) bool { return p == whom })
		case t.kind == 2 && in && whom != owner:
			w.ok(w.app.Groups.Leave(w.ctx, whom.id, chatID))
			people = slices.DeleteFunc(people, func(p person) bool { return p == whom })
		case t.kind == 3:
			w.broadcast(chatID, people[t.who%len(people)], t.text, people, everybody, unread)
		}
	}
}

// broadcast sends a message and looks who has it.
func (w *world) broadcast(chatID string, from person, text string, people, everybody []person, unread map[string]int) {
	m := w.send(chatID, from, text)
	w.same("the number of recipients", len(people)-1, m.Tally.Recipients)
	for _, p := range everybody {
		if !slices.Contains(people, p) {
			_, err := w.message(m, p)
			w.fails("the look of "+p.id, err, messaging.ErrChatNotFound)
			refusal := messaging.ErrChatNotFound
			if _, was := unread[p.id]; was {
				refusal = messaging.ErrNotAMember
			}
			_, _, err = w.app.Messaging.Send(w.ctx, messaging.SendRequest{SenderID: p.id, ChatID: chatID, Text: text})
			w.fails("a message from "+p.id, err, refusal)
			continue
		}
		if p != from {
			unread[p.id]++
		}
		view := w.view(chatID, p)
		w.same("unread for "+p.id, unread[p.id], view.Unread)
		if view.LastMessage == nil || view.LastMessage.ID != m.ID || view.LastMessage.Text != text {
			w.Fatalf("the last message for %s is %+v, want the one sent", p.id, view.LastMessage)
		}
	}
	p := people[len(text)%len(people)] // one of them catches up
	events, err := w.app.Messaging.Events(w.ctx, p.id, chatID, m.Seq-1, 0)
	w.ok(err)
	if len(events) != 1 || events[0].Message == nil || events[0].Message.ID != m.ID || events[0].Message.Text != text {
		w.Fatalf("%s is told %+v of the chat since %d, want the message", p.id, events, m.Seq-1)
	}
}

// removalProperty is property 14 of the seed.
func removalProperty() property {
	return property{14, "Who is removed from a group is at once on nobody's list of members, and neither reads nor writes there; only its admin can remove, and the others stay.",
		func(w *world) gopter.Prop {
			w.gather(8)
			removals := sequence(3, drawn(func(rng *rand.Rand) removal {
				return removal{byOwner: rng.Intn(3) > 0, by: rng.Intn(60), whom: rng.Intn(60)}
			}))
			return prop.ForAll(func(size int, removals []removal) string {
				return w.try(func(w *world) { w.removes(size, removals) })
			}, gen.IntRange(2, 8), removals)
		}}
}

// removal is a try to remove somebody, who may be outside, by somebody who may not.
type removal struct {
	byOwner  bool
	by, whom int
}

func (r removal) String() string {
	if r.byOwner {
		return fmt.Sprintf("owner removes %d", r.whom)
	}
	return fmt.Sprintf("%d removes %d", r.by, r.whom)
}

func (w *world) removes(size int, removals []removal) {
	chatID, people, outside := w.group(size)
	everybody := append(slices.Clone(people), outside...)
	gone := make(map[string]bool)
	present := make(map[string]messaging.Role)
	for i, p := range people {
		present[p.id] = messaging.RoleMember
		if i == 0 {
			present[p.id] = messaging.RoleOwner
		}
	}
	m := w.send(chatID, people[0], "before anybody went")
	for _, r := range removals {
		w.clock.pass(time.Second)
		by, whom := people[0], everybody[r.whom%len(everybody)]
		if !r.byOwner {
			by = everybody[r.by%len(everybody)]
		}
		err := w.app.Groups.Remove(w.ctx, by.id, chatID, whom.id)
		byRole, whomRole := present[by.id], present[whom.id]
		switch {
		case gone[by.id]:
			w.fails("removing, by a former member", err, messaging.ErrNotAMember)
		case byRole == "":
			w.fails("removing, by a stranger", err, messaging.ErrChatNotFound)
		case byRole == messaging.RoleMember && whom != by:
			w.fails("removing, by a member", err, messaging.ErrNotAnAdmin, messaging.ErrMemberNotFound)
		case whomRole == "":
			w.fails("removing nobody", err, messaging.ErrMemberNotFound)
		case whomRole == messaging.RoleOwner:
			// The owner's leaving hands over: that is another property.
			w.ok(err)
			return
		default:
			w.ok(err)
			delete(present, whom.id)
			gone[whom.id] = true
			w.removed(m, whom)
		}
		w.same("the members", present, w.roles(chatID, people[0], 8))
		view, err := w.app.Groups.Group(w.ctx, people[0].id, chatID)
		w.ok(err)
		w.same("the number of members", len(present), view.MemberCount)
	}
	for _, p := range people {
		if _, in := present[p.id]; in {
			_, err := w.message(m, p)
			w.ok(err)
		}
	}
}

// removed demands that nothing of a chat is left to somebody.
func (w *world) removed(m messaging.Message, p person) {
	w.told(p, messaging.UserEvent{Type: messaging.ChatLeft, ChatID: m.ChatID})
	_, err := w.message(m, p)
	w.fails("reading the message", err, messaging.ErrChatNotFound)
	_, err = w.app.Groups.Group(w.ctx, p.id, m.ChatID)
	w.fails("looking at the group", err, messaging.ErrChatNotFound)
	_, err = w.app.Groups.Members(w.ctx, p.id, m.ChatID, messaging.List{})
	w.fails("listing the members", err, messaging.ErrChatNotFound)
	_, err = w.app.Messaging.Events(w.ctx, p.id, m.ChatID, 0, 0)
	w.fails("catching up", err, messaging.ErrChatNotFound)
	_, _, err = w.app.Messaging.Send(w.ctx, messaging.SendRequest{SenderID: p.id, ChatID: m.ChatID, Text: "I am still here"})
	w.fails("sending", err, messaging.ErrNotAMember)
	heads := w.heads(p.id)
	if slices.ContainsFunc(heads.Chats, func(h messaging.Head) bool { return h.ChatID == m.ChatID }) {
		w.Fatalf("the group is still among the chats of %s", p.id)
	}
}
