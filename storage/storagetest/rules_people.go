package storagetest

import (
	"slices"
	"strings"
	"sync/atomic"

	"github.com/wigwag-chat/wigwag/keys"
	"github.com/wigwag-chat/wigwag/users"
)

func keyRules() []rule {
	return []rule{
		{name: "keys/secret comes back byte for byte", check: secretComesBack,
			says: "Secret returns the value stored under name, or ErrNoSecret; a value is opaque, up to 8 KiB."},
		{name: "keys/first secret wins", check: firstSecretWins,
			says: "PutSecret stores sealed under name unless something stands there, and returns what is stored now: the first value put, for every caller, however many nodes put at once."},
	}
}

func secretComesBack(r *R) {
	store := r.store.Keys()
	_, err := store.Secret(r.ctx, "none-"+r.prefix+"x")
	r.fails("secret that nobody put", err, keys.ErrNoSecret)
	long := make([]byte, 8<<10)
	for i := range long {
		long[i] = byte(i)
	}
	for name, value := range map[string][]byte{
		"a." + r.prefix + "/b_c-d": long,
		// The longest name, and one that is a prefix of another.
		r.prefix + strings.Repeat("n", 100-len(r.prefix)): []byte("x"),
		"a." + r.prefix + "/b":                            {0},
	} {
		now, err := store.PutSecret(r.ctx, name, value)
		r.ok(err)
		r.same("what PutSecret returns", value, now)
		got, err := store.Secret(r.ctx, name)
		r.ok(err)
		r.same("secret "+name, value, got)
	}
}

func firstSecretWins(r *R) {
	store := r.store.Keys()
	for range 5 {
		name := strings.ToLower(r.id("race"))
		const n = 8
		got := make([]string, n)
		r.race(n, func(i int) {
			now, err := store.PutSecret(r.ctx, name, []byte{byte('a' + i)})
			r.ok(err)
			got[i] = string(now)
		})
		stored, err := store.Secret(r.ctx, name)
		r.ok(err)
		for _, g := range got {
			r.same("what a racing PutSecret returned", string(stored), g)
		}
	}
}

func userRules() []rule {
	return []rule{
		{name: "users/profile comes back", check: profileComesBack,
			says: "Create stores a profile unless its id has one; created tells. Times are UTC in whole microseconds."},
		{name: "users/create leaves a known one alone", check: createTwice,
			says: "Create stores a profile unless its id has one."},
		{name: "users/username has one owner", check: usernameUnique,
			says: "UsernameKey is unique, compared byte by byte; none is not unique. ErrUsernameTaken."},
		{name: "users/username race has one winner", check: usernameRace,
			says: "Of concurrent claims of one UsernameKey exactly one wins, the others get ErrUsernameTaken."},
		{name: "users/replace compares and swaps", check: replaceSwaps,
			says: "Replace stores a profile over the one with the same id if that one's UpdatedAt is still the one given, else ErrChanged. CreatedAt stays. ErrUserNotFound, ErrUsernameTaken."},
		{name: "users/replace race has one winner", check: replaceRace,
			says: "Replace is a compare and swap: of concurrent ones that read the same exactly one wins."},
		{name: "users/profiles are by id ascending", check: profilesAscending,
			says: "Profiles returns those of the ids that exist, by id ascending, compared byte by byte. At most 1,000 ids."},
	}
}

func (r *R) profile(username string) users.StoredProfile {
	at := r.now()
	p := users.StoredProfile{Profile: users.Profile{
		UserID: r.id("user"), DisplayName: "Somebody", CreatedAt: at, UpdatedAt: at,
	}}
	if username != "" {
		p.Username, p.UsernameKey = strings.ToUpper(username), username
	}
	return p
}

func (r *R) createProfile(p users.StoredProfile) {
	created, err := r.store.Users().Create(r.ctx, p)
	r.ok(err)
	r.same("created", true, created)
}

func (r *R) profiles(ids ...string) []users.StoredProfile {
	found, err := r.store.Users().Profiles(r.ctx, ids)
	r.ok(err)
	return found
}

func profileComesBack(r *R) {
	p := r.profile(r.id("name"))
	texts := difficultTexts()
	p.DisplayName, p.FullName, p.Bio = texts[0], texts[1], texts[2]
	p.PictureID, p.Language = r.id("media"), "sr-Latn-RS"
	p.UpdatedAt = r.now()
	r.createProfile(p)
	r.same("profiles", []users.StoredProfile{p}, r.profiles(p.UserID))
	found, err := r.store.Users().ByUsername(r.ctx, p.UsernameKey)
	r.ok(err)
	r.same("profile by username", p, found)
	for _, key := range []string{"", p.Username, p.UsernameKey + "x", p.UsernameKey[:len(p.UsernameKey)-1]} {
		_, err := r.store.Users().ByUsername(r.ctx, key)
		r.fails("profile by another username", err, users.ErrUserNotFound)
	}
}

