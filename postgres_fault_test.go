package wigwag_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/faultnet"
	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/postgres"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/client"
	"github.com/wigwag-chat/wigwag/transport/ws"
)

const (
	faultRuns  = 4                       // of each of five kinds
	faultLasts = 2500 * time.Millisecond // unless it was met before
	silence    = 250 * time.Millisecond  // AnswerTimeout of the store
	callBound  = 14 * time.Second        // of a call, and of the recovery
	staleBound = 12 * time.Second        // until those who listen have heard what was acknowledged
)

// faultKinds are those of faultnet, each way of cutting by itself.
func faultKinds() []faultnet.Kind {
	var kinds []faultnet.Kind
	for _, k := range faultnet.Kinds(faultnet.Scale{
		Delay: 8 * time.Millisecond, Jitter: 6 * time.Millisecond, Cut: 9000, Drip: 100 * time.Millisecond,
	}) {
		if k.Name != "cut" {
			kinds = append(kinds, k)
			continue
		}
		for name, reset := range map[string]bool{"cut by FIN": false, "cut by RST": true} {
			kinds = append(kinds, faultnet.Kind{Name: name, Draw: func(r *rand.Rand) faultnet.Fault {
				f := k.Draw(r)
				f.Reset = reset
				return f
			}})
		}
	}
	return kinds
}

// Whatever befalls the network between an App and PostgreSQL: who sends over a
// WebSocket or over HTTP hears within bounds that it is not known, or that it
// cannot be now. What is acknowledged stands in the history once and in its place,
// and everybody hears of it, once the network is well.
func TestPostgresFaults(t *testing.T) {
	t.Parallel()
	address, ring := pgtest.URL(t), ring(t)
	check(t, postgres.Migrate(t.Context(), address, postgres.Options{}))
	for _, kind := range faultKinds() {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			struck := 0
			for range faultRuns {
				r := &faultRun{seed: rand.Uint64(), acked: make(map[string]api.Message), change: make(chan struct{}, 1)}
				if err := r.run(t, address, ring, kind.Draw); err != nil {
					t.Errorf("seed %d: %v", r.seed, err)
				}
				struck += r.struck
			}
			if struck == 0 && kind.Name != "latency" {
				t.Error("no fault was met")
			}
		})
	}
}

// faultRun is an App of its own, behind a proxy, with one chat.
type faultRun struct {
	seed    uint64
	address string
	chat    string
	struck  int // connections broken, and refusals

	mu      sync.Mutex
	acked   map[string]api.Message // by text
	refused []string               // codes
	change  chan struct{}
}

func (r *faultRun) run(t *testing.T, address string, ring *keys.Ring, fault func(*rand.Rand) faultnet.Fault) (err error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	p, err := faultnet.Listen(u.Host, r.seed)
	if err != nil {
		return err
	}
	defer p.Close()
	u.Host = p.Addr()
	app, err := openBehind(ctx, u.String(), ring)
	if err != nil {
		return err
	}
	app.Start()
	server := httptest.NewServer(app.Handler())
	r.address = server.URL
	defer func() {
		stop, cancel := context.WithTimeout(context.Background(), callBound)
		defer cancel()
		err = errors.Join(err, app.Stop(stop))
		server.Close()
	}()
	users := []string{"ann", "bob", "cyd"}
	group, _, err := app.Messaging.CreateGroup(ctx, messaging.NewGroup{CreatorID: "ann", Title: "G", MemberIDs: users[1:]})
	if err != nil {
		return err
	}
	r.chat = group.ID
	sockets, ears := make([]*client.Socket, len(users)), make([]*ear, len(users))
	for i, user := range users {
		if sockets[i], ears[i], err = r.connect(ctx, user); err != nil {
			return err
		}
		defer sockets[i].Close()
	}

	stop, ended := make(chan struct{}), make(chan error, 4)
	for i, user := range users[:2] {
		go func() { ended <- r.write(ctx, user+" by socket", stop, sockets[i].Send) }()
		go func() { ended <- r.write(ctx, user+" by HTTP", stop, r.poster(user)) }()
	}
	r.await(callBound, func(acked, _ int) bool { return acked >= 8 })
	p.Set(fault(rand.New(rand.NewPCG(r.seed, 2))))
	before, _ := r.counts()
	r.await(faultLasts, func(acked, refused int) bool { return refused >= 2 || acked >= before+12 })
	close(stop) // the messages on their way are the last: no later one tells of them
	p.Set(faultnet.Fault{})
	healed := time.Now()
	for range cap(ended) {
		err = errors.Join(err, <-ended)
	}
	took := time.Since(healed)
	acked, refused := r.counts()
	r.struck = p.Broken() + refused
	t.Logf("seed %d: %d acknowledged, refused %q, %d connections broken, recovered in %v", r.seed, acked, r.refused, p.Broken(), took)
	if took > callBound {
		err = errors.Join(err, fmt.Errorf("it recovered only in %v", took))
	}
	for i := range sockets {
		err = errors.Join(err, bounded(ctx, sockets[i].Ping))
	}
	if err != nil {
		return err
	}
	history, err := r.history(ctx)
	if err != nil {
		return err
	}
	for i, e := range ears {
		if err := e.heard(history); err != nil {
			return fmt.Errorf("%s: %w", users[i], err)
		}
	}
	return nil
}

