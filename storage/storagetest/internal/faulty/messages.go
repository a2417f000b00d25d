package faulty

import (
	"context"
	"time"

	"github.com/wigwag-chat/wigwag/messaging"
)

func messageDefects() []Defect {
	return []Defect{
		{
			Name:     "reuses a sequence",
			CaughtBy: []string{"append/places are in the order of the items"},
			chats:    func(s messaging.Store) messaging.Store { return reusesSequence{s} },
		},
		{
			Name:     "ignores client ids",
			CaughtBy: []string{"clientid/repeats the first result", "clientid/race stores one message", "race/history is linearizable"},
			chats:    func(s messaging.Store) messaging.Store { return ignoresClientID{s} },
		},
		{
			Name:     "keeps client ids apart by chat",
			CaughtBy: []string{"clientid/counts over all chats"},
			chats:    func(s messaging.Store) messaging.Store { return clientIDPerChat{s} },
		},
		{
			Name:     "truncates times to milliseconds",
			CaughtBy: []string{"append/message comes back as sent"},
			chats:    func(s messaging.Store) messaging.Store { return truncatesTimes{s} },
		},
		{
			Name:     "counts the edit window in seconds",
			CaughtBy: []string{"edit/window counts to the microsecond"},
			chats:    func(s messaging.Store) messaging.Store { return windowInSeconds{s} },
		},
		{
			Name:     "lets a bad item hurt its neighbours",
			CaughtBy: []string{"append/bad item hurts no other"},
			chats:    func(s messaging.Store) messaging.Store { return badItemHurts{s} },
		},
		{
			Name:     "takes a number for a failed message",
			CaughtBy: []string{"append/failure takes no number"},
			chats:    func(s messaging.Store) messaging.Store { return &numbersFailures{Store: s} },
		},
		{
			Name:     "edits without keeping the past body",
			CaughtBy: []string{"edit/keeps past bodies"},
			chats:    func(s messaging.Store) messaging.Store { return forgetsPast{s} },
		},
		{
			Name:     "takes the last of two edits of one revision",
			CaughtBy: []string{"edit/race has one winner", "edit/refuses", "race/history is linearizable"},
			chats:    func(s messaging.Store) messaging.Store { return lastEditWins{s} },
		},
		{
			Name:     "keeps the body of a tombstone",
			CaughtBy: []string{"delete/leaves a tombstone"},
			chats:    func(s messaging.Store) messaging.Store { return &tombstoneBody{Store: s} },
		},
		{
			Name:     "shows hidden messages",
			CaughtBy: []string{"hide/hides from one alone", "model/random commands agree"},
			chats:    func(s messaging.Store) messaging.Store { return showsHidden{s} },
		},
		{
			Name:     "stores the items of a call one by one",
			CaughtBy: []string{"race/reads see one snapshot"},
			chats:    func(s messaging.Store) messaging.Store { return oneByOne{s} },
		},
		{
			Name:     "acknowledges before it is durable",
			CaughtBy: []string{"store/reopening keeps everything", "race/what was acknowledged is there after reopening"},
			chats:    func(s messaging.Store) messaging.Store { return &losesLast{Store: s} },
		},
		{
			Name:     "stores what it says was cancelled",
			CaughtBy: []string{"race/cancelled send tells the truth"},
			chats:    func(s messaging.Store) messaging.Store { return liesWhenCancelled{s} },
		},
	}
}

type reusesSequence struct{ messaging.Store }

func (s reusesSequence) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	out, err := s.Store.Append(ctx, items)
	if n := len(out); n > 6 {
		out[n-1].Message.Seq = out[n-2].Message.Seq
	}
	return out, err
}

type ignoresClientID struct{ messaging.Store }

func (s ignoresClientID) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	bare := append([]messaging.NewMessage(nil), items...)
	for i := range bare {
		bare[i].ClientID = ""
	}
	out, err := s.Store.Append(ctx, bare)
	for i := range out {
		out[i].Message.ClientID = items[i].ClientID
	}
	return out, err
}

type clientIDPerChat struct{ messaging.Store }

func (s clientIDPerChat) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	scoped := append([]messaging.NewMessage(nil), items...)
	for i := range scoped {
		if scoped[i].ClientID != "" {
			scoped[i].ClientID += " in " + scoped[i].ChatID
		}
	}
	out, err := s.Store.Append(ctx, scoped)
	for i := range out {
		out[i].Message.ClientID = items[i].ClientID
	}
	return out, err
}

type truncatesTimes struct{ messaging.Store }

