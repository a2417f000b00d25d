package storagetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/wigwag-chat/wigwag/messaging"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// timeline is the state of two chats, of a message in the first one that is
// edited, and of the client ids of one sender, as an order of operations makes it.
type timeline struct {
	heads    [2]int64
	revision int
	names    [3]place // of messages by client id; zero: not sent
}

type place struct {
	chat int
	seq  int64
}

type operation struct {
	kind     string // send, edit, heads, revision
	chat     int    // send
	name     int    // send: index of the client id, -1 for none
	revision int    // edit
}

func (op operation) String() string {
	switch op.kind {
	case "send":
		if op.name >= 0 {
			return fmt.Sprintf("send to chat %d as name %d", op.chat, op.name)
		}
		return fmt.Sprintf("send to chat %d", op.chat)
	case "edit":
		return fmt.Sprintf("edit to revision %d", op.revision)
	}
	return op.kind
}

// result is what an operation returned; its zero fields do not concern the operation.
type result struct {
	heads    [2]int64
	at       place
	repeated bool
	conflict bool
	revision int
}

func (r result) String() string {
	switch {
	case r.conflict:
		return "conflict"
	case r.revision > 0:
		return fmt.Sprintf("revision %d", r.revision)
	case r.at.seq > 0 && r.repeated:
		return fmt.Sprintf("repeated %d in chat %d", r.at.seq, r.at.chat)
	case r.at.seq > 0:
		return fmt.Sprintf("%d in chat %d", r.at.seq, r.at.chat)
	}
	return fmt.Sprint(r.heads)
}

// step tells what an operation must return when it comes next.
func (t timeline) step(op operation) (result, timeline) {
	switch op.kind {
	case "send":
		if op.name >= 0 && t.names[op.name].seq > 0 {
			return result{at: t.names[op.name], repeated: true}, t
		}
		t.heads[op.chat]++
		at := place{op.chat, t.heads[op.chat]}
		if op.name >= 0 {
			t.names[op.name] = at
		}
		return result{at: at}, t
	case "edit":
		if op.revision != t.revision+1 {
			return result{conflict: true}, t
		}
		t.revision++
		t.heads[0]++
		return result{at: place{0, t.heads[0]}}, t
	case "heads":
		return result{heads: t.heads}, t
	}
	return result{revision: t.revision}, t
}

// linearizable records small histories and looks for an order that explains each.
func linearizable(r *R) {
	for range 8 {
		h := r.record1()
		model := porcupine.Model{
			Init: func() any { return timeline{heads: [2]int64{1, 0}, revision: 1} },
			Step: func(state, in, out any) (bool, any) {
				want, next := state.(timeline).step(in.(operation))
				return want == out.(result), next
			},
		}
		switch porcupine.CheckOperationsTimeout(model, h, 10*time.Second) {
		case porcupine.Illegal:
			r.Fatalf("no order of these operations explains what they returned:\n%s", printed(h))
		case porcupine.Unknown: // too long to tell; the histories are small enough that this does not happen
			r.Fatalf("the history could not be decided:\n%s", printed(h))
		}
	}
}

// record1 runs operations at the same time and writes down what they returned and when.
func (r *R) record1() []porcupine.Operation {
	p := r.people(1)
	user := p[0]
	rooms := [2]room{r.group(user), r.group(user)}
	edited := rooms[0].send(user)
	names := [3]string{r.id("client"), r.id("client"), r.id("client")}
	const clients, each = 4, 6
	plan := make([]operation, clients*each)
	for i := range plan {
		plan[i] = operation{
			kind: []string{"send", "send", "send", "edit", "heads", "revision"}[r.rng.IntN(6)],
			chat: r.rng.IntN(2), name: r.rng.IntN(6) - 3, revision: 2 + r.rng.IntN(3),
		}
		plan[i].name = max(plan[i].name, -1)
	}
	began := time.Now()
	var mu sync.Mutex
	var history []porcupine.Operation
	r.race(clients, func(client int) {
		for _, op := range plan[client*each : (client+1)*each] {
			call := time.Since(began)
			out := r.operate(rooms, user, names, edited, op)
			end := time.Since(began)
			mu.Lock()
			history = append(history, porcupine.Operation{
				ClientId: client, Input: op, Call: int64(call), Output: out, Return: int64(end),
			})
			mu.Unlock()
		}
	})
	return history
}

func (r *R) operate(rooms [2]room, user string, names [3]string, edited messaging.StoredMessage, op operation) (out result) {
	switch op.kind {
	case "send":
		n := rooms[op.chat].message(user)
		if op.name >= 0 {
			n.ClientID, n.Digest = names[op.name], []byte("digest")
		}
		sent := r.append1(n)
		r.ok(sent.Err)
		out.at.seq, out.repeated = sent.Message.Seq, sent.Repeated
		if sent.Message.ChatID == rooms[1].id {
			out.at.chat = 1
		}
	case "edit":
		changed, err := r.m().Edit(r.ctx, rooms[0].rewrite(edited, op.revision))
		if out.conflict = errors.Is(err, messaging.ErrRevision); !out.conflict {
			r.ok(err)
			out.at = place{0, changed.Events[0].Seq}
		}
	case "heads":
		for _, h := range r.heads(user).Chats {
			for i, c := range rooms {
				if c.id == h.ChatID {
					out.heads[i] = h.Seq
				}
			}
		}
	case "revision":
		out.revision = rooms[0].get(user, edited.ID).Revision
	}
	return out
}

// printed lists a history by the time of its calls.
func printed(history []porcupine.Operation) string {
	slices.SortFunc(history, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	var out strings.Builder
	for _, op := range history {
		fmt.Fprintf(&out, "client %d, %v to %v: %v: %v\n",
			op.ClientId, time.Duration(op.Call), time.Duration(op.Return), op.Input, op.Output)
	}
	return out.String()
}
