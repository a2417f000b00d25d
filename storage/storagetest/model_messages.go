package storagetest

import (
	"bytes"
	"slices"

	"github.com/wigwag-chat/wigwag/messaging"
)

func (m *model) append(n messaging.NewMessage) answer {
	c, _, errs := m.acting(n.SenderID, n.ChatID, messaging.ErrChatNotFound)
	for _, x := range m.chats {
		for i := range x.posts {
			p := &x.posts[i]
			if n.ClientID == "" || p.SenderID != n.SenderID || p.ClientID != n.ClientID {
				continue
			}
			if !p.deleted && !bytes.Equal(p.Digest, n.Digest) {
				return refused(append(errs, messaging.ErrClientIDReused)...) // which comes first is not said
			}
			first := x.show(p, n.SenderID)
			first.Tally = messaging.Tally{} // is not said
			return answer{value: messaging.Appended{Message: first, Repeated: true}, viewer: n.SenderID}
		}
	}
	if errs != nil {
		return refused(errs...)
	}
	e := c.happened(messaging.Event{
		Type: messaging.MessageCreated, At: n.CreatedAt, ActorID: n.SenderID, MessageID: n.ID,
	})
	c.posts = append(c.posts, post{NewMessage: n, seq: e.Seq, revision: 1})
	return answer{value: messaging.Appended{Message: c.show(&c.posts[len(c.posts)-1], n.SenderID)}, viewer: n.SenderID}
}

// others are the errors of one who is no member, where the contract does not say
// which: message and chat are both unknown to him.
func others() []error { return []error{messaging.ErrChatNotFound, messaging.ErrMessageNotFound} }

// lenient adds what a former member may be told instead of ErrNotAMember.
func lenient(errs []error) answer { return refused(append(errs, messaging.ErrChatNotFound)...) }

func (m *model) edit(x messaging.EditMessage) answer {
	c, _, errs := m.acting(x.EditorID, x.ChatID, others()...)
	if errs != nil {
		return lenient(errs)
	}
	p := c.post(x.MessageID)
	if p == nil || p.deleted {
		return refused(messaging.ErrMessageNotFound)
	}
	if p.SenderID != x.EditorID {
		return refused(messaging.ErrNotTheSender)
	}
	if p.CreatedAt.Before(x.SentAfter) {
		errs = append(errs, messaging.ErrEditWindowPassed)
	}
	if x.Revision != p.revision+1 {
		errs = append(errs, messaging.ErrRevision)
	}
	if errs != nil {
		return refused(errs...)
	}
	p.past = append(p.past, messaging.PastBody{Body: p.Body, Revision: p.revision, EditedAt: x.At})
	p.Body, p.revision, p.editedAt = x.Body, x.Revision, x.At
	e := c.happened(messaging.Event{
		Type: messaging.MessageEdited, At: x.At, ActorID: x.EditorID, MessageID: x.MessageID,
	})
	stored := c.show(p, x.EditorID)
	stored.Tally = messaging.Tally{} // is not said
	e.Stored = &stored
	hidden := slices.Sorted(slices.Values(p.hiddenBy))
	return answer{value: messaging.Changed{Events: []messaging.StoredEvent{e}, HiddenFrom: hidden}, viewer: x.EditorID}
}

func (m *model) delete(x messaging.DeleteMessage) answer {
	c, own, errs := m.acting(x.ActorID, x.ChatID, others()...)
	if errs != nil {
		return lenient(errs)
	}
	p := c.post(x.MessageID)
	if p == nil || p.deleted {
		return refused(messaging.ErrMessageNotFound)
	}
	if p.SenderID != x.ActorID && own.Role == messaging.RoleMember {
		return refused(messaging.ErrNotTheSender)
	}
	p.deleted, p.past = true, nil
	return answer{value: messaging.Changed{Events: []messaging.StoredEvent{c.happened(messaging.Event{
		Type: messaging.MessageDeleted, At: x.At, ActorID: x.ActorID, MessageID: x.MessageID,
	})}}}
}

func (m *model) hide(x messaging.HideMessage) answer {
	c, _, errs := m.acting(x.UserID, x.ChatID, others()...)
	if errs != nil {
		return lenient(errs)
	}
	p := c.post(x.MessageID)
	switch {
	case p == nil:
		return refused(messaging.ErrMessageNotFound)
	case slices.Contains(p.hiddenBy, x.UserID):
		return answer{value: messaging.Changed{}}
	}
	p.hiddenBy = append(p.hiddenBy, x.UserID)
	return answer{value: messaging.Changed{UserEvents: []messaging.UserEvent{m.tell(messaging.UserEvent{
		UserID: x.UserID, Type: messaging.MessageDeleted, At: x.At, ChatID: x.ChatID, MessageID: x.MessageID,
	})}}}
}

func (m *model) mark(x messaging.Mark) answer {
	c, own, errs := m.acting(x.UserID, x.ChatID, messaging.ErrChatNotFound)
	if errs != nil {
		return lenient(errs)
	}
	if x.UpTo > c.head() {
		return refused(messaging.ErrBeyondHead)
	}
	var out messaging.Marked
	if x.UpTo > own.DeliveredSeq || x.Read && x.UpTo > own.ReadSeq {
		c.moves = append(c.moves, x)
		own.version = int64(len(c.moves))
		out.Moved = true
	}
	readBefore := own.ReadSeq
	own.DeliveredSeq = max(own.DeliveredSeq, x.UpTo)
	if x.Read {
		own.ReadSeq = max(own.ReadSeq, x.UpTo)
	}
	if own.ReadSeq != readBefore {
		e := m.tell(messaging.UserEvent{
			UserID: x.UserID, Type: messaging.OwnPosition, At: x.At, ChatID: x.ChatID,
			DeliveredSeq: own.DeliveredSeq, ReadSeq: own.ReadSeq, Version: own.version,
		})
		out.UserEvent = &e
	}
	out.Watermark = own.watermark()
	return answer{value: out}
}

func (s *span) watermark() messaging.Watermark {
	return messaging.Watermark{
		ChatID: s.ChatID, UserID: s.UserID, DeliveredSeq: s.DeliveredSeq, ReadSeq: s.ReadSeq, Version: s.version,
	}
}