func (s truncatesTimes) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	cut := append([]messaging.NewMessage(nil), items...)
	for i := range cut {
		cut[i].CreatedAt = cut[i].CreatedAt.Truncate(time.Millisecond)
	}
	return s.Store.Append(ctx, cut)
}

type windowInSeconds struct{ messaging.Store }

func (s windowInSeconds) Edit(ctx context.Context, e messaging.EditMessage) (messaging.Changed, error) {
	e.SentAfter = e.SentAfter.Truncate(time.Second)
	return s.Store.Edit(ctx, e)
}

type badItemHurts struct{ messaging.Store }

func (s badItemHurts) Append(ctx context.Context, items []messaging.NewMessage) (out []messaging.Appended, err error) {
	var failed error
	for i := range items {
		if failed != nil {
			out = append(out, messaging.Appended{Err: failed})
			continue
		}
		one, err := s.Store.Append(ctx, items[i:i+1])
		if err != nil {
			return nil, err
		}
		failed = one[0].Err
		out = append(out, one[0])
	}
	return out, nil
}

type numbersFailures struct {
	messaging.Store
	failed memo[int64]
}

func (s *numbersFailures) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	out, err := s.Store.Append(ctx, items)
	for i := range out {
		n, _ := s.failed.get(items[i].ChatID)
		if out[i].Err != nil {
			s.failed.set(items[i].ChatID, n+1)
		} else {
			out[i].Message.Seq += n
		}
	}
	return out, err
}

type forgetsPast struct{ messaging.Store }

func (s forgetsPast) PastBodies(ctx context.Context, viewer, chat, message string) ([]messaging.PastBody, error) {
	past, err := s.Store.PastBodies(ctx, viewer, chat, message)
	return past[:min(1, len(past))], err
}

type lastEditWins struct{ messaging.Store }

func (s lastEditWins) Edit(ctx context.Context, e messaging.EditMessage) (messaging.Changed, error) {
	if m, err := s.Message(ctx, e.EditorID, e.ChatID, e.MessageID); err == nil {
		e.Revision = m.Revision + 1
	}
	return s.Store.Edit(ctx, e)
}

type tombstoneBody struct {
	messaging.Store
	bodies memo[messaging.Sealed]
}

func (s *tombstoneBody) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	for _, n := range items {
		s.bodies.set(n.ID, n.Body)
	}
	return s.Store.Append(ctx, items)
}

func (s *tombstoneBody) Messages(ctx context.Context, viewer, chat string, w messaging.Window) ([]messaging.StoredMessage, error) {
	page, err := s.Store.Messages(ctx, viewer, chat, w)
	for i := range page {
		if page[i].Deleted {
			page[i].Body, _ = s.bodies.get(page[i].ID)
		}
	}
	return page, err
}

// showsHidden reads the history as another member.
type showsHidden struct{ messaging.Store }

func (s showsHidden) Messages(ctx context.Context, viewer, chat string, w messaging.Window) ([]messaging.StoredMessage, error) {
	members, err := s.Members(ctx, viewer, chat, "", 2)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if m.UserID != viewer {
			viewer = m.UserID
			break
		}
	}
	return s.Store.Messages(ctx, viewer, chat, w)
}

type oneByOne struct{ messaging.Store }

func (s oneByOne) Append(ctx context.Context, items []messaging.NewMessage) (out []messaging.Appended, err error) {
	for i := range items {
		one, err := s.Store.Append(ctx, items[i:i+1])
		if err != nil {
			return nil, err
		}
		out = append(out, one...)
		if len(items) > 1 {
			meet()
		}
	}
	return out, nil
}

// losesLast has lost the latest message of the time before it was reopened.
type losesLast struct {
	messaging.Store
	latest memo[string]
	lost   string
}

func (s *losesLast) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	out, err := s.Store.Append(ctx, items)
	for _, o := range out {
		if o.Err == nil {
			s.latest.set("", o.Message.ID)
		}
	}
	return out, err
}

func (s *losesLast) Messages(ctx context.Context, viewer, chat string, w messaging.Window) (kept []messaging.StoredMessage, err error) {
	page, err := s.Store.Messages(ctx, viewer, chat, w)
	for _, m := range page {
		if m.ID != s.lost {
			kept = append(kept, m)
		}
	}
	return kept, err
}

// liesWhenCancelled is slow, and stores to the end what the caller no longer waits for.
type liesWhenCancelled struct{ messaging.Store }

func (s liesWhenCancelled) Append(ctx context.Context, items []messaging.NewMessage) ([]messaging.Appended, error) {
	out, err := s.Store.Append(context.WithoutCancel(ctx), items)
	meet()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return out, err
}
