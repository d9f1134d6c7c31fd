-- +goose Up

-- What a control plane knows beside its registry. Every instant is in microseconds since 1970. A
-- hash is SHA-256 in hexadecimal of a secret that is kept nowhere.

-- grants counts the changes of what somebody may see: with the registry's revision it is the ETag of
-- a list of tenants.
CREATE TABLE counters (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    grants INTEGER NOT NULL
) STRICT;

INSERT INTO counters (id, grants) VALUES (1, 0);

CREATE TABLE users (
    id         TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    name       TEXT    NOT NULL CHECK (name <> ''),
    name_key   TEXT    NOT NULL CHECK (name_key <> ''), -- the name in lower case
    email      TEXT    NOT NULL CHECK (email <> ''),
    role       TEXT    NOT NULL CHECK (role IN ('admin', 'member', 'reader')),
    active     INTEGER NOT NULL CHECK (active IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX users_name ON users (name_key);

-- The tenants that a user may use who is no admin.
CREATE TABLE grants (
    user_id   TEXT NOT NULL REFERENCES users (id),
    tenant_id TEXT NOT NULL CHECK (tenant_id <> ''),
    PRIMARY KEY (user_id, tenant_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX grants_tenant ON grants (tenant_id, user_id);

-- A code by which a user begins, once.
CREATE TABLE join_codes (
    hash       TEXT    NOT NULL PRIMARY KEY CHECK (hash <> ''),
    user_id    TEXT    NOT NULL REFERENCES users (id),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX join_codes_user ON join_codes (user_id);

-- A personal token is a user's, a sync token a tenant's, an access token that of a login, which
-- session names. tenants, of a personal one, are the only ones for which it is good, separated by
-- blanks; empty is all that the user has. shown is how it begins. One that was made with another ends
-- with that, its parent.
CREATE TABLE tokens (
    id         TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
    kind       TEXT    NOT NULL CHECK (kind IN ('personal', 'sync', 'access')),
    hash       TEXT    NOT NULL CHECK (hash <> ''),
    shown      TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    user_id    TEXT REFERENCES users (id),
    tenant_id  TEXT,
    session    TEXT,
    scopes     TEXT    NOT NULL,
    tenants    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at    INTEGER,
    parent_id  TEXT REFERENCES tokens (id) ON DELETE CASCADE,
    CHECK ((kind = 'sync') = (tenant_id IS NOT NULL)),
    CHECK ((kind = 'sync') = (user_id IS NULL)),
    CHECK ((kind = 'access') = (session IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX tokens_hash ON tokens (hash);
CREATE UNIQUE INDEX tokens_tenant ON tokens (tenant_id) WHERE tenant_id IS NOT NULL;
CREATE INDEX tokens_user ON tokens (user_id, created_at, id);
CREATE INDEX tokens_session ON tokens (session) WHERE session IS NOT NULL;
CREATE INDEX tokens_parent ON tokens (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX tokens_expiry ON tokens (expires_at) WHERE expires_at IS NOT NULL;

-- A request with an idempotency key. request is the hash of what was asked; tenant_id and effect are
-- by what the effect is known again if the process ended in between: of a creation the id that its
-- tenant gets, of a rotation the hash of the URL that it publishes, empty until it is about to. done
-- tells that it is over. Which are under way is known in the memory of the one process that serves.
CREATE TABLE calls (
    user_id   TEXT    NOT NULL REFERENCES users (id),
    key       TEXT    NOT NULL CHECK (key <> ''),
    operation TEXT    NOT NULL,
    request   TEXT    NOT NULL,
    tenant_id TEXT    NOT NULL,
    effect    TEXT    NOT NULL,
    done      INTEGER NOT NULL CHECK (done IN (0, 1)),
    made_at   INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX calls_made ON calls (made_at);

-- What was done with a tenant's database, in steps that are numbered for each tenant.
CREATE TABLE events (
    tenant_id TEXT    NOT NULL,
    number    INTEGER NOT NULL CHECK (number > 0),
    at        INTEGER NOT NULL,
    type      TEXT    NOT NULL,
    status    TEXT    NOT NULL,
    message   TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX events_at ON events (at);

-- A tenant with whose database something did not work, the making of it or anything else: how often
-- since it last did, when it is tried again, NULL for not by itself, and why, without secrets.
CREATE TABLE troubles (
    tenant_id TEXT    NOT NULL,
    making    INTEGER NOT NULL CHECK (making IN (0, 1)),
    failures  INTEGER NOT NULL CHECK (failures > 0),
    next_at   INTEGER,
    reason    TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, making),
    CHECK (making = 1 OR next_at IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- A tenant whose subscription was cancelled: when it is deleted, and whether its database is
-- read-only yet. delete_at is NULL where that was taken back and the database is read-only still.
CREATE TABLE cancellations (
    tenant_id TEXT    NOT NULL PRIMARY KEY,
    delete_at INTEGER,
    applied   INTEGER NOT NULL CHECK (applied IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Who did what. It outlasts users, tokens and tenants, so it names them by text. target is the user,
-- token or region with which it was done, empty for none.
CREATE TABLE audit (
    id         INTEGER NOT NULL PRIMARY KEY,
    at         INTEGER NOT NULL,
    user_id    TEXT    NOT NULL,
    user_name  TEXT    NOT NULL,
    token_id   TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    request_id TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    tenant_id  TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    outcome    TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_tenant ON audit (tenant_id, id);
CREATE INDEX audit_user ON audit (user_id, id);

-- The registry to which all that is here belongs, by the hash of its id, and the highest revision of it
-- that spd has seen. It is written behind a change of the registry: so a registry that is behind it is an
-- older one, as from a backup. There is no row before the first look.
CREATE TABLE registry_mark (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    registry TEXT    NOT NULL CHECK (registry <> ''),
    revision INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE registry_mark;
DROP TABLE audit;
DROP TABLE cancellations;
DROP TABLE troubles;
DROP TABLE events;
DROP TABLE calls;
DROP TABLE tokens;
DROP TABLE join_codes;
DROP TABLE grants;
DROP TABLE users;
DROP TABLE counters;