// openBehind opens an App. A machine that is busy shakes hands slowly.
func openBehind(ctx context.Context, address string, ring *keys.Ring) (*wigwag.App, error) {
	for began := time.Now(); ; {
		app, err := tryOpen(ctx, address, ring)
		if err == nil || time.Since(began) > callBound {
			return app, err
		}
	}
}

func tryOpen(ctx context.Context, address string, ring *keys.Ring) (*wigwag.App, error) {
	store, err := postgres.Open(ctx, address, postgres.Options{
		MaxConns: 4, AnswerTimeout: silence, StatementTimeout: time.Second, LockTimeout: time.Second, IdleTimeout: silence,
	})
	if err != nil {
		return nil, err
	}
	app, err := wigwag.Open(ctx, wigwag.Config{
		Store: store, Keys: ring, Limits: ws.Limits{Off: true}, Logger: slog.New(slog.DiscardHandler),
		Authenticator: auth.TokenFunc(func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{UserID: token, SessionID: "s"}, nil
		}),
	})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return app, nil
}

// bounded makes a call that may not hang.
func bounded(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, callBound)
	defer cancel()
	return call(ctx)
}

// write sends one message after the other, each until it is acknowledged.
func (r *faultRun) write(
	ctx context.Context, name string, stop <-chan struct{}, send func(context.Context, string, api.SendMessage) (api.Message, error),
) error {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return nil
		default:
		}
		text := fmt.Sprint(name, " ", i)
		for done := false; !done; {
			var m api.Message
			err := bounded(ctx, func(ctx context.Context) (err error) {
				m, err = send(ctx, r.chat, api.SendMessage{Text: text, ClientID: fmt.Sprint(r.seed, " ", text)})
				return err
			})
			if done = err == nil; !done && (ctx.Err() != nil || !honest(err)) {
				return fmt.Errorf("%s: %w", text, err)
			}
			r.note(text, m, err)
		}
	}
}

// honest reports whether an error may come of a database that cannot be reached.
func honest(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	return errs.KindOf(err) == errs.Unavailable && slices.Contains([]string{"storage_unavailable", "outcome_unknown", "timeout"}, errs.CodeOf(err))
}

