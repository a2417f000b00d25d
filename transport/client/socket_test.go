package client_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/sqlite"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/client"
	"github.com/wigwag-chat/wigwag/transport/ws"
)

// site is an app of a host with users of its own (the token is the user's id), on
// a file that outlives it, behind a proxy that breaks connections.
type site struct {
	*proxy
	t      *testing.T
	file   string
	key    *keys.Ring
	limits ws.Limits
	app    *wigwag.App
	server *httptest.Server
}

func newSite(t *testing.T) *site {
	t.Helper()
	key, err := keys.Generate(nil)
	must(t, err)
	s := &site{t: t, file: filepath.Join(t.TempDir(), "chat.db"), key: keys.NewRing(key), proxy: newProxy(t), limits: ws.Limits{Off: true}}
	s.start()
	t.Cleanup(func() { s.close(); s.stop() })
	return s
}

func (s *site) start() {
	s.t.Helper()
	store, err := sqlite.Open(context.Background(), s.file, sqlite.Options{Migrate: true})
	must(s.t, err)
	s.app, err = wigwag.Open(context.Background(), wigwag.Config{
		Store: store, Keys: s.key, Limits: s.limits, Logger: slog.New(slog.DiscardHandler),
		Authenticator: auth.TokenFunc(func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{UserID: token, SessionID: "s"}, nil
		}),
	})
	must(s.t, err)
	s.app.Start()
	s.server = httptest.NewServer(s.app.Handler())
	s.backend.Store(s.server.Listener.Addr().String())
}

func (s *site) stop() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	must(s.t, s.app.Stop(ctx))
	s.server.Close()
}

func (s *site) client(user string) *client.Client {
	s.t.Helper()
	transport := &http.Transport{}
	s.t.Cleanup(transport.CloseIdleConnections)
	c, err := client.New("http://"+s.proxy.Addr().String(), client.Options{
		HTTPClient: &http.Client{Transport: transport}, Tokens: client.Tokens{Access: user},
		FirstWait: time.Millisecond, MaxWait: 20 * time.Millisecond,
	})
	must(s.t, err)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// proxy passes TCP on to a backend, and cuts each connection after some bytes.
type proxy struct {
	net.Listener
	backend atomic.Value
	cuts    atomic.Int64
	budget  func() int64 // bytes until the cut; 0: none
	mu      sync.Mutex
	open    map[net.Conn]bool
	running sync.WaitGroup
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{Listener: l, open: map[net.Conn]bool{}, budget: func() int64 { return 0 }}
	p.running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.running.Go(func() { p.pass(conn) })
		}
	})
	return p
}

func (p *proxy) pass(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", p.backend.Load().(string))
	if err != nil {
		return
	}
	defer out.Close()
	p.mu.Lock()
	budget := p.budget()
	p.open[in], p.open[out] = true, true
	p.mu.Unlock()
	var left atomic.Int64
	left.Store(budget)
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		both.Go(func() {
			defer in.Close()
			defer out.Close()
			for {
				n, err := io.CopyN(way[0], way[1], 16) // small: cuts fall within frames
				if err != nil {
					return
				}
				if budget > 0 && left.Add(-n) < 0 {
					p.cuts.Add(1)
					return
				}
			}
		})
	}
	both.Wait()
	p.mu.Lock()
	delete(p.open, in)
	delete(p.open, out)
	p.mu.Unlock()
}

func (p *proxy) setBudget(f func() int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.budget = f
}

func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		c.Close()
	}
}

func (p *proxy) close() {
	p.Close()
	p.cutAll()
	p.running.Wait()
}

// record is what an application heard.
type record struct {
	mu     sync.Mutex
	chats  map[string][]int64
	own    []int64
	texts  map[string]int // message ids
	snaps  int
	resets int
	change chan struct{}
}

func newRecord() *record {
	return &record{chats: map[string][]int64{}, texts: map[string]int{}, change: make(chan struct{}, 1)}
}

func (r *record) options() client.SocketOptions {
	return client.SocketOptions{FramesPerSecond: -1, Event: r.event,
		Snapshot: func(c api.ChatSync) { r.note(func() { r.snaps++; r.chats[c.ID] = []int64{c.Head} }) },
		Reset:    func() { r.note(func() { r.resets++; clear(r.chats) }) },
	}
}

func (r *record) note(f func()) {
	r.mu.Lock()
	f()
	r.mu.Unlock()
	select {
	case r.change <- struct{}{}:
	default:
	}
}

func (r *record) event(e api.Event) {
	r.note(func() {
		switch {
		case e.Seq > 0:
			r.chats[e.ChatID] = append(r.chats[e.ChatID], e.Seq)
			if e.Type == "message.created" {
				r.texts[e.Message.ID]++
			}
		case e.UserSeq > 0:
			r.own = append(r.own, e.UserSeq)
		}
	})
}

