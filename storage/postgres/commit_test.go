package postgres_test

import (
	"bytes"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/internal/pgtest"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/postgres"
)

// cutter stands between a store and its server, and cuts the connection that
// sends the next commit.
type cutter struct {
	target   string
	armed    atomic.Bool
	deliver  atomic.Bool // the commit still reaches the server, its answer is lost
	listener net.Listener
	wg       sync.WaitGroup
}

// between starts a cutter and returns the address of the database through it.
func between(t *testing.T, address string) (*cutter, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{target: u.Host, listener: listener}
	c.wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			c.wg.Go(func() { c.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.wg.Wait()
	})
	u.Host = listener.Addr().String()
	query := u.Query()
	query.Set("sslmode", "disable")
	u.RawQuery = query.Encode()
	return c, u.String()
}

func (c *cutter) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.target)
	if err != nil {
		return
	}
	defer server.Close()
	var mute atomic.Bool
	answered := make(chan struct{}, 1)
	c.wg.Go(func() {
		defer client.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if err != nil {
				return
			}
			if mute.Load() { // the server has answered the commit: now it may break
				answered <- struct{}{}
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		preparing := bytes.Contains(buf[:n], []byte("wigwag_commit\x00COMMIT\x00"))
		if !preparing && bytes.Contains(bytes.ToLower(buf[:n]), []byte("commit\x00")) && c.armed.CompareAndSwap(true, false) {
			if c.deliver.Load() {
				mute.Store(true)
				if _, err := server.Write(buf[:n]); err == nil {
					<-answered
				}
			}
			return
		}
		if _, err := server.Write(buf[:n]); err != nil {
			return
		}
	}
}

// When the connection breaks during a commit, success is told only if it is sure.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	address := pgtest.URL(t)
	cut, through := between(t, address)
	s := open(t, through, postgres.Options{Migrate: true})
	group(t, s, "chat", "ann", "bob")

	cut.deliver.Store(true)
	cut.armed.Store(true)
	got, err := send(t.Context(), s, "chat", "ann", "arrived")
	if err != nil || got.Message.Seq != 1 || got.Repeated {
		t.Errorf("the commit arrived, its answer did not: %+v, %v", got, err)
	}

	cut.deliver.Store(false)
	cut.armed.Store(true)
	if _, err := send(t.Context(), s, "chat", "ann", "lost"); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("the commit never arrived: %v", err)
	}
	// Nothing else is known of a mark, so nothing is claimed.
	cut.deliver.Store(true)
	cut.armed.Store(true)
	marked, err := s.Messaging().Mark(t.Context(), []messaging.Mark{{ChatID: "chat", UserID: "bob", UpTo: 1, At: noon}})
	if err == nil {
		err = marked[0].Err
	}
	if errs.KindOf(err) != errs.Unavailable {
		t.Errorf("a mark of unknown outcome: %v", err)
	}
	if cut.armed.Load() {
		t.Error("the connection was never cut")
	}

	// A retry finds what happened, or does it.
	for id, repeated := range map[string]bool{"arrived": true, "lost": false} {
		got, err := send(t.Context(), s, "chat", "ann", id)
		if err != nil || got.Repeated != repeated {
			t.Errorf("%s again: %+v, %v", id, got, err)
		}
	}
	view, err := s.Messaging().Chat(t.Context(), "bob", "chat")
	if err != nil || view.HeadSeq != 2 || view.Own.DeliveredSeq != 1 {
		t.Errorf("afterwards: %+v, %v", view, err)
	}
}
