package storagetest

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
)

func sessionRules() []rule {
	return []rule{
		{name: "sessions/session comes back", check: sessionComesBack,
			says: "Session returns a live session; ErrSessionNotFound."},
		{name: "sessions/rotation gives way to the successor", check: rotate,
			says: "The current refresh token gives way to the successor, and LastUsed, ExpiresAt, IP and UserAgent are set."},
		{name: "sessions/parent within the grace succeeds", check: rotateGrace,
			says: "The current one's immediate parent, within the grace after it was exchanged, changes nothing and is a success."},
		{name: "sessions/reuse ends the session", check: rotateReuse,
			says: "Any other token that the session ever had deletes the session: reused is true, with ErrTokenRevoked. ErrTokenInvalid for what no live session ever had."},
		{name: "sessions/expired token is refused", check: rotateExpired,
			says: "ErrTokenExpired after ExpiresAt."},
		{name: "sessions/parallel retries make one lineage", check: rotateRace,
			says: "RotateSession is atomic: concurrent retries of one token all succeed, with one successor."},
		{name: "sessions/list is by last use", check: sessionList,
			says: "Sessions returns a user's sessions that end after now, the most recently used first, then by id."},
		{name: "sessions/owners are those of what has not ended", check: sessionOwners,
			says: "Owners returns the users of those of the sessions that have not ended, by session id."},
		{name: "sessions/deleting is one's own", check: deleteSessions,
			says: "DeleteSession ends a user's session; ErrSessionNotFound, also for another user's. DeleteSessions ends all but one, and returns the ids of those ended, ascending."},
		{name: "sessions/signing keys are swapped whole", check: signingKeys,
			says: "SwapSigningKeys puts next in the place of all keys if those there are still the ones with the ids and states of before, in that order; false otherwise. SigningKeys returns all, the oldest first, then by id."},
		{name: "sessions/signing key race has one winner", check: signingKeyRace,
			says: "SwapSigningKeys is a compare and swap: of concurrent calls exactly one wins."},
		{name: "sessions/sweep drops what ended", check: sweep,
			says: "Sweep drops what ended before a time: challenges, one-use tokens, sessions with the hashes of their former tokens. It returns how many rows went."},
	}
}

// session makes one that was not stored yet.
func (r *R) session(userID string) auth.StoredSession {
	at := r.now()
	return auth.StoredSession{
		Session: auth.Session{
			ID: r.id("session"), UserID: userID, UserAgent: "Browser/1.0 (" + difficultTexts()[0] + ")", IP: "2001:db8::1",
			CreatedAt: at, LastUsed: at, ExpiresAt: at.Add(auth.RefreshTTL),
		},
		RefreshHash: r.hash("refresh"),
	}
}

// begin stores a new session.
func (r *R) begin(userID string) auth.StoredSession {
	s := r.session(userID)
	r.ok(r.store.Auth().CreateSession(r.ctx, s))
	return s
}

// rotation describes the exchange of a token at the present time.
func (r *R) rotation(presented []byte, agent string) auth.Rotation {
	at := r.now()
	return auth.Rotation{
		Presented: presented, Successor: r.hash("refresh"), Now: at, Grace: auth.RefreshGrace,
		ExpiresAt: at.Add(auth.RefreshTTL), IP: "192.0.2.7", UserAgent: agent,
	}
}

func (r *R) rotate(x auth.Rotation) auth.Session {
	s, reused, err := r.store.Auth().RotateSession(r.ctx, x)
	r.ok(err)
	r.same("reused", false, reused)
	return s
}

func (r *R) getSession(id string) auth.Session {
	s, err := r.store.Auth().Session(r.ctx, id)
	r.ok(err)
	return s
}

func (r *R) gone(id string) {
	_, err := r.store.Auth().Session(r.ctx, id)
	r.fails("session that ended", err, auth.ErrSessionNotFound)
}

func sessionComesBack(r *R) {
	u := r.people(1)[0]
	s := r.begin(u)
	r.same("session", s.Session, r.getSession(s.ID))
	r.gone(r.id("session"))
	r.gone(s.ID + "x")
}

func rotate(r *R) {
	s, beside := r.begin(r.id("user")), r.begin(r.id("user"))
	hash, want := s.RefreshHash, s.Session
	for i := range 3 {
		x := r.rotation(hash, fmt.Sprintf("agent %d", i))
		got := r.rotate(x)
		want.LastUsed, want.ExpiresAt, want.IP, want.UserAgent = x.Now, x.ExpiresAt, x.IP, x.UserAgent
		r.same("session after a rotation", want, got)
		r.same("session that is stored", want, r.getSession(s.ID))
		hash = x.Successor
	}
	r.same("session beside", beside.Session, r.getSession(beside.ID))
}

