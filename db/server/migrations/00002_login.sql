-- +goose Up

-- What it takes to log in. Whoever came in by a personal token has what that token may, for as long
-- as it is there: token_id names it. It is NULL for who came in by a join code.

-- The key that signs access tokens, made once: the 32 bytes of an Ed25519 key.
CREATE TABLE signing_keys (
    id   TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),
    seed BLOB NOT NULL CHECK (length(seed) = 32)
) STRICT, WITHOUT ROWID;

-- A program that asks, through a browser, to act for somebody who did not answer yet. wrong counts
-- the wrong codes of the minute that began at wrong_since.
CREATE TABLE login_requests (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    redirect_url TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    challenge    TEXT    NOT NULL CHECK (challenge <> ''),
    scopes       TEXT    NOT NULL,
    hostname     TEXT    NOT NULL,
    expires_at   INTEGER NOT NULL,
    wrong        INTEGER NOT NULL,
    wrong_since  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX login_requests_expiry ON login_requests (expires_at);

-- A code that a program exchanges once for tokens. session is what it was exchanged for: a second
-- use ends that.
CREATE TABLE login_codes (
    hash         TEXT    NOT NULL PRIMARY KEY CHECK (hash <> ''),
    user_id      TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_id     TEXT REFERENCES tokens (id) ON DELETE CASCADE,
    redirect_url TEXT    NOT NULL,
    challenge    TEXT    NOT NULL CHECK (challenge <> ''),
    scopes       TEXT    NOT NULL,
    hostname     TEXT    NOT NULL,
    expires_at   INTEGER NOT NULL,
    session      TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX login_codes_user ON login_codes (user_id);
CREATE INDEX login_codes_token ON login_codes (token_id) WHERE token_id IS NOT NULL;
CREATE INDEX login_codes_expiry ON login_codes (expires_at);

-- A program that asks without a browser, and the code that a user types for it. It polls at most
-- every poll_after microseconds.
CREATE TABLE devices (
    hash        TEXT    NOT NULL PRIMARY KEY CHECK (hash <> ''),
    user_code   TEXT    NOT NULL CHECK (user_code <> ''),
    scopes      TEXT    NOT NULL,
    hostname    TEXT    NOT NULL,
    address     TEXT    NOT NULL,
    made_at     INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    polled_at   INTEGER NOT NULL,
    poll_after  INTEGER NOT NULL CHECK (poll_after > 0),
    wrong       INTEGER NOT NULL,
    wrong_since INTEGER NOT NULL,
    answer      TEXT    NOT NULL CHECK (answer IN ('none', 'allowed', 'denied')),
    user_id     TEXT REFERENCES users (id) ON DELETE CASCADE,
    token_id    TEXT REFERENCES tokens (id) ON DELETE CASCADE,
    session     TEXT,
    CHECK ((answer = 'allowed') = (user_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX devices_code ON devices (user_code);
CREATE INDEX devices_user ON devices (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX devices_token ON devices (token_id) WHERE token_id IS NOT NULL;
CREATE INDEX devices_expiry ON devices (expires_at);

-- A browser in which somebody is signed in, by its cookie.
CREATE TABLE browsers (
    hash       TEXT    NOT NULL PRIMARY KEY CHECK (hash <> ''),
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_id   TEXT REFERENCES tokens (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX browsers_user ON browsers (user_id);
CREATE INDEX browsers_token ON browsers (token_id) WHERE token_id IS NOT NULL;
CREATE INDEX browsers_expiry ON browsers (expires_at);

-- A program that acts for somebody: the family of its tokens. used is the highest generation of its
-- refresh tokens that came back.
CREATE TABLE logins (
    session    TEXT    NOT NULL PRIMARY KEY CHECK (session <> ''),
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_id   TEXT REFERENCES tokens (id) ON DELETE CASCADE,
    scopes     TEXT    NOT NULL,
    hostname   TEXT    NOT NULL,
    used       INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX logins_user ON logins (user_id);
CREATE INDEX logins_token ON logins (token_id) WHERE token_id IS NOT NULL;
CREATE INDEX logins_expiry ON logins (expires_at);

-- The refresh tokens of a login, all of them: an old one that comes back late was stolen, or the
-- newer ones were. A generation has more than one where an answer was lost.
CREATE TABLE refresh_tokens (
    hash       TEXT    NOT NULL PRIMARY KEY CHECK (hash <> ''),
    session    TEXT    NOT NULL REFERENCES logins (session) ON DELETE CASCADE,
    generation INTEGER NOT NULL CHECK (generation > 0),
    used_at    INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_session ON refresh_tokens (session, generation);

-- +goose Down
DROP TABLE refresh_tokens;
DROP TABLE logins;
DROP TABLE browsers;
DROP TABLE devices;
DROP TABLE login_codes;
DROP TABLE login_requests;
DROP TABLE signing_keys;
