package client

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/coder/websocket"

	"github.com/wigwag-chat/wigwag/errs"
	"github.com/wigwag-chat/wigwag/transport/api"
)

// Close codes of the server.
const (
	closeRestart         websocket.StatusCode = 1012
	closeUnauthenticated websocket.StatusCode = 4401
	closeOrigin          websocket.StatusCode = 4403
	closeSlow            websocket.StatusCode = 4408
	closeTooMany         websocket.StatusCode = 4409
	closeRateLimited     websocket.StatusCode = 4429
)

const (
	syncTimeout = 30 * time.Second // for what is missing, before the connection is given up
	renewBefore = time.Minute      // how long before a token's end, or half its life
)

// run makes connections, one after the other.
func (s *Socket) run(ctx context.Context) {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval, waits.Multiplier, waits.MaxInterval = s.c.opt.FirstWait, 2, s.c.opt.MaxWait
	refused := false // the present credentials, before they were ever taken
	for {
		began, token := time.Now(), s.c.tokens.access()
		l, err := s.dial(ctx, token)
		if err == nil {
			refused = false
			s.hello(l.hello)
			s.set(l, nil)
			s.status(nil)
			err = s.serve(ctx, l)
			s.set(nil, nil)
			token = l.token
		}
		if ctx.Err() != nil {
			s.set(nil, errClosed)
			return
		}
		s.status(err)
		if time.Since(began) > time.Second {
			waits.Reset()
		}
		wait := waits.NextBackOff()
		var ce websocket.CloseError
		errors.As(err, &ce)
		switch {
		case ce.Code == closeOrigin:
			s.set(nil, err)
			return
		case ce.Code == closeUnauthenticated || errors.Is(err, errs.Unauthenticated):
			e := s.renew(ctx, token)
			if refused || errors.Is(e, errs.Unauthenticated) {
				s.set(nil, errSignIn.Because(err))
				return
			}
			if refused = e == nil; refused {
				wait = 0
			}
		case ce.Code == closeRestart:
			var r struct{ RetryAfterMs int64 }
			if json.Unmarshal([]byte(ce.Reason), &r) == nil && r.RetryAfterMs > 0 {
				wait = time.Duration(r.RetryAfterMs+rand.Int64N(r.RetryAfterMs)) * time.Millisecond //nolint:gosec // to spread clients needs no secret
			}
		case ce.Code == closeSlow && time.Since(began) > time.Second:
			wait = 0
		case ce.Code == closeTooMany || ce.Code == closeRateLimited:
			wait = max(wait, s.c.opt.MaxWait/2)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

var errSignIn = errs.New(errs.Unauthenticated, "unauthenticated", "Sign in again.")

// renew gets other credentials than those that were refused.
func (s *Socket) renew(ctx context.Context, token string) error {
	if s.c.opt.Authorize != nil {
		return nil // which gives the present ones each time
	}
	_, err := s.c.refresh(ctx, token)
	return err
}

// tend fetches what is missing, pings, and renews the token before it ends.
func (s *Socket) tend(ctx context.Context, l *link) error {
	ping := time.NewTicker(s.opt.PingEvery)
	defer ping.Stop()
	renew := time.NewTimer(l.renewIn())
	defer renew.Stop()
	l.wake()
	for {
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-l.kick:
			err = s.catchUp(ctx, l)
		case <-ping.C:
			err = l.ping(ctx, s.opt.AnswerTimeout)
		case <-renew.C:
			err = s.renewInPlace(ctx, l)
			renew.Reset(l.renewIn())
		}
		if err != nil {
			return err
		}
	}
}

// catchUp fetches until nothing is missing, or enough waits for the application.
func (s *Socket) catchUp(ctx context.Context, l *link) error {
	for {
		s.mu.Lock()
		if len(s.queue) > maxQueue/2 || len(s.need) == 0 && s.userSeen <= s.have.UserSeq {
			s.mu.Unlock()
			return nil
		}
		ask := api.Sync{Epoch: s.have.Epoch, UserSeq: s.have.UserSeq, Chats: make(map[string]int64), Limit: new(s.limit)}
		for id := range s.need {
			if len(ask.Chats) < min(fetchChats, s.limit) {
				ask.Chats[id] = s.have.Chats[id]
				delete(s.need, id)
			}
		}
		s.mu.Unlock()

		f, err := l.call(ctx, syncTimeout, func(h api.FrameHead) any {
			h.Type = api.FrameSync
			return api.SyncFrame{FrameHead: h, Sync: ask}
		})
		if err != nil {
			s.mu.Lock()
			s.limit = max(1, s.limit/2)
			s.mu.Unlock()
			return err
		}
		if !f.OK {
			return failed(f)
		}
		var a api.SyncAnswer
		if err := json.Unmarshal(f.Data, &a); err != nil {
			return fmt.Errorf("client: sync: %w", err)
		}
		s.fetched(ask, a, l.hello)
	}
}

// renewInPlace gives the connection a newer token. Where there is none the
// connection ends with the old one, and is made anew.
func (s *Socket) renewInPlace(ctx context.Context, l *link) error {
	token, err := s.c.refresh(ctx, l.token)
	if err != nil {
		return nil //nolint:nilerr // as said above
	}
	f, err := l.call(ctx, s.opt.CallTimeout, func(h api.FrameHead) any {
		h.Type = api.FrameAuth
		return api.AuthFrame{FrameHead: h, Token: token}
	})
	if err == nil && f.OK {
		l.token = token
	}
	return err
}

// renewIn tells when the token is to be renewed, by the server's clock. Of a
// token that is no JWT (RFC 7519) nothing is known.
func (l *link) renewIn() time.Duration {
	var claims struct{ Exp, Iat float64 }
	parts := strings.Split(l.token, ".")
	if len(parts) != 3 {
		return 1 << 62
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(data, &claims) != nil || claims.Exp == 0 {
		return 1 << 62
	}
	life := time.Duration((claims.Exp - claims.Iat) * float64(time.Second))
	left := time.Duration(claims.Exp*float64(time.Second)) - time.Duration(l.hello.ServerTime.UnixNano())
	return max(left-min(renewBefore, life/2), time.Second)
}
