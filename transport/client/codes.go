package client

import "github.com/wigwag-chat/wigwag/errs"

// kindOfCode tells the kind of a failure whose reply, over the socket, says no
// more than its code: the kind that its status says over HTTP. A code that is not
// known here is Invalid, as most are.
func kindOfCode(code string) errs.Kind {
	switch code {
	case "invalid_credentials", "invalid_ticket", "invalid_token", "token_expired", "token_revoked", "unauthenticated":
		return errs.Unauthenticated
	case "account_inactive", "banned", "blocked", "edit_window_passed", "email_not_verified", "missing_scope", "not_a_member", "not_an_admin", "not_the_sender", "sending_restricted":
		return errs.Forbidden
	case "account_not_found", "chat_not_found", "invite_not_found", "member_not_found", "message_not_found", "not_found", "session_not_found", "user_not_found":
		return errs.NotFound
	case "method_not_allowed":
		return errs.Method
	case "already_a_contact", "client_id_reused", "edit_conflict", "email_taken", "group_full", "not_a_group", "owner_must_hand_over", "profile_changed", "too_many_invites", "too_many_people", "too_many_pins", "too_many_reactions", "username_taken":
		return errs.Conflict
	case "body_too_large":
		return errs.TooLarge
	case "unsupported_media_type":
		return errs.UnsupportedType
	case "resend_too_soon", "slow_mode", "too_many_attempts", "too_many_sends":
		return errs.RateLimited
	case "busy", "closed", "not_ready", "not_sent", "outcome_unknown", "overloaded", "restarting", "storage_unavailable",
		"store_closed", "timeout", "unknown_host_key":
		return errs.Unavailable
	case "storage_full":
		return errs.StorageFull
	case "bad_signing_key", "internal", "unreadable_message":
		return errs.Internal
	}
	return errs.Invalid
}