func rotateGrace(r *R) {
	s := r.begin(r.id("user"))
	first := r.rotation(s.RefreshHash, "first")
	r.rotate(first)
	want := r.getSession(s.ID)
	retry := r.rotation(s.RefreshHash, "retry")
	retry.Successor = first.Successor // both derive it from the token
	for _, after := range []time.Duration{0, time.Microsecond, retry.Grace - time.Microsecond} {
		retry.Now = first.Now.Add(after)
		r.same("what a retry within the grace returns", want, r.rotate(retry))
	}
	r.same("session after retries", want, r.getSession(s.ID))
	r.rotate(r.rotation(first.Successor, "second")) // still the current one
}

func rotateReuse(r *R) {
	// reuse presents a token that must end the session, and every token with it.
	reuse := func(what string, s auth.StoredSession, x auth.Rotation, others ...[]byte) {
		before := r.getSession(s.ID)
		got, reused, err := r.store.Auth().RotateSession(r.ctx, x)
		r.fails(what, err, auth.ErrTokenRevoked)
		r.same(what+": reused", true, reused)
		r.same(what+": session", before, got)
		r.gone(s.ID)
		for _, hash := range append(others, x.Presented) {
			x.Presented = hash
			_, reused, err = r.store.Auth().RotateSession(r.ctx, x)
			r.fails(what+": token of a dead session", err, auth.ErrTokenInvalid)
			r.same(what+": reused again", false, reused)
		}
	}
	s := r.begin(r.id("user"))
	first := r.rotation(s.RefreshHash, "first")
	r.rotate(first)
	late := r.rotation(s.RefreshHash, "late")
	late.Now = first.Now.Add(late.Grace + time.Microsecond)
	reuse("parent after the grace", s, late, first.Successor)

	s = r.begin(r.id("user"))
	first = r.rotation(s.RefreshHash, "first")
	r.rotate(first)
	second := r.rotation(first.Successor, "second")
	second.Now = first.Now.Add(time.Microsecond)
	r.rotate(second)
	grandparent := r.rotation(s.RefreshHash, "grandparent")
	grandparent.Now = second.Now
	reuse("grandparent within the grace", s, grandparent, second.Successor, first.Successor)

	beside := r.begin(r.id("user"))
	_, reused, err := r.store.Auth().RotateSession(r.ctx, r.rotation(r.hash("refresh"), "stranger"))
	r.fails("token that nobody had", err, auth.ErrTokenInvalid)
	r.same("reused", false, reused)
	r.same("session beside", beside.Session, r.getSession(beside.ID))
}

func rotateExpired(r *R) {
	s := r.begin(r.id("user"))
	x := r.rotation(s.RefreshHash, "late")
	x.Now = s.ExpiresAt.Add(micros(1))
	_, reused, err := r.store.Auth().RotateSession(r.ctx, x)
	r.fails("token after its end", err, auth.ErrTokenExpired)
	r.same("reused", false, reused)
	x.Now = s.ExpiresAt.Add(micros(-1))
	r.rotate(x)
}

func rotateRace(r *R) {
	for range 5 {
		s := r.begin(r.id("user"))
		x := r.rotation(s.RefreshHash, "retry")
		got := make([]auth.Session, 8)
		r.race(len(got), func(i int) { got[i] = r.rotate(x) })
		for _, g := range got {
			r.same("what a racing retry returned", r.getSession(s.ID), g)
		}
		r.rotate(r.rotation(x.Successor, "next"))
	}
}

func (r *R) sessions(userID string, now time.Time) (ids []string) {
	found, err := r.store.Auth().Sessions(r.ctx, userID, now)
	r.ok(err)
	for _, s := range found {
		ids = append(ids, s.ID)
	}
	return ids
}

