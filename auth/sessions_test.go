package auth_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/errs"
)

func TestRefresh(t *testing.T) {
	r := newRig(t, nil)
	first := r.byPhone(number)
	r.pass(time.Minute)
	second := r.keep(r.Refresh(t.Context(), first.RefreshToken, auth.Client{IP: "192.0.2.9", UserAgent: "newer"}))
	if second.RefreshToken == first.RefreshToken || second.SessionID != first.SessionID || second.UserID != first.UserID {
		t.Errorf("%+v", second)
	}
	r.pass(10 * time.Second)
	retry := r.keep(r.Refresh(t.Context(), first.RefreshToken, here))
	if retry.RefreshToken != second.RefreshToken {
		t.Error("the retry got another successor")
	}
	sessions, err := r.Sessions(t.Context(), first.UserID)
	if err != nil || len(sessions) != 1 || sessions[0].IP != "192.0.2.9" || sessions[0].UserAgent != "newer" ||
		!sessions[0].LastUsed.Equal(r.now.Add(-10*time.Second)) {
		t.Errorf("%+v, %v", sessions, err)
	}
	third := r.keep(r.Refresh(t.Context(), second.RefreshToken, here))
	_, err = r.Refresh(t.Context(), first.RefreshToken, here)
	is(t, "reuse", err, auth.ErrTokenRevoked)
	if !r.ended(first.SessionID) {
		t.Error("OnRevoked was not told")
	}
	_, err = r.Token(t.Context(), third.AccessToken)
	is(t, "its access token", err, auth.ErrTokenRevoked)
	_, err = r.Refresh(t.Context(), third.RefreshToken, here)
	is(t, "its youngest token", err, auth.ErrTokenInvalid)

	late := r.byPhone(number)
	r.pass(7 * 24 * time.Hour)
	_, err = r.Refresh(t.Context(), late.RefreshToken, here)
	is(t, "after seven days", err, auth.ErrTokenExpired)
	for _, bad := range []string{"", "wwr_", late.AccessToken, "wwr_" + strings.Repeat("A", 43), strings.TrimPrefix(late.RefreshToken, "wwr_"),
		late.RefreshToken + "=", late.RefreshToken + "\n", strings.Repeat("wwr_", 1<<18)} {
		_, err := r.Refresh(t.Context(), bad, here)
		is(t, "bad token", err, auth.ErrTokenInvalid)
	}
}

// Fifty who refresh with one token at once go on with one and the same successor.
func TestRefreshesAtOnce(t *testing.T) {
	r := newRig(t, nil)
	token := r.byPhone(number).RefreshToken
	for range 3 {
		got := make([]string, 50)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() { got[i] = r.keep(r.Refresh(t.Context(), token, here)).RefreshToken })
		}
		wg.Wait()
		for _, next := range got {
			if next != got[0] || next == token {
				t.Fatal("the lineage parted")
			}
		}
		token = got[0]
	}
	if len(r.revoked) != 0 {
		t.Errorf("ended %v", r.revoked)
	}
}

// Whatever former token comes back, at whatever time: the parent within its
// grace is a retry, anything older ends the session.
func TestRefreshProperty(t *testing.T) {
	r := newRig(t, func(c *auth.Config) {
		c.Limits = auth.Limits{CodesPerNumber: -1, CodesPerIP: -1, CodesPerPrefix: -1, RefreshesPerIP: -1, SessionsPerUser: 2}
	})
	p := gopter.NewProperties(nil)
	p.Property("one lineage", prop.ForAll(
		func(steps int, back int, wait int64) (string, error) {
			tokens := []string{r.byPhone(number).RefreshToken}
			for range steps {
				next, err := r.Refresh(t.Context(), tokens[len(tokens)-1], here)
				if err != nil {
					return "", err
				}
				tokens = append(tokens, next.RefreshToken)
			}
			r.pass(time.Duration(wait) * time.Second)
			back = min(back, steps)
			last := tokens[len(tokens)-1]
			got, err := r.Refresh(t.Context(), tokens[steps-back], here)
			switch {
			case back == 1 && wait <= 10:
				if err != nil || got.RefreshToken != last {
					return "a retry is refused", err
				}
			case back == 0:
				if err != nil {
					return "the current one is refused", err
				}
			case !errors.Is(err, auth.ErrTokenRevoked):
				return "a reuse is not noticed", err
			}
			return "", nil
		},
		gen.IntRange(0, 5), gen.IntRange(0, 5), gen.Int64Range(0, 20),
	))
	p.TestingRun(t)
}

