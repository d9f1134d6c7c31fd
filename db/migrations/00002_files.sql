-- +goose Up

-- What authenticates a session, beside the choice of its profile: null where nothing
-- does. The instants are text because they must come out of sessions/index.json as
-- they went in, with their nanoseconds.
ALTER TABLE sessions ADD COLUMN token TEXT;
ALTER TABLE sessions ADD COLUMN issuer TEXT;
ALTER TABLE sessions ADD COLUMN session_id TEXT;
ALTER TABLE sessions ADD COLUMN context_id TEXT;
ALTER TABLE sessions ADD COLUMN user_id TEXT;
ALTER TABLE sessions ADD COLUMN user_email TEXT;
ALTER TABLE sessions ADD COLUMN user_type TEXT;
ALTER TABLE sessions ADD COLUMN created_at TEXT;
ALTER TABLE sessions ADD COLUMN expires_at TEXT CHECK ((expires_at IS NULL) = (token IS NULL));
ALTER TABLE sessions ADD COLUMN last_used TEXT;

-- The secrets of a profile by their name in its secrets.json. The URLs and the token of
-- its tenant are not among them: they are the tenant's.
CREATE TABLE profile_secrets (
    profile TEXT NOT NULL REFERENCES profiles (name) ON UPDATE CASCADE,
    key     TEXT NOT NULL CHECK (key <> ''),
    value   TEXT NOT NULL,
    PRIMARY KEY (profile, key)
) STRICT, WITHOUT ROWID;

-- files also knows those that follow something else than the tenants: the index of the
-- sessions, and profile.yaml and secrets.json of a profile. base is what sp wrote there
-- last, against which another program's changes show; of a file that is not merged it is
-- empty. One is due from the change that it has to show until a later change finds it
-- in place, so that a command that was stopped in between is made up for.
ALTER TABLE files ADD COLUMN base TEXT NOT NULL DEFAULT '';
ALTER TABLE files ADD COLUMN due INTEGER NOT NULL DEFAULT 0 CHECK (due IN (0, 1));

CREATE INDEX files_due ON files (due, path) WHERE due = 1;

-- +goose Down
DROP INDEX files_due;
ALTER TABLE files DROP COLUMN due;
ALTER TABLE files DROP COLUMN base;
DROP TABLE profile_secrets;
ALTER TABLE sessions DROP COLUMN last_used;
ALTER TABLE sessions DROP COLUMN expires_at;
ALTER TABLE sessions DROP COLUMN created_at;
ALTER TABLE sessions DROP COLUMN user_type;
ALTER TABLE sessions DROP COLUMN user_email;
ALTER TABLE sessions DROP COLUMN user_id;
ALTER TABLE sessions DROP COLUMN context_id;
ALTER TABLE sessions DROP COLUMN session_id;
ALTER TABLE sessions DROP COLUMN issuer;
ALTER TABLE sessions DROP COLUMN token;
