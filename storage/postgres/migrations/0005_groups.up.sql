-- Who may do what in a group.
ALTER TABLE chats ADD COLUMN who_may_send TEXT COLLATE "C" NOT NULL DEFAULT 'all';
ALTER TABLE chats ADD COLUMN who_may_add TEXT COLLATE "C" NOT NULL DEFAULT 'admins';
ALTER TABLE chats ADD COLUMN who_may_pin TEXT COLLATE "C" NOT NULL DEFAULT 'admins';
ALTER TABLE chats ADD COLUMN who_may_edit_info TEXT COLLATE "C" NOT NULL DEFAULT 'admins';
ALTER TABLE chats ADD COLUMN slow_mode BIGINT NOT NULL DEFAULT 0; -- microseconds between two messages of a member

-- Of a change of the chat's own data: the names of the fields, a line each; of a reaction: the emoji.
ALTER TABLE chat_events ADD COLUMN detail TEXT COLLATE "C" NOT NULL DEFAULT '';

CREATE TABLE bans (
  chat_id    TEXT COLLATE "C" NOT NULL,
  user_id    TEXT COLLATE "C" NOT NULL,
  by_user_id TEXT COLLATE "C" NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (chat_id, user_id)
);

CREATE TABLE invites (
  code       TEXT COLLATE "C" PRIMARY KEY,
  chat_id    TEXT COLLATE "C" NOT NULL,
  created_by TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  max_uses   BIGINT NOT NULL, -- 0: any number
  uses       BIGINT NOT NULL
);

CREATE INDEX invites_chat ON invites (chat_id, created_at);