func createTwice(r *R) {
	p := r.profile(r.id("name"))
	r.createProfile(p)
	again := p
	again.DisplayName, again.UsernameKey = "Another", r.id("name")
	for _, other := range []users.StoredProfile{p, again} {
		created, err := r.store.Users().Create(r.ctx, other)
		r.ok(err)
		r.same("created", false, created)
	}
	r.same("profiles", []users.StoredProfile{p}, r.profiles(p.UserID))
}

func usernameUnique(r *R) {
	key := r.id("name")
	first := r.profile(key)
	r.createProfile(first)
	second := r.profile(key)
	created, err := r.store.Users().Create(r.ctx, second)
	r.fails("create with a taken username", err, users.ErrUsernameTaken)
	r.same("created", false, created)
	r.same("profiles", []users.StoredProfile{first}, r.profiles(first.UserID, second.UserID))
	// Byte by byte: another case is another key.
	r.createProfile(r.profile(strings.ToUpper(key)))
	// None is not unique.
	r.createProfile(r.profile(""))
	second.UsernameKey, second.Username = "", ""
	r.createProfile(second)
	// Taken over by Replace alone when it was given back.
	second.UsernameKey = key
	r.fails("replace by a taken username", r.store.Users().Replace(r.ctx, second, second.UpdatedAt), users.ErrUsernameTaken)
	given := first
	given.UsernameKey = r.id("name")
	r.ok(r.store.Users().Replace(r.ctx, given, first.UpdatedAt))
	r.ok(r.store.Users().Replace(r.ctx, second, second.UpdatedAt))
	owner, err := r.store.Users().ByUsername(r.ctx, key)
	r.ok(err)
	r.same("owner of the username", second.UserID, owner.UserID)
}

func usernameRace(r *R) {
	for range 5 {
		key := r.id("name")
		const n = 8
		claims := make([]users.StoredProfile, n)
		for i := range claims {
			claims[i] = r.profile(key)
		}
		var wins atomic.Int32
		r.race(n, func(i int) {
			created, err := r.store.Users().Create(r.ctx, claims[i])
			if created && err == nil {
				wins.Add(1)
				return
			}
			r.fails("create of one who lost", err, users.ErrUsernameTaken)
		})
		r.same("winners of a username", int32(1), wins.Load())
	}
}

func replaceSwaps(r *R) {
	p := r.profile(r.id("name"))
	r.createProfile(p)
	next := p
	next.DisplayName, next.UpdatedAt, next.CreatedAt = "Next", r.now(), r.now()
	r.fails("replace of an unknown one", r.store.Users().Replace(r.ctx, r.profile(""), p.UpdatedAt), users.ErrUserNotFound)
	for _, readAt := range []int{-1, 1} { // microseconds
		err := r.store.Users().Replace(r.ctx, next, p.UpdatedAt.Add(micros(readAt)))
		r.fails("replace of one that was changed", err, users.ErrChanged)
	}
	r.same("profile after refused replaces", []users.StoredProfile{p}, r.profiles(p.UserID))
	r.ok(r.store.Users().Replace(r.ctx, next, p.UpdatedAt))
	next.CreatedAt = p.CreatedAt
	r.same("profile after a replace", []users.StoredProfile{next}, r.profiles(p.UserID))
	r.fails("the same replace again", r.store.Users().Replace(r.ctx, next, p.UpdatedAt), users.ErrChanged)
}

func replaceRace(r *R) {
	p := r.profile("")
	r.createProfile(p)
	const n = 8
	var wins atomic.Int32
	updates := make([]users.StoredProfile, n)
	for i := range updates {
		updates[i] = p
		updates[i].UpdatedAt = r.now()
	}
	r.race(n, func(i int) {
		err := r.store.Users().Replace(r.ctx, updates[i], p.UpdatedAt)
		if err == nil {
			wins.Add(1)
			return
		}
		r.fails("replace of one who lost", err, users.ErrChanged)
	})
	r.same("winners of a replace", int32(1), wins.Load())
}

func profilesAscending(r *R) {
	var ids []string
	for _, suffix := range difficultIDs() {
		p := r.profile("")
		p.UserID = r.prefix + suffix
		r.createProfile(p)
		ids = append(ids, p.UserID)
	}
	r.rng.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	asked := slices.Clone(ids)
	for len(asked) < 999 {
		asked = append(asked, r.prefix+"nobody"+strings.Repeat("x", len(asked)%7))
	}
	var got []string
	for _, p := range r.profiles(append(asked, ids[0])...) {
		got = append(got, p.UserID)
	}
	slices.Sort(ids)
	r.same("ids", ids, got)
	r.same("profiles of nobody", []users.StoredProfile(nil), r.profiles())
}
