package bunstore_test

import (
	"testing"
	"time"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/storage/internal/bunstore"
	"github.com/wigwag-chat/wigwag/users"
)

// everything calls each method of the ports once or more, so that each of its
// statements runs. What the calls answer is storagetest's matter.
func everything(t *testing.T, s *bunstore.Store) {
	t.Helper()
	ctx, m := t.Context(), s.Messaging()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	group(t, s, "chat", "ann", "bob", "cid")
	pair := []messaging.NewMember{{UserID: "ann", Role: messaging.RoleMember}, {UserID: "bob", Role: messaging.RoleMember}}
	for range 2 {
		_, err := m.CreateChat(ctx, messaging.NewChat{ID: "pair", Kind: messaging.Direct, CreatedBy: "ann", ClientID: "p", Members: pair, CreatedAt: noon})
		ok(err)
		_, err = m.Append(ctx, []messaging.NewMessage{message("chat", "ann", "m1"), message("chat", "bob", "m2"), message("pair", "bob", "m3")})
		ok(err)
	}
	_, err := m.CreateChat(ctx, messaging.NewChat{ID: "chat", Kind: messaging.Group, CreatedBy: "ann", ClientID: "?", Members: pair[:1], CreatedAt: noon})
	if err == nil {
		t.Fatal("a chat's id was given twice")
	}
	_, err = m.Mark(ctx, []messaging.Mark{{ChatID: "chat", UserID: "bob", Read: true, UpTo: 1, At: noon}, {ChatID: "pair", UserID: "ann", UpTo: 1, At: noon}})
	ok(err)
	_, err = m.Edit(ctx, messaging.EditMessage{ChatID: "chat", MessageID: "m1", EditorID: "ann", Revision: 2, At: noon})
	ok(err)
	_, err = m.Hide(ctx, messaging.HideMessage{ChatID: "chat", MessageID: "m2", UserID: "ann", At: noon})
	ok(err)
	_, err = m.Delete(ctx, messaging.DeleteMessage{ChatID: "chat", MessageID: "m2", ActorID: "bob", At: noon})
	ok(err)
	_, err = m.RemoveMember(ctx, messaging.RemoveMember{ChatID: "chat", ActorID: "ann", UserID: "cid", At: noon})
	ok(err)
	_, err = m.AddMembers(ctx, messaging.AddMembers{ChatID: "chat", ActorID: "ann", UserIDs: []string{"cid", "dan"}, Limit: 9, At: noon})
	ok(err)
	_, err = m.RemoveMember(ctx, messaging.RemoveMember{ChatID: "chat", ActorID: "ann", UserID: "ann", At: noon})
	ok(err)

	_, err = m.Epoch(ctx)
	ok(err)
	_, err = m.Key(ctx, "chat", "")
	ok(err)
	_, err = m.Chat(ctx, "bob", "chat")
	ok(err)
	for _, after := range []messaging.ChatCursor{{}, {Activity: noon, ChatID: "x"}} {
		_, err = m.Chats(ctx, "bob", messaging.ChatList{After: after, Archived: new(false), Limit: 10})
		ok(err)
	}
	for _, added := range []bool{true, false} {
		for range 2 {
			_, err = m.React(ctx, messaging.React{ChatID: "chat", MessageID: "m1", UserID: "bob", Emoji: "x", Added: added, At: noon}, 9)
			ok(err)
			_, err = m.Pin(ctx, messaging.Pin{ChatID: "chat", MessageID: "m1", UserID: "bob", Pinned: added, At: noon}, 9)
			ok(err)
			_, err = m.Pins(ctx, "bob", "chat")
			ok(err)
			_, err = m.Message(ctx, "bob", "chat", "m1")
			ok(err)
			_, err = m.Messages(ctx, "bob", "chat", messaging.Window{Limit: 5})
			ok(err)
		}
	}
	for _, marked := range []bool{true, false, false} {
		_, err = m.SetPreferences(ctx, messaging.SetPreferences{ChatID: "chat", UserID: "bob", MarkedUnread: &marked, At: noon})
		ok(err)
	}
	_, err = m.ChangeGroup(ctx, messaging.ChangeGroup{ChatID: "chat", ActorID: "bob", Title: new("t"), At: noon, Settings: messaging.GroupChange{SlowMode: new(time.Second)}})
	ok(err)
	for _, role := range []messaging.Role{messaging.RoleAdmin, messaging.RoleMember} {
		_, err = m.SetRole(ctx, messaging.SetRole{ChatID: "chat", ActorID: "bob", UserID: "dan", Role: role, At: noon})
		ok(err)
	}
	for _, lift := range []bool{false, true} {
		_, err = m.Ban(ctx, messaging.BanMember{ChatID: "chat", ActorID: "bob", UserID: "zoe", Lift: lift, At: noon})
		ok(err)
	}
	_, err = m.Bans(ctx, "bob", "chat", "", 10)
	ok(err)
	for range 2 {
		_, err = m.CreateInvite(ctx, messaging.Invite{Code: "c", ChatID: "chat", CreatedBy: "bob", CreatedAt: noon}, 10)
		ok(err)
	}
	_, err = m.Invites(ctx, "bob", "chat", noon)
	ok(err)
	_, err = m.Join(ctx, messaging.Join{Code: "c", UserID: "zoe", Limit: 10, At: noon})
	ok(err)
	ok(m.RevokeInvite(ctx, "bob", "chat", "c"))
	_, err = m.ChangeGroup(ctx, messaging.ChangeGroup{ChatID: "chat", ActorID: "bob", At: noon, Settings: messaging.GroupChange{SlowMode: new(time.Duration(0))}})
	ok(err)
	_, err = m.Heads(ctx, "bob")
	ok(err)
	_, err = m.Unread(ctx, "chat", []string{"bob"})
	ok(err)
	_, err = m.Members(ctx, "bob", "chat", "", 10)
	ok(err)
	_, err = m.Message(ctx, "bob", "chat", "m1")
	ok(err)
	_, err = m.PastBodies(ctx, "bob", "chat", "m1")
	ok(err)
	for _, w := range []messaging.Window{{Limit: 5}, {Before: 2, Limit: 5}, {After: 1, Limit: 5}, {Around: 2, Limit: 5}} {
		_, err = m.Messages(ctx, "bob", "chat", w)
		ok(err)
	}
	_, _, err = m.Watermarks(ctx, "bob", "chat", 0, 10)
	ok(err)
	_, err = m.Receipts(ctx, "bob", "chat", "m1", "", 10)
	ok(err)
	_, err = s.Auth().Owners(ctx, []string{"session"})
	ok(err)
	for range 2 {
		_, err = s.Users().SaveSettings(ctx, "bob", []users.Setting{{Name: "theme", Value: "light"}}, noon)
		ok(err)
	}
	_, err = s.Users().Settings(ctx, []string{"bob"})
	ok(err)
	for _, kind := range []users.RelationKind{users.KindContact, users.KindBlock} {
		x := users.Relation{OwnerID: "bob", UserID: "ann", Kind: kind, At: noon}
		for range 2 {
			_, _, err = s.Users().Relate(ctx, x, 10)
			ok(err)
		}
		_, err = s.Users().Relations(ctx, "bob", kind, "", 10)
		ok(err)
		_, err = s.Users().Between(ctx, "ann", []string{"bob"})
		ok(err)
		_, err = s.Users().Unrelate(ctx, x)
		ok(err)
	}
	for _, life := range []time.Duration{time.Hour, -time.Hour} {
		_, err = s.Users().Announce(ctx, users.Announcement{NodeID: "n", At: noon, Life: life, Stations: []users.Station{
			{UserID: "ann", Online: true, Views: []string{"chat"}}, {UserID: "bob"},
		}})
		ok(err)
	}
	_, err = s.Users().Presences(ctx, []string{"ann", "bob"})
	ok(err)
	_, err = s.Users().Viewing(ctx, "chat", []string{"ann", "bob"})
	ok(err)
	for range 2 {
		_, _, err = s.Users().Sweep(ctx, 10)
		ok(err)
	}
	_, err = s.Users().Owners(ctx, "ann", users.KindContact, "", 10)
	ok(err)
	_, err = m.Marks(ctx, "bob", []string{"chat", "pair"}, 10)
	ok(err)
	_, err = m.News(ctx, messaging.Places{Chats: []messaging.Head{{ChatID: "chat"}}, Users: []messaging.UserHead{{UserID: "bob"}}}, 10)
	ok(err)
	for after := range int64(3) {
		_, err = m.Events(ctx, "bob", "chat", after, 10)
		ok(err)
	}
	_, err = m.UserEvents(ctx, "bob", 0, 10)
	ok(err)

	_, err = s.Keys().PutSecret(ctx, "name", []byte{1})
	ok(err)
	_, err = s.Keys().Secret(ctx, "name")
	ok(err)
	p := users.StoredProfile{Profile: users.Profile{UserID: "ann", CreatedAt: noon, UpdatedAt: noon}, UsernameKey: "ann"}
	for range 2 {
		_, err = s.Users().Create(ctx, p)
		ok(err)
	}
	ok(s.Users().Replace(ctx, p, noon))
	_, err = s.Users().Profiles(ctx, []string{"ann", "bob"})
	ok(err)
	_, err = s.Users().ByUsername(ctx, "ann")
	ok(err)
	everyAuth(t, s.Auth())
}