func sessionList(r *R) {
	u := r.people(2)
	var all []auth.StoredSession
	for i := range 5 {
		s := r.session(u[0])
		if i == 2 { // the same moment as the one before
			s.LastUsed = all[1].LastUsed
		}
		all = append(all, s)
	}
	all[4].ExpiresAt = all[4].LastUsed.Add(time.Hour)
	for _, i := range r.rng.Perm(5) {
		r.ok(r.store.Auth().CreateSession(r.ctx, all[i]))
	}
	r.begin(u[1])
	end := all[4].ExpiresAt
	r.same("sessions before one ends", []string{all[4].ID, all[3].ID, all[1].ID, all[2].ID, all[0].ID},
		r.sessions(u[0], end.Add(micros(-1))))
	r.same("sessions after one ended", []string{all[3].ID, all[1].ID, all[2].ID, all[0].ID}, r.sessions(u[0], end))
	r.rotate(auth.Rotation{
		Presented: all[0].RefreshHash, Successor: r.hash("refresh"), Now: r.now(), Grace: auth.RefreshGrace, ExpiresAt: later(),
	})
	r.same("sessions after one was used", []string{all[0].ID, all[3].ID, all[1].ID, all[2].ID}, r.sessions(u[0], end))
	r.same("sessions of nobody", []string(nil), r.sessions(r.id("user"), epoch()))
}

func sessionOwners(r *R) {
	store, u := r.store.Auth(), r.people(2)
	a, b, c := r.begin(u[0]), r.begin(u[0]), r.begin(u[1])
	ids := []string{c.ID, r.id("session"), a.ID, b.ID, u[0]}
	owners := func() map[string]string {
		got, err := store.Owners(r.ctx, ids)
		r.ok(err)
		return got
	}
	r.same("owners", map[string]string{a.ID: u[0], b.ID: u[0], c.ID: u[1]}, owners())
	r.ok(store.DeleteSession(r.ctx, u[0], a.ID))
	r.same("owners after one has ended", map[string]string{b.ID: u[0], c.ID: u[1]}, owners())
	_, err := store.DeleteSessions(r.ctx, u[0], "")
	r.ok(err)
	r.same("owners after all of one user have", map[string]string{c.ID: u[1]}, owners())
	got, err := store.Owners(r.ctx, nil)
	r.ok(err)
	r.same("owners of none", 0, len(got))
}

func deleteSessions(r *R) {
	store, u := r.store.Auth(), r.people(2)
	a, b, c, foreign := r.begin(u[0]), r.begin(u[0]), r.begin(u[0]), r.begin(u[1])
	r.fails("another user's session", store.DeleteSession(r.ctx, u[1], a.ID), auth.ErrSessionNotFound)
	r.fails("unknown session", store.DeleteSession(r.ctx, u[0], r.id("session")), auth.ErrSessionNotFound)
	r.ok(store.DeleteSession(r.ctx, u[0], a.ID))
	r.gone(a.ID)
	r.fails("session that ended", store.DeleteSession(r.ctx, u[0], a.ID), auth.ErrSessionNotFound)
	_, _, err := store.RotateSession(r.ctx, r.rotation(a.RefreshHash, "dead"))
	r.fails("token of a session that ended", err, auth.ErrTokenInvalid)

	d := r.begin(u[0])
	ended, err := store.DeleteSessions(r.ctx, u[0], c.ID)
	r.ok(err)
	r.same("ended", []string{b.ID, d.ID}, ended)
	r.gone(b.ID)
	r.same("session that was kept", c.Session, r.getSession(c.ID))
	ended, err = store.DeleteSessions(r.ctx, u[0], "")
	r.ok(err)
	r.same("ended without keeping one", []string{c.ID}, ended)
	ended, err = store.DeleteSessions(r.ctx, u[0], "")
	r.ok(err)
	r.same("ended of none", []string(nil), ended)
	r.same("session of another user", foreign.Session, r.getSession(foreign.ID))
}

// signingKey makes a key. The keys of a store are all its own, so these rules
// begin by putting their own in the place of what is there.
func (r *R) signingKey(state auth.KeyState, at time.Time) auth.SigningKey {
	return auth.SigningKey{
		ID: r.id("kid"), Algorithm: "RS256", State: state, Private: r.hash("private"), Public: r.hash("public"), CreatedAt: at,
	}
}

func (r *R) signingKeys() []auth.SigningKey {
	keys, err := r.store.Auth().SigningKeys(r.ctx)
	r.ok(err)
	return keys
}

func (r *R) swap(before, next []auth.SigningKey) bool {
	ok, err := r.store.Auth().SwapSigningKeys(r.ctx, before, next)
	r.ok(err)
	return ok
}

