package bunstore

import "slices"

// statements are those of a batch of messages and marks, in the order in which they run.
type statements struct {
	heads    *Statement // locks the chats, in the order of their ids
	spans    *Statement // of those who send or mark
	names    *Statement // that senders gave to messages before
	ordinals *Statement // of the last messages at or below a place

	messages   *Statement
	saveHeads  *Statement
	saveSpans  *Statement
	moves      *Statement
	userHeads  *Statement
	userEvents *Statement

	stamp *Statement // nil where there are several writers
}

func newStatements(d Dialect) *statements {
	of := ""
	if d.Lock != "" {
		of = d.Lock + " OF c"
	}
	st := &statements{
		// What depends on a head is read in later statements: on PostgreSQL those see
		// what was committed before the lock was had.
		heads: d.statement("heads", `SELECT c.id, c.head_seq, c.ordinal, c.member_count, c.receipt_version, c.last_message_at, c.activity_at,
				c.who_may_send = 'admins', c.slow_mode
			FROM {v} JOIN chats AS c ON c.id = v.id ORDER BY c.id`+of, texts("id")...),

		spans: d.statement("spans", `SELECT m.chat_id, m.user_id, m.joined_seq, m.left_seq, m.delivered_seq, m.read_seq, m.read_ordinal,
				m.mark_version, m.reached_delivered, m.reached_read, m.blocked, m.role <> 'member',
				CASE WHEN (SELECT c.slow_mode FROM chats AS c WHERE c.id = m.chat_id) > 0 THEN COALESCE((SELECT g.created_at
					FROM messages AS g WHERE g.chat_id = m.chat_id AND g.sender_id = m.user_id ORDER BY g.seq DESC LIMIT 1), 0) ELSE 0 END
			FROM {v} JOIN memberships AS m ON m.chat_id = v.chat_id AND m.user_id = v.user_id`, texts("chat_id", "user_id")...),

		// The condition on client_id lets the partial index serve. As a plain join, a planner
		// that knows of few messages would read them all, and go on so when they are many.
		names: d.statement("names", `SELECT g.sender_id, g.client_id, g.id, g.deleted, g.digest
			FROM {v} JOIN messages AS g ON g.id = (SELECT f.id FROM messages AS f
				WHERE f.sender_id = v.sender_id AND f.client_id = v.client_id AND f.client_id <> '')`,
			texts("sender_id", "client_id")...),

		ordinals: d.statement("ordinals", `SELECT v.chat_id, v.seq, COALESCE((SELECT g.ordinal FROM messages AS g
				WHERE g.chat_id = v.chat_id AND g.seq <= v.seq ORDER BY g.seq DESC LIMIT 1), 0)
			FROM {v}`, slices.Concat(texts("chat_id"), ints("seq"))...),

		messages: d.statement("messages", `INSERT INTO messages (id, chat_id, sender_id, client_id, kind, key_id, body, digest,
				seq, ordinal, created_at, edited_at, revision, deleted, reply_to)
			SELECT v.id, v.chat_id, v.sender_id, v.client_id, v.kind, v.key_id, v.body, v.digest,
				v.seq, v.ordinal, v.created_at, v.edited_at, 1, FALSE, v.reply_to FROM {v}`,
			slices.Concat(texts("id", "chat_id", "sender_id", "client_id", "kind", "key_id", "reply_to"), blobs("body", "digest"),
				ints("seq", "ordinal", "created_at", "edited_at"))...),

		saveHeads: d.statement("save_heads", `UPDATE chats SET head_seq = v.head_seq, ordinal = v.ordinal, receipt_version = v.receipt_version,
				last_message_at = v.last_message_at, activity_at = v.activity_at
			FROM {v} WHERE chats.id = v.id`,
			slices.Concat(texts("id"), ints("head_seq", "ordinal", "receipt_version", "last_message_at", "activity_at"))...),

		// How far he ever came is kept in all spans of a user, the rest in the present one.
		saveSpans: d.statement("save_spans", `UPDATE memberships SET
				delivered_seq = CASE WHEN left_seq = 0 THEN v.delivered ELSE delivered_seq END,
				read_seq = CASE WHEN left_seq = 0 THEN v.seen ELSE read_seq END,
				read_ordinal = CASE WHEN left_seq = 0 THEN v.seen_ordinal ELSE read_ordinal END,
				mark_version = CASE WHEN left_seq = 0 THEN v.version ELSE mark_version END,
				reached_delivered = v.ever_delivered, reached_read = v.ever_seen
			FROM {v} WHERE memberships.chat_id = v.of_chat AND memberships.user_id = v.of_user`,
			slices.Concat(texts("of_chat", "of_user"), ints("delivered", "seen", "seen_ordinal", "version", "ever_delivered", "ever_seen"))...),

		moves: d.statement("moves", `INSERT INTO marks (chat_id, user_id, kind, up_to, at)
			SELECT v.chat_id, v.user_id, v.kind, v.up_to, v.at FROM {v}`,
			slices.Concat(texts("chat_id", "user_id", "kind"), ints("up_to", "at"))...),

		// The heads of users are locked last and in the order of their ids, so that
		// writers cannot wait for each other in a ring. WHERE TRUE tells SQLite that ON
		// begins no join.
		userHeads: d.statement("user_heads", `INSERT INTO user_heads AS h (user_id, seq)
			SELECT v.user_id, v.n FROM {v} WHERE TRUE ORDER BY v.user_id
			ON CONFLICT (user_id) DO UPDATE SET seq = h.seq + excluded.seq`, slices.Concat(texts("user_id"), ints("n"))...),

		userEvents: d.statement("user_events", `INSERT INTO user_events (user_id, seq, type, at, chat_id, message_id, head_seq, delivered_seq, read_seq, version)
			SELECT v.user_id, (SELECT h.seq FROM user_heads AS h WHERE h.user_id = v.user_id) - v.later, v.type, v.at, v.chat_id, '', 0,
				v.delivered_seq, v.read_seq, v.version
			FROM {v} RETURNING chat_id, version, seq`,
			slices.Concat(texts("user_id", "type", "chat_id"), ints("later", "at", "delivered_seq", "read_seq", "version"))...),
	}
	if d.OneWriter {
		st.stamp = d.statement("stamp", d.Stamp)
	}
	return st
}

// Statements are the prepared ones of a dialect, for a look at their plans.
func Statements(d Dialect) []*Statement {
	return append(newStatements(d).all(), newLookups(d).all()...)
}

func (s *statements) all() []*Statement {
	all := []*Statement{s.heads, s.spans, s.names, s.ordinals, s.messages, s.saveHeads, s.saveSpans, s.moves, s.userHeads, s.userEvents}
	if s.stamp != nil {
		all = append(all, s.stamp)
	}
	return all
}
