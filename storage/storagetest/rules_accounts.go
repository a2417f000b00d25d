package storagetest

import (
	"strings"
	"sync/atomic"

	"github.com/wigwag-chat/wigwag/auth"
)

func accountRules() []rule {
	return []rule{
		{name: "accounts/phone has one account", check: phoneAccount,
			says: "EnsurePhone returns the account with a's phone number, made from a if there is none."},
		{name: "accounts/phone race makes one account", check: phoneRace,
			says: "EnsurePhone is atomic: of concurrent calls for a number one creates the account, and all get it."},
		{name: "accounts/e-mail address has one account", check: emailAccount,
			says: "CreateAccount stores an account whose e-mail address is unique under emailKey: ErrEmailTaken."},
		{name: "accounts/e-mail race makes one account", check: emailRace,
			says: "CreateAccount is atomic: of concurrent calls for an address exactly one succeeds."},
		{name: "accounts/unknown ones are not found", check: unknownAccount,
			says: "Account, AccountByPhone and AccountByEmail return an account; ErrAccountNotFound."},
		{name: "accounts/password is compared and swapped", check: setPassword,
			says: "SetPassword replaces a password hash if it is still old; false otherwise."},
		{name: "accounts/changes are kept", check: accountChanges,
			says: "SetRole, MarkLogin and MarkEmailVerified record what they say; the latter if the address is still the account's."},
		{name: "accounts/deleting takes sessions and tokens along", check: deleteAccount,
			says: "DeleteAccount removes an account, its sessions and tokens; an unknown one is no error."},
		{name: "accounts/one-use token works once", check: oneUse,
			says: "TakeOneUse uses a token up: ErrLinkExpired when unknown, used, expired or for another purpose. PutOneUse drops others of the same user and purpose."},
		{name: "accounts/one-use token race has one winner", check: oneUseRace,
			says: "TakeOneUse uses a token up: of concurrent calls exactly one gets it."},
	}
}

// account makes an account by phone, not stored yet.
func (r *R) account() auth.Account {
	at := r.now()
	return auth.Account{
		ID: r.id("user"), Phone: r.phone(), Role: auth.RoleUser, Active: true, CreatedAt: at, UpdatedAt: at,
	}
}

// phone returns a new number, E.164.
func (r *R) phone() string {
	digits := strings.NewReplacer("a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6", ".", "")
	return "+1" + digits.Replace(r.id("555"))
}

// mailAccount makes and stores an account by e-mail.
func (r *R) mailAccount() (a auth.Account, emailKey string) {
	a = r.account()
	a.Phone, a.Email = "", r.id("Ada")+"@Example.ORG"
	a.PasswordHash = "$2a$12$" + a.ID
	emailKey = strings.ToLower(a.Email)
	r.ok(r.store.Auth().CreateAccount(r.ctx, a, emailKey))
	return a, emailKey
}

func (r *R) getAccount(id string) auth.Account {
	a, err := r.store.Auth().Account(r.ctx, id)
	r.ok(err)
	return a
}

func phoneAccount(r *R) {
	a := r.account()
	a.LastLogin = r.now()
	got, created, err := r.store.Auth().EnsurePhone(r.ctx, a)
	r.ok(err)
	r.same("created", true, created)
	r.same("account that was made", a, got)
	other := r.account()
	other.Phone = a.Phone
	got, created, err = r.store.Auth().EnsurePhone(r.ctx, other)
	r.ok(err)
	r.same("created again", false, created)
	r.same("account that was there", a, got)
	r.same("account by id", a, r.getAccount(a.ID))
	got, err = r.store.Auth().AccountByPhone(r.ctx, a.Phone)
	r.ok(err)
	r.same("account by phone", a, got)
	_, err = r.store.Auth().Account(r.ctx, other.ID)
	r.fails("account of the second call", err, auth.ErrAccountNotFound)
}

func phoneRace(r *R) {
	for range 5 {
		phone := r.phone()
		const n = 8
		all := make([]auth.Account, n)
		for i := range all {
			all[i] = r.account()
			all[i].Phone = phone
		}
		var made atomic.Int32
		r.race(n, func(i int) {
			got, created, err := r.store.Auth().EnsurePhone(r.ctx, all[i])
			r.ok(err)
			if created {
				made.Add(1)
			}
			all[i] = got
		})
		r.same("accounts made", int32(1), made.Load())
		for _, a := range all {
			r.same("account that a racing call got", r.getAccount(all[0].ID), a)
		}
	}
}

