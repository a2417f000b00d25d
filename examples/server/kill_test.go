package main_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/internal/pgtest"
)

const (
	writers    = 16
	readyIn    = 5 * time.Second
	sqliteKill = 30
	pgKill     = 10
)

func TestKilledOnSQLite(t *testing.T) {
	db := "sqlite:" + filepath.Join(t.TempDir(), "chat.db")
	surviveKills(t, db, sqliteKill)
}

func TestKilledOnPostgres(t *testing.T) {
	surviveKills(t, pgtest.URL(t), pgKill)
}

// acked is what the server acknowledged for one message.
type acked struct {
	ID   string
	Seq  int64
	Text string
}

// surviveKills lets writers send while the server is killed at random moments and
// started again, then reads everything back: what was acknowledged is there
// once, where the acknowledgement said, in the order in which each writer sent it.
func surviveKills(t *testing.T, db string, kills int) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))

	p := newProcess(t, db)
	p.start(t)
	people := make([]account, writers)
	ids := make([]string, writers)
	for i := range people {
		people[i] = p.signUp(t, fmt.Sprintf("+1415555%04d", 2600+i))
		ids[i] = people[i].id
	}
	var group struct{ ID string }
	p.must(t, "POST", "/v1/groups", people[0].token, map[string]any{"name": "Hot", "memberIds": ids[1:]}, &group)

	var stop atomic.Bool
	var wg sync.WaitGroup
	sent := make([][]acked, writers)
	for w := range people {
		wg.Go(func() { sent[w] = write(t, p, people[w], group.ID, w, &stop) })
	}
	var slowest time.Duration
	for range kills {
		time.Sleep(time.Duration(50+rnd.IntN(350)) * time.Millisecond) // the random moment
		p.kill()
		slowest = max(slowest, p.start(t))
	}
	stop.Store(true)
	wg.Wait()
	if slowest > readyIn {
		t.Errorf("it took %v until the server was ready again, want at most %v", slowest, readyIn)
	}
	verify(t, p, people[0], group.ID, sent)
	total := 0
	for _, s := range sent {
		total += len(s)
	}
	t.Logf("%d kills, %d messages acknowledged, slowest start %v", kills, total, slowest)
}

// write sends numbered messages one after the other. Without an acknowledgement
// it sends the same one again under the same client id.
func write(t *testing.T, p *process, who account, chat string, w int, stop *atomic.Bool) (sent []acked) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for n := 0; !stop.Load(); n++ {
		text := fmt.Sprintf("w%d-%d", w, n)
		body := map[string]any{"text": text, "clientId": text}
		for {
			var ack acked
			err := p.call(client, "POST", "/v1/chats/"+chat+"/messages", who.token, body, &ack)
			if err == nil {
				sent = append(sent, ack)
				break
			}
			if isRefused(err) && err.(*refused).status != http.StatusServiceUnavailable {
				t.Errorf("writer %d: %v", w, err)
				return sent
			}
			time.Sleep(5 * time.Millisecond) // the server is down
		}
	}
	return sent
}

func verify(t *testing.T, p *process, reader account, chat string, sent [][]acked) {
	t.Helper()
	stored := make(map[string]acked)
	var last int64
	next := make([]int, len(sent)) // of each writer, the number that comes next
	for {
		var page struct{ Items []acked }
		p.must(t, "GET", fmt.Sprintf("/v1/chats/%s/messages?after=%d&limit=200", chat, last), reader.token, nil, &page)
		if len(page.Items) == 0 {
			break
		}
		for _, m := range page.Items {
			if m.Seq != last+1 {
				t.Fatalf("message %s has sequence %d after %d", m.ID, m.Seq, last)
			}
			last = m.Seq
			if old, twice := stored[m.Text]; twice {
				t.Errorf("%s is stored twice, at %d and %d", m.Text, old.Seq, m.Seq)
			}
			stored[m.Text] = m
			var w, n int
			if _, err := fmt.Sscanf(m.Text, "w%d-%d", &w, &n); err != nil {
				t.Fatalf("strange message %q", m.Text)
			}
			if n != next[w] {
				t.Errorf("writer %d: message %d at sequence %d, want message %d", w, n, m.Seq, next[w])
			}
			next[w] = n + 1
		}
	}
	for _, acks := range sent {
		for _, a := range acks {
			if stored[a.Text] != a {
				t.Errorf("acknowledged %+v, stored %+v", a, stored[a.Text])
			}
		}
	}
}

var tempDir = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "wigwag-server-") })

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := tempDir(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}