// reaches waits until a chat was told up to a place.
func (r *record) reaches(t *testing.T, chat string, seq int64) {
	t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		r.mu.Lock()
		seqs := slices.Clone(r.chats[chat])
		r.mu.Unlock()
		if len(seqs) > 0 && seqs[len(seqs)-1] >= seq {
			return
		}
		select {
		case <-r.change:
		case <-timeout:
			t.Fatalf("told %d events of %s, the last is %v, want %d", len(seqs), chat, seqs[max(0, len(seqs)-1):], seq)
		}
	}
}

// dense fails unless places follow each other from first on.
func dense(t *testing.T, what string, seqs []int64, first int64) {
	t.Helper()
	for i, seq := range seqs {
		if seq != first+int64(i) {
			t.Fatalf("%s: %d stands where %d should: %v", what, seq, first+int64(i), seqs[max(0, i-3):min(len(seqs), i+4)])
		}
	}
}

// Connections break at random bytes and the server restarts: every event is told
// once and in order, and what was acknowledged is there, once.
func TestSocketSurvivesCutsAndRestarts(t *testing.T) {
	s := newSite(t)
	direct, _, err := s.app.Messaging.OpenDirect(t.Context(), "ann", "bob")
	must(t, err)
	group, _, err := s.app.Messaging.CreateGroup(t.Context(), messaging.NewGroup{CreatorID: "ann", Title: "G", MemberIDs: []string{"bob"}})
	must(t, err)
	chats := []string{direct.ID, group.ID}

	ann, bob := newRecord(), newRecord()
	sender, err := s.client("ann").Connect(t.Context(), ann.options())
	must(t, err)
	defer sender.Close()
	reader, err := s.client("bob").Connect(t.Context(), bob.options())
	must(t, err)
	defer reader.Close()
	s.setBudget(func() int64 { return 600 + rand.Int64N([]int64{6_000, 20_000}[rand.IntN(2)]) })
	s.cutAll()

	var mu sync.Mutex
	acknowledged := map[string]int64{} // message id to place
	sent := map[string]int{}
	var writing sync.WaitGroup
	for w := range 4 {
		writing.Go(func() {
			for i := 0; i < 40 || s.cuts.Load() < 110; i++ {
				chat := chats[(w+i)%2]
				m, err := sender.Send(t.Context(), chat, api.SendMessage{Text: fmt.Sprint("text ", w, i)})
				if err != nil {
					t.Errorf("Send: %v", err)
					return
				}
				if i%10 == 0 {
					if _, err := sender.Edit(t.Context(), chat, m.ID, "edited"); err != nil {
						t.Errorf("Edit: %v", err)
					}
				}
				mu.Lock()
				acknowledged[m.ID] = m.Seq
				sent[chat]++
				mu.Unlock()
			}
		})
	}
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for _, n := range []int64{20, 40, 60} { // somewhere among the writes
		for s.cuts.Load() < n && !t.Failed() {
			<-look.C
		}
		s.stop()
		s.start()
	}
	writing.Wait()
	s.setBudget(func() int64 { return 0 })
	cuts := s.cuts.Load()
	s.cutAll()

	for _, chat := range chats {
		view, err := s.app.Messaging.Chat(t.Context(), "ann", chat)
		must(t, err)
		stored := map[string]bool{}
		for after := int64(0); after < view.HeadSeq; {
			events, err := s.app.Messaging.Events(t.Context(), "ann", chat, after, messaging.MaxSync)
			must(t, err)
			for _, e := range events {
				if e.Type == messaging.MessageCreated {
					stored[e.MessageID] = true
				}
				after = e.Seq
			}
		}
		if len(stored) != sent[chat] {
			t.Errorf("%d messages are stored, %d were sent", len(stored), sent[chat])
		}
		for name, r := range map[string]*record{"ann": ann, "bob": bob} {
			r.reaches(t, chat, view.HeadSeq)
			r.mu.Lock()
			dense(t, name, r.chats[chat], 1)
			for id := range stored {
				if r.texts[id] != 1 {
					t.Errorf("%s was told %d times of %s", name, r.texts[id], id)
				}
				if acknowledged[id] == 0 {
					t.Errorf("message %s is stored and was never acknowledged", id)
				}
			}
			r.mu.Unlock()
		}
	}
	if cuts < 100 {
		t.Errorf("only %d cuts", cuts)
	}
	t.Logf("%d cuts, 3 restarts, %d messages, bob at %v", cuts, len(acknowledged), reader.Cursor())
}
