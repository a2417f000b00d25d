-- The message that one answers; '' when none.
ALTER TABLE messages ADD COLUMN reply_to TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Whether there are rows of it in reactions.
ALTER TABLE messages ADD COLUMN reacted BOOLEAN NOT NULL DEFAULT FALSE;

CREATE TABLE reactions (
  message_id TEXT COLLATE "C" NOT NULL,
  emoji      TEXT COLLATE "C" NOT NULL,
  user_id    TEXT COLLATE "C" NOT NULL,
  at         BIGINT NOT NULL,
  PRIMARY KEY (message_id, emoji, user_id)
);