func signingKeys(r *R) {
	at := r.now()
	older, first := r.signingKey(auth.KeyRetired, at), r.signingKey(auth.KeyCurrent, r.now())
	second := r.signingKey(auth.KeyAnnounced, first.CreatedAt)
	older.RetiredAt = r.now()
	r.same("first swap", true, r.swap(r.signingKeys(), []auth.SigningKey{second, first, older}))
	all := []auth.SigningKey{older, first, second}
	r.same("keys", all, r.signingKeys())

	next := slices.Clone(all)
	next[1].State, next[1].RetiredAt, next[2].State = auth.KeyRetired, r.now(), auth.KeyCurrent
	for what, before := range map[string][]auth.SigningKey{
		"swap of nothing":            nil,
		"swap of a part":             all[:2],
		"swap in another order":      {first, older, second},
		"swap of other states":       next,
		"swap of more than is there": append(slices.Clone(all), r.signingKey(auth.KeyAnnounced, r.now())),
	} {
		r.same(what, false, r.swap(before, next))
	}
	r.same("keys after refused swaps", all, r.signingKeys())
	bare := make([]auth.SigningKey, len(all)) // ids and states alone decide
	for i, k := range all {
		bare[i] = auth.SigningKey{ID: k.ID, State: k.State}
	}
	r.same("swap", true, r.swap(bare, next[1:]))
	r.same("keys after the swap", next[1:], r.signingKeys())
}

func signingKeyRace(r *R) {
	for range 5 {
		before := r.signingKeys()
		const n = 8
		next := make([][]auth.SigningKey, n)
		for i := range next {
			next[i] = []auth.SigningKey{r.signingKey(auth.KeyCurrent, r.now()), r.signingKey(auth.KeyAnnounced, r.now())}
		}
		var wins, winner atomic.Int32
		r.race(n, func(i int) {
			if r.swap(before, next[i]) {
				wins.Add(1)
				winner.Store(int32(i))
			}
		})
		r.same("winners of a swap", int32(1), wins.Load())
		r.same("keys of the winner", next[winner.Load()], r.signingKeys())
	}
}

func sweep(r *R) {
	store := r.store.Auth()
	u := r.people(2)
	// What other rules left is swept first, up to before this rule's own things.
	at := later().AddDate(10, 0, 0)
	_, err := store.Sweep(r.ctx, at)
	r.ok(err)
	end := at.Add(time.Hour)
	dead, live := r.session(u[0]), r.session(u[1])
	dead.ExpiresAt, live.ExpiresAt = end.Add(micros(-1)), end.Add(micros(1))
	for _, s := range []auth.StoredSession{dead, live} {
		r.ok(store.CreateSession(r.ctx, s))
	}
	deadToken, liveToken := r.oneUse(u[0], auth.VerifyEmail), r.oneUse(u[1], auth.VerifyEmail)
	deadToken.ExpiresAt, liveToken.ExpiresAt = dead.ExpiresAt, live.ExpiresAt
	r.ok(store.PutOneUse(r.ctx, deadToken))
	r.ok(store.PutOneUse(r.ctx, liveToken))
	deadChallenge, liveChallenge := r.challenge(), r.challenge()
	deadChallenge.ExpiresAt, liveChallenge.ExpiresAt = dead.ExpiresAt, live.ExpiresAt
	deadChallenge.SessionID, liveChallenge.SessionID = r.id("challenge"), r.id("challenge")
	r.ok(store.PutChallenge(r.ctx, deadChallenge))
	r.ok(store.PutChallenge(r.ctx, liveChallenge))
	_, err = store.Sweep(r.ctx, at) // the two that challenge() stored
	r.ok(err)

	n, err := store.Sweep(r.ctx, end)
	r.ok(err)
	if n < 3 {
		r.Fatalf("Sweep says that %d rows went, of a challenge, a token and a session", n)
	}
	r.gone(dead.ID)
	r.same("session that lives", live.Session, r.getSession(live.ID))
	_, err = store.TakeOneUse(r.ctx, deadToken.Hash, deadToken.Purpose, at)
	r.fails("token that ended", err, auth.ErrLinkExpired)
	_, err = store.TakeOneUse(r.ctx, liveToken.Hash, liveToken.Purpose, at)
	r.ok(err)
	_, err = r.try(deadChallenge, deadChallenge.CodeHash, at)
	r.fails("challenge that ended", err, auth.ErrSessionExpired)
	_, err = r.try(liveChallenge, liveChallenge.CodeHash, at)
	r.ok(err)
	n, err = store.Sweep(r.ctx, end)
	r.ok(err)
	r.same("rows of a second sweep", 0, n)
}
