package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag-chat/wigwag/auth"
	"github.com/wigwag-chat/wigwag/messaging"
	"github.com/wigwag-chat/wigwag/transport/api"
	"github.com/wigwag-chat/wigwag/users"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	t0   = time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.FixedZone("", 3600))
	t1   = t0.Add(time.Hour)
	ada  = users.User{Profile: users.Profile{UserID: "ada", Username: "ada", DisplayName: "Ada", FullName: "Ada King", Bio: "Engines", PictureID: "p1", Language: "en", CreatedAt: t0}}
	self = users.User{Profile: ada.Profile, Phone: "+15550100", Account: &users.Account{Phone: "+15550100", Email: "ada@example.org", Role: "user", Active: true, LastLogin: t1}}
	bob  = users.User{Profile: users.Profile{UserID: "bob", DisplayName: "Bob", CreatedAt: t0}}

	message = messaging.Message{ID: "m1", ChatID: "c1", Seq: 4, SenderID: "ada", ClientID: "k1", Kind: messaging.KindText,
		Text: "Hi <you> & \u2028 all", CreatedAt: t0, EditedAt: t1, Tally: messaging.Tally{Recipients: 2, Delivered: 2, Read: 1}}
	tombstone = messaging.Message{ID: "m0", ChatID: "c1", Seq: 3, SenderID: "ada", Kind: messaging.KindText, CreatedAt: t0, Deleted: true}
	keyed     = messaging.Message{ID: "m2", ChatID: "c1", Seq: 5, SenderID: "ada", ClientID: api.KeyClientID("send", "x"), Kind: messaging.KindText, Text: "x", CreatedAt: t0}
	direct    = messaging.ChatView{
		Chat: messaging.Chat{ID: "c1", Kind: messaging.Direct, Status: messaging.Active, CreatedBy: "ada", CreatedAt: t0, UpdatedAt: t0,
			LastMessageAt: t1, HeadSeq: 5, MemberCount: 2},
		Own: messaging.Member{UserID: "ada"}, PeerID: "bob", Unread: 1, LastMessage: &message,
	}
	group = messaging.ChatView{
		Chat: messaging.Chat{ID: "g1", Kind: messaging.Group, Status: messaging.Closed, Title: "Club", Description: "Of engines", PictureID: "p2", Settings: messaging.DefaultGroupSettings(),
			CreatedBy: "bob", CreatedAt: t0, UpdatedAt: t1, MemberCount: 1},
		Own: messaging.Member{UserID: "ada"},
	}
	mark = messaging.Watermark{ChatID: "c1", UserID: "bob", DeliveredSeq: 4, ReadSeq: 3, Version: 9}
)

