-- Who may do what in a group.
ALTER TABLE chats ADD COLUMN who_may_send TEXT NOT NULL DEFAULT 'all';
ALTER TABLE chats ADD COLUMN who_may_add TEXT NOT NULL DEFAULT 'admins';
ALTER TABLE chats ADD COLUMN who_may_pin TEXT NOT NULL DEFAULT 'admins';
ALTER TABLE chats ADD COLUMN who_may_edit_info TEXT NOT NULL DEFAULT 'admins';
ALTER TABLE chats ADD COLUMN slow_mode BIGINT NOT NULL DEFAULT 0; -- microseconds between two messages of a member

-- Of a change of the chat's own data: the names of the fields, a line each; of a reaction: the emoji.
ALTER TABLE chat_events ADD COLUMN detail TEXT NOT NULL DEFAULT '';

CREATE TABLE bans (
  chat_id    TEXT NOT NULL,
  user_id    TEXT NOT NULL,
  by_user_id TEXT NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (chat_id, user_id)
) WITHOUT ROWID;

CREATE TABLE invites (
  code       TEXT PRIMARY KEY,
  chat_id    TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  max_uses   BIGINT NOT NULL, -- 0: any number
  uses       BIGINT NOT NULL
) WITHOUT ROWID;

CREATE INDEX invites_chat ON invites (chat_id, created_at);
