package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// user is somebody signed up for the run.
type user struct{ id, token string }

// client makes the requests of the preparation; nothing in it is measured.
type client struct {
	base string
	http *http.Client
}

const signUpsAtOnce = 8

func newClient(base *url.URL) *client {
	return &client{base.String(), &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: signUpsAtOnce},
	}}
}

func (a *client) close() { a.http.CloseIdleConnections() }

// refused is an answer that is no success.
type refused struct {
	request string
	status  int
	body    string
}

func (r *refused) Error() string {
	return fmt.Sprintf("%s: %d %s", r.request, r.status, strings.TrimSpace(r.body))
}

// call makes a request and decodes the answer, unless that is nil.
func (a *client) call(ctx context.Context, method, path, token string, body, answer any) error {
	var in io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, a.base+path, in)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := a.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return &refused{method + " " + path, res.StatusCode, string(data)}
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(data, answer)
}

var errNotDev = errors.New("the server is not in development mode: it has no /dev/outbox, where codes of sign-up are read; " +
	"start it as `go run ./examples/server -limits=off`")

// signUp makes n users, some at a time.
func (b *bench) signUp(ctx context.Context, n int) ([]user, error) {
	b.say("signing up %d users", n)
	// Seven digits after +1 555 are nobody's; the start is drawn so that runs on
	// one database rarely meet the same numbers, which a server lets in some times a day.
	first := rand.IntN(10_000_000)
	users := make([]user, n)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(signUpsAtOnce)
	for i := range users {
		g.Go(func() (err error) {
			users[i], err = b.api.signUp(ctx, fmt.Sprintf("+1555%07d", (first+i)%10_000_000), fmt.Sprintf("Load %d", i))
			return err
		})
	}
	return users, g.Wait()
}

func (a *client) signUp(ctx context.Context, number, name string) (user, error) {
	var started struct{ SessionID string }
	if err := a.call(ctx, "POST", "/v1/auth/phone/start", "", map[string]any{"phoneNumber": number}, &started); err != nil {
		return user{}, fmt.Errorf("sign up: %w", err)
	}
	var outbox struct{ Items []struct{ Text string } }
	if err := a.call(ctx, "GET", "/dev/outbox?to="+url.QueryEscape(number), "", nil, &outbox); err != nil {
		if r, ok := errors.AsType[*refused](err); ok && r.status == http.StatusNotFound {
			return user{}, errNotDev
		}
		return user{}, err
	}
	if len(outbox.Items) == 0 {
		return user{}, fmt.Errorf("no code for %s in /dev/outbox", number)
	}
	var tokens struct {
		AccessToken string
		User        struct{ ID string }
	}
	err := a.call(ctx, "POST", "/v1/auth/phone/verify", "", map[string]any{
		"sessionId": started.SessionID, "code": code.FindString(outbox.Items[0].Text), "displayName": name,
	}, &tokens)
	return user{tokens.User.ID, tokens.AccessToken}, err
}

var code = regexp.MustCompile(`\b[0-9]{6}\b`)

// checkTarget refuses a server that this program cannot load: one without
// development mode, before anything else is asked of it.
func (a *client) checkTarget(ctx context.Context) error {
	err := a.call(ctx, "GET", "/dev/outbox?to=nobody", "", nil, nil)
	if r, ok := errors.AsType[*refused](err); ok && r.status == http.StatusNotFound {
		return errNotDev
	}
	return err
}

// openDirect opens the direct chat of two users.
func (a *client) openDirect(ctx context.Context, one, other user) (chat string, err error) {
	var answer struct{ ID string }
	err = a.call(ctx, "POST", "/v1/chats/direct", one.token, map[string]any{"userId": other.id}, &answer)
	return answer.ID, err
}

// maxMembers is how many the server takes in one call.
const maxMembers = 1000

// makeGroup makes a group of all users; the first one owns it.
func (a *client) makeGroup(ctx context.Context, name string, users []user) (chat string, err error) {
	ids := make([]string, 0, len(users))
	for _, u := range users[1:] {
		ids = append(ids, u.id)
	}
	first := ids[:min(len(ids), maxMembers-1)]
	var answer struct{ ID string }
	if err := a.call(ctx, "POST", "/v1/groups", users[0].token, map[string]any{"name": name, "memberIds": first}, &answer); err != nil {
		return "", fmt.Errorf("make group: %w", err)
	}
	for ids = ids[len(first):]; len(ids) > 0; {
		some := ids[:min(len(ids), maxMembers)]
		ids = ids[len(some):]
		if err := a.call(ctx, "POST", "/v1/groups/"+answer.ID+"/members", users[0].token, map[string]any{"userIds": some}, nil); err != nil {
			return "", fmt.Errorf("add members: %w", err)
		}
	}
	return answer.ID, nil
}
