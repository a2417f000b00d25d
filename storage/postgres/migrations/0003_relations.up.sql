-- Contacts and blocks: what people are to their owners.
CREATE TABLE relations (
  owner_id TEXT COLLATE "C" NOT NULL,
  kind     TEXT COLLATE "C" NOT NULL, -- contact or block
  user_id  TEXT COLLATE "C" NOT NULL,
  request  TEXT COLLATE "C" NOT NULL, -- the maker's own name for it
  at       BIGINT NOT NULL,
  PRIMARY KEY (owner_id, kind, user_id)
);

CREATE INDEX relations_user ON relations (user_id, kind, owner_id);

-- In a direct chat: whether the other one has blocked this one.
ALTER TABLE memberships ADD COLUMN blocked BOOLEAN NOT NULL DEFAULT FALSE;

-- Of contacts and blocks: whom it concerns.
ALTER TABLE user_events ADD COLUMN about_id TEXT COLLATE "C" NOT NULL DEFAULT '';