func TestSessions(t *testing.T) {
	r := newRig(t, func(c *auth.Config) { c.Limits.SessionsPerUser = 3 })
	var all []auth.Tokens
	ids := func() (out []string) {
		sessions, err := r.Sessions(t.Context(), all[0].UserID)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sessions {
			out = append(out, s.ID)
		}
		return out
	}
	for range 4 {
		all = append(all, r.byPhone(number))
		r.pass(time.Second)
	}
	if want := []string{all[3].SessionID, all[2].SessionID, all[1].SessionID}; !cmp.Equal(ids(), want) || !r.ended(all[0].SessionID) {
		t.Errorf("%v, want %v; ended %v", ids(), want, r.revoked)
	}
	other := r.byPhone("+12025550124")
	is(t, "another's", r.Revoke(t.Context(), other.UserID, all[1].SessionID), auth.ErrSessionNotFound)
	is(t, "unknown", r.Revoke(t.Context(), other.UserID, strings.Repeat("x", 500)), auth.ErrSessionNotFound)
	is(t, "one", r.Revoke(t.Context(), other.UserID, other.SessionID), nil)
	_, err := r.Token(t.Context(), other.AccessToken)
	is(t, "its token", err, auth.ErrTokenRevoked)
	node := r.another()
	_, err = node.Token(t.Context(), all[1].AccessToken)
	is(t, "before, on another node", err, nil)
	is(t, "all others", r.RevokeOthers(t.Context(), all[3].UserID, all[3].SessionID), nil)
	_, err = node.Token(t.Context(), all[1].AccessToken)
	is(t, "at once, on another node", err, auth.ErrTokenRevoked)
	if !cmp.Equal(ids(), []string{all[3].SessionID}) || !r.ended(all[1].SessionID) || !r.ended(all[2].SessionID) {
		t.Errorf("left %v, ended %v", ids(), r.revoked)
	}
	is(t, "all", r.RevokeOthers(t.Context(), all[3].UserID, ""), nil)
	if len(ids()) != 0 {
		t.Errorf("left %v", ids())
	}
}

func TestClientIsCleaned(t *testing.T) {
	r := newRig(t, nil)
	for _, c := range []struct{ in, want auth.Client }{
		{auth.Client{IP: "::ffff:192.0.2.1", UserAgent: "a\x00b\xffc\nd"}, auth.Client{IP: "192.0.2.1", UserAgent: "abcd"}},
		{auth.Client{IP: "fe80::1%eth0", UserAgent: strings.Repeat("é", 151)}, auth.Client{IP: "fe80::1", UserAgent: strings.Repeat("é", 150)}},
		{auth.Client{IP: "nonsense", UserAgent: "x" + strings.Repeat("é", 5000)}, auth.Client{UserAgent: "x" + strings.Repeat("é", 149)}},
	} {
		ch, err := r.StartPhone(t.Context(), number, "", c.in)
		is(t, "start", err, nil)
		tokens := r.keep(r.VerifyPhone(t.Context(), ch.SessionID, r.code(), "", c.in))
		sessions, err := r.Sessions(t.Context(), tokens.UserID)
		if err != nil || !strings.Contains(sessions[0].ID, tokens.SessionID) && len(sessions) == 1 {
			t.Fatal(err)
		}
		for _, s := range sessions {
			if s.ID == tokens.SessionID && (s.IP != c.want.IP || s.UserAgent != c.want.UserAgent) {
				t.Errorf("%+v", s)
			}
		}
	}
}