// poster sends by bare HTTP.
func (r *faultRun) poster(user string) func(context.Context, string, api.SendMessage) (api.Message, error) {
	bare := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	return func(ctx context.Context, chat string, m api.SendMessage) (sent api.Message, err error) {
		body, err := json.Marshal(m)
		if err != nil {
			return sent, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.address+"/v1/chats/"+chat+"/messages", bytes.NewReader(body))
		if err != nil {
			return sent, err
		}
		req.Header.Set("Authorization", "Bearer "+user)
		req.Header.Set("Content-Type", "application/json")
		resp, err := bare.Do(req)
		if err != nil {
			return sent, err
		}
		defer resp.Body.Close()
		switch resp.StatusCode {
		case http.StatusOK, http.StatusCreated:
			return sent, json.NewDecoder(resp.Body).Decode(&sent)
		case http.StatusServiceUnavailable:
			var refusal api.Error
			if err := json.NewDecoder(resp.Body).Decode(&refusal); err != nil {
				return sent, err
			}
			return sent, refusal.Error.Err(errs.Unavailable)
		}
		return sent, fmt.Errorf("status %d", resp.StatusCode)
	}
}

func (r *faultRun) note(text string, m api.Message, err error) {
	r.mu.Lock()
	if err == nil {
		r.acked[text] = m
	} else {
		r.refused = append(r.refused, errs.CodeOf(err))
	}
	r.mu.Unlock()
	select {
	case r.change <- struct{}{}:
	default:
	}
}

func (r *faultRun) counts() (acked, refused int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.acked), len(r.refused)
}

// await waits until enough has happened, or for some time.
func (r *faultRun) await(most time.Duration, enough func(acked, refused int) bool) {
	for late := time.After(most); !enough(r.counts()); {
		select {
		case <-r.change:
		case <-late:
			return
		}
	}
}

// history reads what is stored, and compares it with what was acknowledged.
func (r *faultRun) history(ctx context.Context) (all []api.Message, err error) {
	c, err := r.client("cyd")
	if err != nil {
		return nil, err
	}
	for after := int64(0); ; {
		page, err := c.Messages(ctx, r.chat, client.Window{After: &after, Limit: 200})
		if err != nil {
			return nil, err
		}
		if len(page.Items) == 0 {
			break
		}
		for _, m := range page.Items {
			if a := r.acked[m.Text]; m.Seq != after+1 || a.ID != m.ID || a.Seq != m.Seq {
				return nil, fmt.Errorf("%q stands at %d after %d, and was acknowledged at %d", m.Text, m.Seq, after, a.Seq)
			}
			after = m.Seq
			all = append(all, m)
		}
	}
	if len(all) != len(r.acked) {
		return nil, fmt.Errorf("%d messages were acknowledged, %d stand", len(r.acked), len(all))
	}
	return all, nil
}

func (r *faultRun) client(user string) (*client.Client, error) {
	return client.New(r.address, client.Options{
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, Tokens: client.Tokens{Access: user},
		FirstWait: 10 * time.Millisecond, MaxWait: 100 * time.Millisecond,
	})
}

// ear is what a member hears of the chat.
type ear struct {
	mu     sync.Mutex
	events []api.Event
	change chan struct{}
}

func (r *faultRun) connect(ctx context.Context, user string) (*client.Socket, *ear, error) {
	c, err := r.client(user)
	if err != nil {
		return nil, nil, err
	}
	e := &ear{change: make(chan struct{}, 1)}
	s, err := c.Connect(ctx, client.SocketOptions{FramesPerSecond: -1, Event: func(event api.Event) {
		if event.ChatID != r.chat || event.Seq == 0 {
			return
		}
		e.mu.Lock()
		e.events = append(e.events, event)
		e.mu.Unlock()
		select {
		case e.change <- struct{}{}:
		default:
		}
	}})
	return s, e, err
}

// heard waits until the member has heard of the whole history, once and in order.
func (e *ear) heard(history []api.Message) error {
	late := time.After(staleBound)
	for {
		e.mu.Lock()
		events := slices.Clone(e.events)
		e.mu.Unlock()
		for i, event := range events {
			if i == len(history) || event.Seq != history[i].Seq || event.Message == nil || event.Message.ID != history[i].ID {
				return fmt.Errorf("event %d is %+v", i, event)
			}
		}
		if len(events) == len(history) {
			return nil
		}
		select {
		case <-e.change:
		case <-late:
			return fmt.Errorf("%d of %d messages were heard", len(events), len(history))
		}
	}
}
