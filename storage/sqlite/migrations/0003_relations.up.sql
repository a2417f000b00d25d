-- Contacts and blocks: what people are to their owners.
CREATE TABLE relations (
  owner_id TEXT NOT NULL,
  kind     TEXT NOT NULL, -- contact or block
  user_id  TEXT NOT NULL,
  request  TEXT NOT NULL, -- the maker's own name for it
  at       BIGINT NOT NULL,
  PRIMARY KEY (owner_id, kind, user_id)
) WITHOUT ROWID;

CREATE INDEX relations_user ON relations (user_id, kind, owner_id);

-- In a direct chat: whether the other one has blocked this one.
ALTER TABLE memberships ADD COLUMN blocked BOOLEAN NOT NULL DEFAULT FALSE;

-- Of contacts and blocks: whom it concerns.
ALTER TABLE user_events ADD COLUMN about_id TEXT NOT NULL DEFAULT '';