func TestRequest(t *testing.T) {
	r := newRig(t, nil)
	tokens := r.byPhone(number)
	for header, want := range map[string]error{
		"Bearer " + tokens.AccessToken: nil, "bEARER  " + tokens.AccessToken: nil,
		"": auth.ErrUnauthenticated, "Bearer": auth.ErrUnauthenticated, "Bearer ": auth.ErrUnauthenticated, "Basic YTpi": auth.ErrUnauthenticated,
		tokens.AccessToken: auth.ErrUnauthenticated, "Bearer x": auth.ErrTokenInvalid, "Bearer " + tokens.RefreshToken: auth.ErrTokenInvalid,
		"Bearer " + strings.Repeat("x", 1<<20): auth.ErrTokenInvalid, "Bearer " + tokens.AccessToken + " x": auth.ErrTokenInvalid,
	} {
		req := httptest.NewRequest("GET", "/?access_token="+tokens.AccessToken, nil)
		if header != "" {
			req.Header.Set("Authorization", header)
		}
		who, err := r.Request(req)
		is(t, header[:min(len(header), 20)], err, want)
		if want == nil && who.UserID != tokens.UserID {
			t.Errorf("%+v", who)
		}
		if want != nil && errs.KindOf(err) != errs.Unauthenticated {
			t.Errorf("%v is no 401", err)
		}
	}
	req := httptest.NewRequest("GET", "/", nil)
	req.Header["Authorization"] = []string{"Bearer " + tokens.AccessToken, "Bearer " + tokens.AccessToken}
	_, err := r.Request(req)
	is(t, "two headers", err, auth.ErrUnauthenticated)
}

func TestRoles(t *testing.T) {
	r := newRig(t, func(c *auth.Config) { c.Admins = []string{"+1 202-555-0123", "ADA@example.org", "never matches"} })
	role := func(tokens auth.Tokens) auth.Role {
		who, err := r.Token(t.Context(), tokens.AccessToken)
		is(t, "token", err, nil)
		return who.Role
	}
	admin, plain := r.byPhone(number), r.byPhone("+12025550124")
	if role(admin) != auth.RoleAdmin || role(r.register(address, "ada")) != auth.RoleAdmin || role(plain) != auth.RoleUser {
		t.Error("the host's admins and nobody else")
	}
	is(t, "promote", r.SetRole(t.Context(), plain.UserID, auth.RoleModerator), nil)
	if plain = r.keep(r.Refresh(t.Context(), plain.RefreshToken, here)); role(plain) != auth.RoleModerator {
		t.Error("not promoted with the next token")
	}
	is(t, "demote", r.SetRole(t.Context(), plain.UserID, auth.RoleUser), nil)
	if role(plain) != auth.RoleUser {
		t.Error("not demoted at once")
	}
	is(t, "no role", r.SetRole(t.Context(), plain.UserID, "king"), errs.Invalid)
	is(t, "nobody", r.SetRole(t.Context(), "x", auth.RoleUser), auth.ErrAccountNotFound)
	_, err := r.Account(t.Context(), strings.Repeat("x", 200))
	is(t, "nobody", err, auth.ErrAccountNotFound)
}

// A name left empty, as an unset variable of the environment is, names nobody.
func TestNobodyIsAdminByAnEmptyName(t *testing.T) {
	r := newRig(t, func(c *auth.Config) { c.Admins = []string{""} })
	for _, tokens := range []auth.Tokens{r.byPhone(number), r.register(address, "ada")} {
		if who, err := r.Token(t.Context(), tokens.AccessToken); err != nil || who.Role != auth.RoleUser {
			t.Errorf("%+v, %v", who, err)
		}
	}
}
