-- What people have chosen; who has chosen nothing has no rows.
CREATE TABLE user_settings (
  user_id TEXT NOT NULL,
  name    TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (user_id, name)
) WITHOUT ROWID;