func everyAuth(t *testing.T, a auth.Store) {
	t.Helper()
	ctx := t.Context()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		_, _, err := a.EnsurePhone(ctx, auth.Account{ID: "ann", Phone: "+1"})
		ok(err)
	}
	ok(a.CreateAccount(ctx, auth.Account{ID: "bob", Email: "B@x"}, "b@x"))
	if err := a.CreateAccount(ctx, auth.Account{ID: "cid", Email: "B@x"}, "b@x"); err == nil {
		t.Fatal("an address was given twice")
	}
	_, err := a.Account(ctx, "ann")
	ok(err)
	_, err = a.AccountByPhone(ctx, "+1")
	ok(err)
	_, err = a.Phones(ctx, []string{"ann"})
	ok(err)
	_, err = a.AccountByEmail(ctx, "b@x")
	ok(err)
	_, err = a.SetPassword(ctx, "ann", "", "hash", noon)
	ok(err)
	ok(a.SetRole(ctx, "ann", auth.RoleAdmin, noon))
	ok(a.MarkLogin(ctx, "ann", noon))
	ok(a.MarkEmailVerified(ctx, "bob", "B@x", noon))
	ok(a.PutChallenge(ctx, auth.StoredChallenge{Challenge: auth.Challenge{SessionID: "s", ExpiresAt: noon}, CodeHash: []byte{1}}))
	_, err = a.ResendChallenge(ctx, auth.Resend{SessionID: "s", CodeHash: []byte{2}, Now: noon.Add(-time.Minute), MaxSends: 5})
	ok(err)
	_, err = a.TryChallenge(ctx, "s", []byte{2}, noon.Add(-time.Minute))
	ok(err)
	ok(a.PutOneUse(ctx, auth.OneUse{Hash: []byte{1}, Purpose: auth.VerifyEmail, UserID: "bob", ExpiresAt: noon}))
	_, err = a.TakeOneUse(ctx, []byte{1}, auth.VerifyEmail, noon.Add(-time.Minute))
	ok(err)
	for id, hash := range map[string]byte{"s1": 1, "s2": 101, "s3": 201} {
		ok(a.CreateSession(ctx, auth.StoredSession{Session: auth.Session{ID: id, UserID: "ann", ExpiresAt: noon}, RefreshHash: []byte{hash}}))
	}
	for hash := range byte(2) {
		_, _, err = a.RotateSession(ctx, auth.Rotation{Presented: []byte{hash + 1}, Successor: []byte{hash + 2}, Now: noon.Add(-time.Minute), ExpiresAt: noon})
		ok(err)
	}
	if _, reused, _ := a.RotateSession(ctx, auth.Rotation{Presented: []byte{1}, Successor: []byte{9}, Now: noon}); !reused {
		t.Fatal("a reused token was not seen")
	}
	_, err = a.Session(ctx, "s2")
	ok(err)
	_, err = a.Sessions(ctx, "ann", noon.Add(-time.Minute))
	ok(err)
	ok(a.DeleteSession(ctx, "ann", "s2"))
	_, err = a.DeleteSessions(ctx, "ann", "")
	ok(err)
	_, err = a.SwapSigningKeys(ctx, nil, []auth.SigningKey{{ID: "k", State: auth.KeyCurrent}})
	ok(err)
	_, err = a.SigningKeys(ctx)
	ok(err)
	_, err = a.Sweep(ctx, noon)
	ok(err)
	ok(a.DeleteAccount(ctx, "ann"))
}
