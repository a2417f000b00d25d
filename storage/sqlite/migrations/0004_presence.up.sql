-- Who is connected where. A node's users are online while its lease lives.
CREATE TABLE nodes (
  id       TEXT PRIMARY KEY,
  said_at  BIGINT NOT NULL, -- its last announcement, by its own clock
  until_at BIGINT NOT NULL  -- the end of its lease, by the database's clock
) WITHOUT ROWID;

CREATE INDEX nodes_until ON nodes (until_at);

CREATE TABLE stations (
  user_id TEXT NOT NULL,
  node_id TEXT NOT NULL,
  online  BOOLEAN NOT NULL, -- connected, and not away
  views   TEXT NOT NULL,    -- the chats on his screens, a line each
  PRIMARY KEY (user_id, node_id)
) WITHOUT ROWID;

CREATE INDEX stations_node ON stations (node_id, user_id);

CREATE TABLE presence (
  user_id   TEXT PRIMARY KEY,
  online    BOOLEAN NOT NULL, -- as was last told
  last_seen BIGINT NOT NULL
) WITHOUT ROWID;