func TestGolden(t *testing.T) {
	event := func(typ messaging.EventType) messaging.Event {
		e := messaging.Event{ChatID: "c1", Seq: 4, Type: typ, At: t0, ActorID: "ada"}
		switch typ {
		case messaging.MessageCreated, messaging.MessageEdited:
			e.MessageID, e.Message = "m1", &message
		case messaging.MessageDeleted:
			e.MessageID = "m1"
		case messaging.MemberRemoved:
			e.Reason = messaging.ReasonRemoved
			fallthrough
		default:
			e.UserID, e.Role = "bob", messaging.RoleMember
		}
		return e
	}
	own := func(typ messaging.EventType) messaging.UserEvent {
		return messaging.UserEvent{UserID: "ada", Seq: 8, Type: typ, At: t0, ChatID: "c1", MessageID: "m1", DeliveredSeq: 4, ReadSeq: 3}
	}
	chat := api.FromChat(direct, &bob)
	sync := messaging.SyncAnswer{
		Epoch: "e1", More: true,
		User: messaging.UserSync{Events: []messaging.UserEvent{own(messaging.OwnPosition)}, Head: 8},
		Chats: []messaging.ChatSync{
			{ChatID: "c1", Head: 4, Events: []messaging.Event{event(messaging.MessageCreated)}, ReceiptVersion: 9, Receipts: []messaging.Watermark{mark}},
			{ChatID: "g1", Head: 5000, TooLong: true, ReceiptVersion: 9, Receipts: []messaging.Watermark{mark},
				Snapshot: &messaging.Snapshot{Chat: group, Messages: []messaging.Message{tombstone},
					Members: []messaging.Member{{UserID: "ada", Role: messaging.RoleOwner, JoinedAt: t0}, {UserID: "gone", Role: messaging.RoleMember, JoinedAt: t0}}}},
		},
	}
	failure := api.FromError(messaging.ErrUserNotFound.With("userIds", []string{"x"}))

	for name, v := range map[string]any{
		"challenge":         api.FromChallenge(auth.Challenge{SessionID: "s", PhoneNumber: "+15550100", ExpiresAt: t1, ResendAfter: t0}),
		"tokens":            api.FromTokens(auth.Tokens{AccessToken: "a", RefreshToken: "r", ExpiresIn: auth.AccessTTL, UserID: "ada", Created: true}, self),
		"session":           api.FromSession(auth.Session{ID: "s", UserAgent: "ua", IP: "::1", CreatedAt: t0, LastUsed: t1, ExpiresAt: t1}, "s"),
		"user_self":         api.FromUser(self, "ada"),
		"user_other":        api.FromUser(ada, "bob"),
		"user_of_contact":   api.FromUser(users.User{Profile: ada.Profile, Phone: "+15550100"}, "bob"),
		"listed":            api.FromListed(users.Listed{User: ada, AddedAt: t0}, "bob"),
		"user_bare":         api.FromUser(*api.Person(nil, "zoe"), "bob"),
		"chat_direct":       chat,
		"chat_group":        api.FromChat(group, nil),
		"message_sender":    api.FromMessage(message, "ada"),
		"message_recipient": api.FromMessage(message, "bob"),
		"message_deleted":   api.FromMessage(tombstone, "ada"),
		"message_keyed":     api.FromMessage(keyed, "ada"),
		"member":            api.FromMember(messaging.Member{UserID: "ada", Role: messaging.RoleAdmin, JoinedAt: t0}, ada, "bob"),
		"receipt":           api.FromReceipt(messaging.Receipt{UserID: "bob", DeliveredAt: t0}),
		"past_text":         api.FromPastText(messaging.PastText{Text: "before", EditedAt: t0}),
		"error":             api.Error{Error: failure, Timestamp: t0.UTC(), RequestID: "r1"},
		"error_internal":    api.FromError(errors.New("disk on fire")),
		"page":              api.Page[api.Empty]{Items: []api.Empty{}},
		"ticket":            api.Ticket{Ticket: "t", ExpiresAt: t0.UTC()},
		"sync":              api.FromSync(sync, "ada", map[string]users.User{"ada": self}),
		"sync_reset":        api.FromSync(messaging.SyncAnswer{Epoch: "e2", Reset: true}, "ada", nil),

		"event_created":           api.FromEvent(event(messaging.MessageCreated), "ada"),
		"event_created_broadcast": api.Broadcast(event(messaging.MessageCreated), ""),
		"event_created_sender":    api.Broadcast(event(messaging.MessageCreated), "ada"),
		"event_edited_broadcast":  api.Broadcast(event(messaging.MessageEdited), ""),
		"event_deleted":           api.Broadcast(event(messaging.MessageDeleted), ""),
		"event_hidden":            api.FromUserEvent(own(messaging.MessageDeleted), nil),
		"event_member_added":      api.Broadcast(event(messaging.MemberAdded), ""),
		"event_member_removed":    api.Broadcast(event(messaging.MemberRemoved), ""),
		"event_member_role":       api.Broadcast(event(messaging.MemberRole), ""),
		"event_chat_updated": api.Broadcast(messaging.Event{ChatID: "g1", Seq: 9, Type: messaging.ChatUpdated, At: t0, ActorID: "ada",
			Fields: []string{messaging.FieldDescription, messaging.FieldSettings}, Chat: &group.Chat}, ""),
		"banned":               api.FromBanned(messaging.Banned{UserID: "bob", ByUserID: "ada", At: t0}, *api.Person(nil, "bob"), "ada"),
		"invite":               api.FromInvite(messaging.Invite{Code: "c0de", ChatID: "g1", CreatedBy: "ada", CreatedAt: t0, ExpiresAt: t1, MaxUses: 3, Uses: 1}),
		"invite_for_ever":      api.FromInvite(messaging.Invite{Code: "c0de", CreatedBy: "ada", CreatedAt: t0}),
		"event_chat_joined":    api.FromUserEvent(own(messaging.ChatJoined), &chat),
		"event_chat_left":      api.FromUserEvent(own(messaging.ChatLeft), nil),
		"event_own_position":   api.FromUserEvent(own(messaging.OwnPosition), nil),
		"event_receipt":        api.FromWatermark(mark, t0),
		"event_unread":         api.FromUnread("c1", messaging.UnreadCount{Chat: 0, Total: 3}, t0),
		"event_typing":         api.Typing("c1", "bob", true, 6*time.Second, t0),
		"event_typing_stopped": api.Typing("c1", "bob", false, 6*time.Second, t0),
		"settings":             api.FromSettings(users.DefaultSettings()),
		"event_settings":       api.SettingsChanged(8, t0, users.DefaultSettings()),
		"event_contact":        api.FromUserEvent(messaging.UserEvent{UserID: "ada", Seq: 8, Type: messaging.ContactAdded, At: t0, AboutID: "bob"}, nil),
		"event_presence":       api.PresenceChanged(users.Presence{UserID: "bob", LastSeen: t0}, t1),
		"presence":             api.FromPresence(users.Presence{UserID: "bob", Online: true, LastSeen: t0}),
		"event_preferences": api.FromUserEvent(messaging.UserEvent{UserID: "ada", Seq: 8, Type: messaging.ChatPreferred, At: t0, ChatID: "c1",
			Preferences: &messaging.Preferences{MutedUntil: t1, Pinned: true}}, nil),
		"event_reaction":        api.Broadcast(messaging.Event{ChatID: "c1", Seq: 9, Type: messaging.ReactionAdded, At: t0, ActorID: "bob", MessageID: "m1", Emoji: "👍"}, ""),
		"event_pin":             api.Broadcast(messaging.Event{ChatID: "c1", Seq: 9, Type: messaging.MessageUnpinned, At: t0, ActorID: "bob", MessageID: "m1"}, ""),
		"event_unblocked":       api.FromUserEvent(messaging.UserEvent{UserID: "ada", Seq: 9, Type: messaging.BlockRemoved, At: t0, AboutID: "bob"}, nil),
		"event_session_revoked": api.SessionRevoked("s", t0),

		"frame_hello": api.Hello{Type: api.FrameHello, SessionID: "s", UserID: "ada", Epoch: "e1", UserSeq: 8,
			Heads: map[string]int64{"c1": 4}, ReceiptVersions: map[string]int64{"c1": 9}, ServerTime: t0.UTC()},
		"frame_events":   api.Events{Type: api.FrameEvents, Events: []api.Event{api.SessionRevoked("s", t0)}},
		"frame_reply":    api.Reply{ReplyTo: "7", OK: true, Data: api.FromMessage(message, "ada")},
		"frame_refusal":  api.Reply{ReplyTo: "7", Error: &failure},
		"request_send":   api.SendFrame{FrameHead: api.FrameHead{ID: "7", Type: api.FrameSend}, ChatID: "c1", Text: "x", ClientID: "k"},
		"request_edit":   api.EditFrame{FrameHead: api.FrameHead{ID: "7", Type: api.FrameEdit}, ChatID: "c1", MessageID: "m1", Text: "x"},
		"request_delete": api.DeleteFrame{FrameHead: api.FrameHead{ID: "7", Type: api.FrameDelete}, ChatID: "c1", MessageID: "m1", ForEveryone: true},
		"request_read":   api.MarkFrame{FrameHead: api.FrameHead{ID: "7", Type: api.FrameRead}, ChatID: "c1", UpTo: 4},
		"request_typing": api.TypingFrame{FrameHead: api.FrameHead{ID: "7", Type: api.FrameTyping}, ChatID: "c1", Typing: true},
		"request_settings": api.UpdateSettings{Theme: new(users.Light), Privacy: &api.UpdatePrivacy{LastSeen: new(users.Nobody), AddByPhone: new(false)},
			Notifications: &api.UpdateNotifications{Sound: new(false)}},
		"request_sync": api.SyncFrame{FrameHead: api.FrameHead{ID: "7", Type: api.FrameSync}, Sync: api.Sync{Epoch: "e1", UserSeq: 8, Chats: map[string]int64{"c1": 4}}},
		"request_auth": api.AuthFrame{FrameHead: api.FrameHead{Type: api.FrameAuth}, Token: "a"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := json.MarshalIndent(v, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			if bytes.Contains(got, []byte("null")) && name != "receipt" {
				t.Errorf("null where none is named:\n%s", got)
			}
			file := filepath.Join("testdata", name+".json")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("differs from %s (-want +got):\n%s", file, diff)
			}
		})
	}
}