func emailAccount(r *R) {
	a, key := r.mailAccount()
	r.same("account by id", a, r.getAccount(a.ID))
	got, err := r.store.Auth().AccountByEmail(r.ctx, key)
	r.ok(err)
	r.same("account by e-mail", a, got)
	other := r.account()
	other.Phone, other.Email = "", strings.ToUpper(a.Email)
	r.fails("second account of an address", r.store.Auth().CreateAccount(r.ctx, other, key), auth.ErrEmailTaken)
	_, err = r.store.Auth().Account(r.ctx, other.ID)
	r.fails("account that was refused", err, auth.ErrAccountNotFound)
	// The key decides, byte by byte; the address is kept as written.
	r.ok(r.store.Auth().CreateAccount(r.ctx, other, strings.ToUpper(key)))
	r.same("account under another key", other, r.getAccount(other.ID))
	// Accounts without a phone number do not share one.
	b, _ := r.mailAccount()
	r.same("second account without a phone number", b, r.getAccount(b.ID))
}

func emailRace(r *R) {
	for range 5 {
		key := r.id("ada") + "@example.org"
		const n = 8
		all := make([]auth.Account, n)
		for i := range all {
			all[i] = r.account()
			all[i].Phone, all[i].Email = "", key
		}
		var made atomic.Int32
		r.race(n, func(i int) {
			if err := r.store.Auth().CreateAccount(r.ctx, all[i], key); err != nil {
				r.fails("account of one who lost", err, auth.ErrEmailTaken)
				return
			}
			made.Add(1)
		})
		r.same("accounts made", int32(1), made.Load())
	}
}

func unknownAccount(r *R) {
	store := r.store.Auth()
	a := r.account()
	_, _, err := store.EnsurePhone(r.ctx, a)
	r.ok(err)
	for _, id := range []string{r.id("user"), a.ID + "x", strings.ToUpper(a.ID), ""} {
		_, err = store.Account(r.ctx, id)
		r.fails("unknown account", err, auth.ErrAccountNotFound)
	}
	for _, key := range []string{r.phone(), a.Phone[1:], ""} {
		_, err = store.AccountByPhone(r.ctx, key)
		r.fails("unknown phone number", err, auth.ErrAccountNotFound)
		_, err = store.AccountByEmail(r.ctx, key)
		r.fails("unknown e-mail address", err, auth.ErrAccountNotFound)
	}
	r.fails("role of an unknown account", store.SetRole(r.ctx, r.id("user"), auth.RoleAdmin, r.now()), auth.ErrAccountNotFound)
	set, err := store.SetPassword(r.ctx, r.id("user"), "", "hash", r.now())
	r.same("password of an unknown account was set", false, set)
	if err != nil {
		r.fails("password of an unknown account", err, auth.ErrAccountNotFound)
	}
}

func setPassword(r *R) {
	store := r.store.Auth()
	a, _ := r.mailAccount()
	at := r.now()
	for _, old := range []string{"", a.PasswordHash + "x", strings.ToUpper(a.PasswordHash)} {
		set, err := store.SetPassword(r.ctx, a.ID, old, "new", at)
		r.ok(err)
		r.same("set over another hash", false, set)
	}
	r.same("account after refused passwords", a, r.getAccount(a.ID))
	set, err := store.SetPassword(r.ctx, a.ID, a.PasswordHash, "new", at)
	r.ok(err)
	r.same("set", true, set)
	a.PasswordHash, a.UpdatedAt = "new", at
	r.same("account with a new password", a, r.getAccount(a.ID))
	var wins atomic.Int32
	r.race(8, func(i int) {
		set, err := store.SetPassword(r.ctx, a.ID, "new", string(rune('a'+i)), at)
		r.ok(err)
		if set {
			wins.Add(1)
		}
	})
	r.same("winners of a password race", int32(1), wins.Load())
}

func accountChanges(r *R) {
	store := r.store.Auth()
	a, _ := r.mailAccount()
	other, _ := r.mailAccount()
	at := r.now()
	r.ok(store.SetRole(r.ctx, a.ID, auth.RoleModerator, at))
	a.Role, a.UpdatedAt = auth.RoleModerator, at
	r.same("account with a new role", a, r.getAccount(a.ID))

	at = r.now()
	r.ok(store.MarkLogin(r.ctx, a.ID, at))
	got := r.getAccount(a.ID)
	a.LastLogin, a.UpdatedAt = at, got.UpdatedAt
	r.same("account after a sign-in", a, got)

	// Whether another address is an error is not said; it must change nothing.
	_ = store.MarkEmailVerified(r.ctx, a.ID, other.Email, r.now())
	r.same("account after proof of another address", a, r.getAccount(a.ID))
	r.ok(store.MarkEmailVerified(r.ctx, a.ID, a.Email, at))
	got = r.getAccount(a.ID)
	a.EmailVerified, a.UpdatedAt = true, got.UpdatedAt
	r.same("account after proof of its address", a, got)
	r.same("another account", other, r.getAccount(other.ID))
}

