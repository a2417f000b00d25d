-- Messages that are pinned in their chats.
CREATE TABLE pins (
  chat_id    TEXT NOT NULL,
  message_id TEXT NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (chat_id, message_id)
) WITHOUT ROWID;
