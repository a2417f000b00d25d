package client_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag"
	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/internal/faultnet"
	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/memory"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/transport/client"
	"github.com/wigwag-chat/wigwag/transport/ws"
)

const (
	faultRuns    = 20 // of each kind
	faultsAtOnce = 5
	faultSends   = 12              // messages a sender: before, under and after the fault
	slowest      = 5 * time.Second // from a healthy sender to a healthy receiver, while others suffer
)

// Whatever befalls the network between a client and the server: what was
// acknowledged is in the history once and in its sender's order, what was not at
// most once, and those whose network is well neither miss anything nor wait.
func TestNetworkFaults(t *testing.T) {
	t.Parallel()
	for _, kind := range faultnet.Kinds(faultnet.Scale{
		Delay: 20 * time.Millisecond, Jitter: 10 * time.Millisecond, CutFrom: 400, Cut: 3000, Drip: 20 * time.Millisecond,
	}) {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			server := faultServer(t)
			var runs sync.WaitGroup
			for range faultsAtOnce { // most of each is waiting
				runs.Go(func() {
					for range faultRuns / faultsAtOnce {
						seed := rand.Uint64()
						if err := faultRun(t, server, seed, kind.Draw); err != nil {
							t.Errorf("seed %d: %v", seed, err)
						}
					}
				})
			}
			runs.Wait()
		})
	}
}

// host is a server whose users' tokens are their ids.
type host struct {
	app     *wigwag.App
	address string
}

func faultServer(t *testing.T) host {
	t.Helper()
	key, err := keys.Generate(nil)
	must(t, err)
	app, err := wigwag.Open(t.Context(), wigwag.Config{
		Store: memory.New(memory.Options{}), Keys: keys.NewRing(key), Limits: ws.Limits{Off: true}, Logger: slog.New(slog.DiscardHandler),
		Authenticator: auth.TokenFunc(func(_ context.Context, token string) (auth.Identity, error) {
			return auth.Identity{UserID: token, SessionID: "s"}, nil
		}),
	})
	must(t, err)
	app.Start()
	server := httptest.NewServer(app.Handler())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		must(t, app.Stop(ctx))
		server.Close()
	})
	return host{app, server.Listener.Addr().String()}
}

// faultRun lets ann send through a network that suffers, while cyd sends and bob
// receives through a good one.
func faultRun(t *testing.T, h host, seed uint64, fault func(*rand.Rand) faultnet.Fault) error {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	rnd := rand.New(rand.NewPCG(seed, 2))
	p, err := faultnet.Listen(h.address, seed)
	if err != nil {
		return err
	}
	defer p.Close()
	name := func(who string) string { return fmt.Sprint(who, seed) }
	chat, _, err := h.app.Messaging.CreateGroup(ctx, messaging.NewGroup{
		CreatorID: name("ann"), Title: "G", MemberIDs: []string{name("bob"), name("cyd")},
	})
	if err != nil {
		return err
	}
	bob := newRecord()
	reader, err := faultSocket(ctx, h.address, name("bob"), bob.options())
	if err != nil {
		return err
	}
	defer reader.Close()
	healthy, err := faultSocket(ctx, h.address, name("cyd"), client.SocketOptions{})
	if err != nil {
		return err
	}
	defer healthy.Close()
	sender, err := faultSocket(ctx, p.Addr(), name("ann"), client.SocketOptions{
		FramesPerSecond: -1, PingEvery: 40 * time.Millisecond, AnswerTimeout: 300 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	defer sender.Close()

	acked := make([]api.Message, faultSends)
	sent := make(chan int, faultSends)
	var writing sync.WaitGroup
	var failed error
	writing.Go(func() {
		defer close(sent)
		for i := range acked {
			if acked[i], failed = sender.Send(ctx, chat.ID, api.SendMessage{Text: fmt.Sprint(i), ClientID: fmt.Sprint(seed, "-", i)}); failed != nil {
				return
			}
			sent <- i
		}
	})
	for range faultSends / 3 {
		<-sent
	}
	p.Set(fault(rnd))
	var worst time.Duration
	for i := range faultSends {
		began := time.Now()
		m, err := healthy.Send(ctx, chat.ID, api.SendMessage{Text: fmt.Sprint("healthy ", i)})
		if err != nil {
			return fmt.Errorf("a healthy client: %w", err)
		}
		bob.reaches(t, chat.ID, m.Seq)
		worst = max(worst, time.Since(began))
	}
	if worst > slowest {
		t.Errorf("seed %d: it took %v from one healthy client to the other", seed, worst)
	}
	// Until something came through, or the fault was noticed.
	select {
	case <-sent:
	case <-time.After(400 * time.Millisecond):
	}
	p.Set(faultnet.Fault{})
	writing.Wait()
	if failed != nil {
		return fmt.Errorf("it has not recovered: %w", failed)
	}
	t.Logf("seed %d: %d connections broken, healthy at most %v", seed, p.Broken(), worst.Round(time.Microsecond))
	return faultCheck(ctx, t, h, chat.ID, name("ann"), acked, bob)
}

// faultCheck compares what was acknowledged with the history and with what bob heard.
func faultCheck(ctx context.Context, t *testing.T, h host, chat, ann string, acked []api.Message, bob *record) error {
	page, err := h.app.Messaging.Messages(ctx, ann, chat, messaging.Window{Limit: 200})
	if err != nil {
		return err
	}
	var next int
	var last int64
	for _, m := range page {
		last = m.Seq
		if m.SenderID != ann {
			continue
		}
		if next == len(acked) || m.ID != acked[next].ID || m.Seq != acked[next].Seq || m.Text != fmt.Sprint(next) {
			return fmt.Errorf("message %d of the history is %q at %d", next, m.Text, m.Seq)
		}
		next++
	}
	if next != len(acked) {
		return fmt.Errorf("%d messages are in the history, %d were acknowledged", next, len(acked))
	}
	bob.reaches(t, chat, last)
	bob.mu.Lock()
	defer bob.mu.Unlock()
	for i, seq := range bob.chats[chat] {
		if seq != int64(i)+1 {
			return fmt.Errorf("bob heard event %d in place %d", seq, i+1)
		}
	}
	return nil
}

func faultSocket(ctx context.Context, address, user string, o client.SocketOptions) (*client.Socket, error) {
	c, err := client.New("http://"+address, client.Options{
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, Tokens: client.Tokens{Access: user},
		FirstWait: time.Millisecond, MaxWait: 20 * time.Millisecond,
	})
	if err != nil {
		return nil, err
	}
	return c.Connect(ctx, o)
}