func deleteAccount(r *R) {
	store := r.store.Auth()
	a, key := r.mailAccount()
	bystander, _ := r.mailAccount()
	phone := r.account()
	_, _, err := store.EnsurePhone(r.ctx, phone)
	r.ok(err)
	s, kept := r.session(a.ID), r.session(bystander.ID)
	r.ok(store.CreateSession(r.ctx, s))
	r.ok(store.CreateSession(r.ctx, kept))
	token, keptToken := r.oneUse(a.ID, auth.ResetPassword), r.oneUse(bystander.ID, auth.ResetPassword)
	r.ok(store.PutOneUse(r.ctx, token))
	r.ok(store.PutOneUse(r.ctx, keptToken))

	r.ok(store.DeleteAccount(r.ctx, a.ID))
	r.ok(store.DeleteAccount(r.ctx, a.ID))
	r.ok(store.DeleteAccount(r.ctx, phone.ID))
	_, err = store.Account(r.ctx, a.ID)
	r.fails("deleted account", err, auth.ErrAccountNotFound)
	_, err = store.AccountByEmail(r.ctx, key)
	r.fails("deleted account by e-mail", err, auth.ErrAccountNotFound)
	_, err = store.Session(r.ctx, s.ID)
	r.fails("session of a deleted account", err, auth.ErrSessionNotFound)
	_, _, err = store.RotateSession(r.ctx, r.rotation(s.RefreshHash, "next"))
	r.fails("refresh token of a deleted account", err, auth.ErrTokenInvalid)
	_, err = store.TakeOneUse(r.ctx, token.Hash, token.Purpose, epoch())
	r.fails("one-use token of a deleted account", err, auth.ErrLinkExpired)

	r.same("account beside", bystander, r.getAccount(bystander.ID))
	_, err = store.Session(r.ctx, kept.ID)
	r.ok(err)
	_, err = store.TakeOneUse(r.ctx, keptToken.Hash, keptToken.Purpose, epoch())
	r.ok(err)
	// Number and address are free again.
	again := r.account()
	again.Phone = phone.Phone
	_, created, err := store.EnsurePhone(r.ctx, again)
	r.ok(err)
	r.same("created under a number that was free again", true, created)
	r.ok(store.CreateAccount(r.ctx, auth.Account{ID: r.id("user"), Email: a.Email, CreatedAt: epoch(), UpdatedAt: epoch()}, key))
}

// oneUse makes a token, not stored yet, that ends late.
func (r *R) oneUse(userID string, p auth.Purpose) auth.OneUse {
	return auth.OneUse{
		Hash: r.hash("one use"), Purpose: p, UserID: userID, Email: "a@example.org", ExpiresAt: later(),
	}
}

// hash returns 32 bytes that are no text, the same for no two calls.
func (r *R) hash(of string) []byte {
	h := make([]byte, 32)
	copy(h, r.id(of))
	h[30], h[31] = 0, 0xff
	return h
}

func oneUse(r *R) {
	store := r.store.Auth()
	u := r.people(2)
	t := r.oneUse(u[0], auth.VerifyEmail)
	r.ok(store.PutOneUse(r.ctx, t))
	beside := r.oneUse(u[0], auth.ResetPassword)
	r.ok(store.PutOneUse(r.ctx, beside))
	another := r.oneUse(u[1], auth.VerifyEmail)
	r.ok(store.PutOneUse(r.ctx, another))

	refuse := func(what string, hash []byte, p auth.Purpose, after int) {
		now := t.ExpiresAt.Add(micros(after))
		_, err := store.TakeOneUse(r.ctx, hash, p, now)
		r.fails(what, err, auth.ErrLinkExpired)
	}
	refuse("unknown token", r.hash("one use"), auth.VerifyEmail, -1)
	refuse("token for another purpose", t.Hash, auth.ResetPassword, -1)
	refuse("token after its end", t.Hash, auth.VerifyEmail, 1)
	got, err := store.TakeOneUse(r.ctx, t.Hash, auth.VerifyEmail, t.ExpiresAt.Add(micros(-1)))
	r.ok(err)
	r.same("token", t, got)
	refuse("used token", t.Hash, auth.VerifyEmail, -1)

	newer := r.oneUse(u[0], auth.ResetPassword)
	r.ok(store.PutOneUse(r.ctx, newer))
	refuse("token that a newer one replaced", beside.Hash, auth.ResetPassword, -1)
	for _, left := range []auth.OneUse{newer, another} {
		_, err = store.TakeOneUse(r.ctx, left.Hash, left.Purpose, epoch())
		r.ok(err)
	}
}

func oneUseRace(r *R) {
	for range 5 {
		t := r.oneUse(r.id("user"), auth.ResetPassword)
		r.ok(r.store.Auth().PutOneUse(r.ctx, t))
		var wins atomic.Int32
		r.race(8, func(int) {
			if _, err := r.store.Auth().TakeOneUse(r.ctx, t.Hash, t.Purpose, epoch()); err != nil {
				r.fails("token of one who lost", err, auth.ErrLinkExpired)
				return
			}
			wins.Add(1)
		})
		r.same("winners of a one-use token", int32(1), wins.Load())
	}
}
