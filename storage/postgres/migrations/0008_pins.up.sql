-- Messages that are pinned in their chats.
CREATE TABLE pins (
  chat_id    TEXT COLLATE "C" NOT NULL,
  message_id TEXT COLLATE "C" NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (chat_id, message_id)
);
