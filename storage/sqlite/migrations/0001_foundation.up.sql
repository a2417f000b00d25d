-- Times are microseconds since 1970 in UTC. The storage of other versions knows
-- this schema by its number: never edit a migration that was released.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE secrets (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE accounts (
  id             TEXT PRIMARY KEY,
  phone          TEXT UNIQUE,
  email          TEXT NOT NULL,
  email_key      TEXT UNIQUE,
  email_verified BOOLEAN NOT NULL,
  password_hash  TEXT NOT NULL,
  role           TEXT NOT NULL,
  active         BOOLEAN NOT NULL,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL,
  last_login     BIGINT NOT NULL
);

CREATE TABLE challenges (
  session_id   TEXT PRIMARY KEY,
  phone        TEXT NOT NULL,
  expires_at   BIGINT NOT NULL,
  resend_after BIGINT NOT NULL,
  code_hash    BLOB NOT NULL,
  sends        BIGINT NOT NULL,
  attempts     BIGINT NOT NULL,
  done         BOOLEAN NOT NULL,
  created_at   BIGINT NOT NULL
);

CREATE INDEX challenges_expires_at ON challenges (expires_at);

CREATE TABLE one_use_tokens (
  hash       BLOB PRIMARY KEY,
  purpose    TEXT NOT NULL,
  user_id    TEXT NOT NULL,
  email      TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);

-- A new one takes the place of the one before.
CREATE UNIQUE INDEX one_use_tokens_user ON one_use_tokens (user_id, purpose);

CREATE INDEX one_use_tokens_expires_at ON one_use_tokens (expires_at);

CREATE TABLE sessions (
  id           TEXT PRIMARY KEY,
  user_id      TEXT NOT NULL,
  user_agent   TEXT NOT NULL,
  ip           TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  last_used    BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL,
  refresh_hash BLOB NOT NULL,
  parent_hash  BLOB,
  rotated_at   BIGINT NOT NULL
);

CREATE UNIQUE INDEX sessions_refresh ON sessions (refresh_hash);

CREATE INDEX sessions_user ON sessions (user_id);

CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- The refresh tokens that gave way to others, kept as long as their session.
CREATE TABLE former_tokens (
  hash       BLOB PRIMARY KEY,
  session_id TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX former_tokens_session ON former_tokens (session_id);

CREATE TABLE signing_keys (
  id          TEXT PRIMARY KEY,
  algorithm   TEXT NOT NULL,
  state       TEXT NOT NULL,
  private_key BLOB NOT NULL,
  public_key  BLOB NOT NULL,
  created_at  BIGINT NOT NULL,
  retired_at  BIGINT NOT NULL
);

CREATE TABLE profiles (
  user_id      TEXT PRIMARY KEY,
  username     TEXT NOT NULL,
  username_key TEXT UNIQUE,
  display_name TEXT NOT NULL,
  full_name    TEXT NOT NULL,
  bio          TEXT NOT NULL,
  picture_id   TEXT NOT NULL,
  language     TEXT NOT NULL,
  created_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL
);

-- The row of a chat is its head: whoever changes anything of the chat locks it first.
CREATE TABLE chats (
  id              TEXT PRIMARY KEY,
  kind            TEXT NOT NULL,
  status          TEXT NOT NULL,
  title           TEXT NOT NULL,
  description     TEXT NOT NULL,
  picture_id      TEXT NOT NULL,
  created_by      TEXT NOT NULL,
  client_id       TEXT NOT NULL,
  digest          BLOB,
  low_user        TEXT, -- the pair of a direct chat, in the order of their bytes
  high_user       TEXT,
  created_at      BIGINT NOT NULL,
  updated_at      BIGINT NOT NULL,
  last_message_at BIGINT NOT NULL,
  activity_at     BIGINT NOT NULL, -- last_message_at, or created_at before the first
  head_seq        BIGINT NOT NULL,
  ordinal         BIGINT NOT NULL, -- of the newest message
  member_count    BIGINT NOT NULL,
  receipt_version BIGINT NOT NULL
);

CREATE UNIQUE INDEX chats_client_id ON chats (created_by, client_id) WHERE client_id <> '';

CREATE UNIQUE INDEX chats_pair ON chats (low_user, high_user) WHERE low_user IS NOT NULL;

CREATE TABLE chat_keys (
  chat_id  TEXT NOT NULL,
  position BIGINT NOT NULL, -- the newest key has the greatest
  id       TEXT NOT NULL,
  data     BLOB NOT NULL,
  PRIMARY KEY (chat_id, position)
) WITHOUT ROWID;

CREATE UNIQUE INDEX chat_keys_id ON chat_keys (chat_id, id);

-- One row a span: who leaves and comes back has two. It covers the sequence
-- numbers above joined_seq and, once it ended, below left_seq.
CREATE TABLE memberships (
  chat_id       TEXT NOT NULL,
  user_id       TEXT NOT NULL,
  joined_seq    BIGINT NOT NULL,
  left_seq      BIGINT NOT NULL, -- 0: present
  role          TEXT NOT NULL,
  joined_at     BIGINT NOT NULL,
  delivered_seq BIGINT NOT NULL,
  read_seq      BIGINT NOT NULL,
  read_ordinal  BIGINT NOT NULL, -- of the last message at or below read_seq
  mark_version  BIGINT NOT NULL, -- receipt version of the last move; 0: none
  -- How far the user's moves ever came, alike in all his spans. A beginning is no move.
  reached_delivered BIGINT NOT NULL,
  reached_read      BIGINT NOT NULL,
  PRIMARY KEY (chat_id, user_id, joined_seq)
) WITHOUT ROWID;

CREATE UNIQUE INDEX memberships_present ON memberships (user_id, chat_id) WHERE left_seq = 0;

CREATE INDEX memberships_moved ON memberships (chat_id, mark_version, user_id) WHERE left_seq = 0 AND mark_version > 0;

-- A message is also the chat's event of its creation.
CREATE TABLE messages (
  id         TEXT PRIMARY KEY,
  chat_id    TEXT NOT NULL,
  seq        BIGINT NOT NULL,
  ordinal    BIGINT NOT NULL, -- 1, 2, 3… over the messages of the chat
  sender_id  TEXT NOT NULL,
  client_id  TEXT NOT NULL,
  kind       TEXT NOT NULL,
  key_id     TEXT NOT NULL,
  body       BLOB, -- null in a tombstone, like digest
  revision   BIGINT NOT NULL,
  digest     BLOB,
  created_at BIGINT NOT NULL,
  edited_at  BIGINT NOT NULL,
  deleted    BOOLEAN NOT NULL
);

CREATE UNIQUE INDEX messages_seq ON messages (chat_id, seq);

CREATE UNIQUE INDEX messages_client_id ON messages (sender_id, client_id) WHERE client_id <> '';

CREATE INDEX messages_sender ON messages (chat_id, sender_id, seq);

CREATE INDEX messages_deleted ON messages (chat_id, seq) WHERE deleted;

CREATE TABLE message_edits (
  message_id TEXT NOT NULL,
  revision   BIGINT NOT NULL,
  key_id     TEXT NOT NULL,
  body       BLOB NOT NULL,
  edited_at  BIGINT NOT NULL,
  PRIMARY KEY (message_id, revision)
);

CREATE TABLE hidden (
  user_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  seq     BIGINT NOT NULL,
  PRIMARY KEY (user_id, chat_id, seq)
) WITHOUT ROWID;

CREATE INDEX hidden_message ON hidden (chat_id, seq, user_id);

-- The log of moves: the first one at or above a message tells when it was reached.
CREATE TABLE marks (
  chat_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  kind    TEXT NOT NULL, -- delivered or read
  up_to   BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  PRIMARY KEY (chat_id, user_id, kind, up_to)
) WITHOUT ROWID;

-- The events of a chat besides the creation of messages; both share one sequence.
CREATE TABLE chat_events (
  chat_id    TEXT NOT NULL,
  seq        BIGINT NOT NULL,
  type       TEXT NOT NULL,
  at         BIGINT NOT NULL,
  actor_id   TEXT NOT NULL,
  message_id TEXT NOT NULL,
  user_id    TEXT NOT NULL,
  role       TEXT NOT NULL,
  reason     TEXT NOT NULL,
  PRIMARY KEY (chat_id, seq)
) WITHOUT ROWID;

CREATE TABLE user_heads (
  user_id TEXT PRIMARY KEY,
  seq     BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE user_events (
  user_id       TEXT NOT NULL,
  seq           BIGINT NOT NULL,
  type          TEXT NOT NULL,
  at            BIGINT NOT NULL,
  chat_id       TEXT NOT NULL,
  message_id    TEXT NOT NULL,
  head_seq      BIGINT NOT NULL,
  delivered_seq BIGINT NOT NULL,
  read_seq      BIGINT NOT NULL,
  version       BIGINT NOT NULL,
  PRIMARY KEY (user_id, seq)
) WITHOUT ROWID;
