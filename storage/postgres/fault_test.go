package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/faultnet"
	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/postgres"
)

const (
	faultRuns    = 20 // of each kind
	faultsAtOnce = 4
	silence      = 250 * time.Millisecond // AnswerTimeout of the tests
	answerBound  = 14 * time.Second       // of a call, whatever the network does: 10 s of retries, and the last
)

// faulty puts a proxy before a database.
func faulty(t *testing.T, address string, seed uint64) (*faultnet.Proxy, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p, err := faultnet.Listen(u.Host, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	u.Host = p.Addr()
	return p, u.String()
}

// Whatever befalls the network between the store and its server: calls end in
// time with a result or a typed error, what was acknowledged is stored once and in
// its place, what was not is stored at most once, and the store recovers by itself.
func TestNetworkFaults(t *testing.T) {
	t.Parallel()
	for _, kind := range faultnet.Kinds(faultnet.Scale{
		Delay: 8 * time.Millisecond, Jitter: 6 * time.Millisecond, Cut: 9000, Drip: 100 * time.Millisecond,
	}) {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			address := pgtest.URL(t)
			direct := open(t, address, postgres.Options{Migrate: true})
			var runs sync.WaitGroup
			for range faultsAtOnce { // most of each is waiting
				runs.Go(func() {
					for range faultRuns / faultsAtOnce {
						faultRun(t, direct, address, rand.Uint64(), kind.Draw)
					}
				})
			}
			runs.Wait()
		})
	}
}

func faultRun(t *testing.T, direct *postgres.Store, address string, seed uint64, fault func(*rand.Rand) faultnet.Fault) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 2))
	p, through := faulty(t, address, seed)
	defer p.Close()
	opt := postgres.Options{
		MaxConns: 2, AnswerTimeout: silence, StatementTimeout: time.Second, LockTimeout: time.Second, IdleTimeout: silence,
	}
	s, err := postgres.Open(t.Context(), through, opt)
	for began := time.Now(); err != nil && time.Since(began) < answerBound; {
		s, err = postgres.Open(t.Context(), through, opt) // a machine that is busy shakes hands slowly
	}
	if err != nil {
		t.Errorf("seed %d: %v", seed, err)
		return
	}
	defer s.Close()
	chat := fmt.Sprint("chat-", seed)
	group(t, direct, chat, "ann", "bob")

	const writers = 4
	var (
		calls   atomic.Int64
		stop    atomic.Bool
		mu      sync.Mutex
		acked   = map[string]int64{}
		tried   = map[string]bool{}
		running sync.WaitGroup
	)
	timed := func(what string, call func(context.Context) error) error {
		began := time.Now()
		err := call(t.Context())
		if took := time.Since(began); took > answerBound {
			t.Errorf("seed %d: %s took %v", seed, what, took)
		}
		if err != nil && errs.KindOf(err) != errs.Unavailable {
			t.Errorf("seed %d: %s: %v", seed, what, err)
		}
		calls.Add(1)
		return err
	}
	for w := range writers {
		running.Go(func() {
			for i := 0; !stop.Load(); i++ {
				id := fmt.Sprintf("%d-%d-%d", seed, w, i)
				var a messaging.Appended
				err := timed("append", func(ctx context.Context) (err error) { a, err = send(ctx, s, chat, "ann", id); return err })
				mu.Lock()
				tried[id] = true
				if err == nil {
					acked[id] = a.Message.Seq
				}
				mu.Unlock()
				_ = timed("read", func(ctx context.Context) error { _, err := s.Messaging().Heads(ctx, "bob"); return err })
			}
		})
	}
	await := func(n int64) {
		for look := time.NewTicker(time.Millisecond); calls.Load() < n; <-look.C {
		}
	}
	await(2 * writers)
	p.Set(fault(rnd))
	await(calls.Load() + 2*writers)
	p.Set(faultnet.Fault{})
	healed := time.Now()
	for {
		err := timed("append", func(ctx context.Context) error { _, err := send(ctx, s, chat, "ann", "healed-"+chat); return err })
		if err == nil {
			break
		}
		if time.Since(healed) > answerBound {
			t.Errorf("seed %d: it has not recovered: %v", seed, err)
			break
		}
	}
	stop.Store(true)
	running.Wait()

	stored := map[string]int64{}
	for after := int64(0); ; {
		page, err := direct.Messaging().Messages(t.Context(), "bob", chat, messaging.Window{After: after, Limit: 200})
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
			return
		}
		for _, m := range page {
			if m.Seq != after+1 || stored[m.ID] != 0 {
				t.Errorf("seed %d: %s stands at %d after %d, and at %d", seed, m.ID, m.Seq, after, stored[m.ID])
			}
			stored[m.ID], after = m.Seq, m.Seq
		}
		if len(page) == 0 {
			break
		}
	}
	for _, id := range slices.Sorted(maps.Keys(acked)) {
		if stored[id] != acked[id] {
			t.Errorf("seed %d: %s was acknowledged at %d and stands at %d", seed, id, acked[id], stored[id])
		}
	}
	for id := range stored {
		if !tried[id] && id != "healed-"+chat {
			t.Errorf("seed %d: %s was never sent", seed, id)
		}
	}
	t.Logf("seed %d: %d tried, %d acknowledged, %d stored, %d connections broken", seed, len(tried), len(acked), len(stored), p.Broken())
}

// A server that vanishes while a caller without a deadline reads.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	open(t, address, postgres.Options{Migrate: true})
	p, through := faulty(t, address, 1)
	s := open(t, through, postgres.Options{AnswerTimeout: silence, StatementTimeout: time.Second})
	p.Set(faultnet.Fault{Swallow: true})
	done := make(chan error, 1)
	go func() {
		_, err := s.Messaging().Heads(context.Background(), "ann")
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, errs.Unavailable) || errs.CodeOf(err) != "storage_unavailable" {
			t.Error(err)
		}
	case <-time.After(15 * time.Second):
		_ = p.Close()
		t.Fatal("the call still waits after 15 s: ", <-done)
	}
}
