-- What people have chosen; who has chosen nothing has no rows.
CREATE TABLE user_settings (
  user_id TEXT COLLATE "C" NOT NULL,
  name    TEXT COLLATE "C" NOT NULL,
  value   TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (user_id, name)
);
