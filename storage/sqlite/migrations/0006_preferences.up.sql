-- How people keep chats in their own lists.
CREATE TABLE preferences (
  user_id     TEXT NOT NULL,
  chat_id     TEXT NOT NULL,
  muted_until BIGINT NOT NULL,
  archived    BOOLEAN NOT NULL,
  pinned      BOOLEAN NOT NULL,
  marked      BIGINT NOT NULL, -- as unread: one above where his read mark stood; 0: not
  PRIMARY KEY (user_id, chat_id)
) WITHOUT ROWID;
