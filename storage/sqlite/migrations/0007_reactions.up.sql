-- The message that one answers; '' when none.
ALTER TABLE messages ADD COLUMN reply_to TEXT NOT NULL DEFAULT '';

-- Whether there are rows of it in reactions.
ALTER TABLE messages ADD COLUMN reacted BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE reactions (
  message_id TEXT NOT NULL,
  emoji      TEXT NOT NULL,
  user_id    TEXT NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (message_id, emoji, user_id)
) WITHOUT ROWID;
