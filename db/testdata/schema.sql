CREATE TABLE changes (
    sequence    INTEGER NOT NULL PRIMARY KEY CHECK (sequence > 0),
    made_at     INTEGER NOT NULL, -- microseconds since 1970
    command     TEXT    NOT NULL,
    undoes      INTEGER REFERENCES changes (sequence),
    first_added INTEGER,
    last_added  INTEGER,
    restored    INTEGER, published INTEGER, taken INTEGER NOT NULL DEFAULT 0 CHECK (taken IN (0, 1, 2)),
    CHECK ((first_added IS NULL) = (last_added IS NULL) AND COALESCE(first_added, 0) <= COALESCE(last_added, 0))
) STRICT;

CREATE INDEX changes_added ON changes (last_added);

CREATE INDEX changes_restored ON changes (sequence, restored) WHERE restored IS NOT NULL;

CREATE INDEX changes_undoes ON changes (undoes, sequence);

CREATE TABLE cloud_calls (
    key                TEXT    NOT NULL PRIMARY KEY CHECK (key <> ''),
    kind               TEXT    NOT NULL CHECK (kind IN ('create', 'rotate', 'token')),
    origin             TEXT    NOT NULL CHECK (origin <> ''),
    account            TEXT    NOT NULL,
    tenant_id          TEXT CHECK (tenant_id <> ''),
    name               TEXT    NOT NULL,
    region             TEXT    NOT NULL,
    external_db_access INTEGER NOT NULL CHECK (external_db_access IN (0, 1)),
    made_at            INTEGER NOT NULL,
    CHECK (kind = 'create' OR tenant_id IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE cloud_origins (
    origin    TEXT    NOT NULL PRIMARY KEY CHECK (origin <> ''),
    account   TEXT    NOT NULL,
    etag      TEXT    NOT NULL,
    synced_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cloud_tenants (
    tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id),
    origin    TEXT NOT NULL CHECK (origin <> ''),
    account   TEXT NOT NULL,
    base      TEXT NOT NULL CHECK (base <> '')
) STRICT, WITHOUT ROWID;

CREATE TABLE databases (
    tenant_id TEXT    NOT NULL PRIMARY KEY CHECK (tenant_id <> ''),
    state     TEXT    NOT NULL CHECK (state IN ('provisioning', 'ready', 'dropping')),
    server    TEXT    NOT NULL REFERENCES servers (name),
    name      TEXT    NOT NULL CHECK (name <> ''),
    login     TEXT    NOT NULL CHECK (login IN ('a', 'b')),
    retire_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX databases_due ON databases (tenant_id) WHERE state <> 'ready' OR retire_at IS NOT NULL;

CREATE TABLE entries (
    sequence  INTEGER NOT NULL REFERENCES changes (sequence) DEFERRABLE INITIALLY DEFERRED,
    kind      TEXT    NOT NULL CHECK (kind IN ('tenant', 'profile', 'session', 'selection', 'document')),
    id        TEXT    NOT NULL CHECK (id <> ''),
    tenant_id TEXT    NOT NULL,
    position  INTEGER,
    before    TEXT    NOT NULL,
    revoked   TEXT    NOT NULL,
    PRIMARY KEY (sequence, kind, id),
    CHECK ((kind = 'tenant') = (position IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX entries_position ON entries (position, sequence) WHERE position IS NOT NULL;

CREATE INDEX entries_tenant ON entries (tenant_id, sequence) WHERE kind <> 'tenant';

CREATE INDEX entries_thing ON entries (kind, id, sequence);

CREATE TABLE files (
    path             TEXT    NOT NULL PRIMARY KEY CHECK (path <> ''),
    previous         TEXT    NOT NULL,
    current          TEXT    NOT NULL CHECK (current <> ''),
    tenants_revision INTEGER NOT NULL,
    base TEXT NOT NULL DEFAULT '', due INTEGER NOT NULL DEFAULT 0 CHECK (due IN (0, 1)), kind TEXT NOT NULL DEFAULT '', profile TEXT NOT NULL DEFAULT '' CHECK (profile = '' OR kind <> ''), former TEXT) STRICT, WITHOUT ROWID;

CREATE INDEX files_due ON files (due, path) WHERE due = 1;

CREATE TABLE kept_secrets (
    tenant_id  TEXT    NOT NULL,
    digest     TEXT    NOT NULL CHECK (digest <> ''),
    value      TEXT    NOT NULL,
    kept_until INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX kept_secrets_digest ON kept_secrets (digest, tenant_id);

CREATE INDEX kept_secrets_until ON kept_secrets (kept_until);

CREATE TABLE profile_secrets (
    profile TEXT NOT NULL REFERENCES profiles (name) ON UPDATE CASCADE,
    key     TEXT NOT NULL CHECK (key <> ''),
    value   TEXT NOT NULL,
    PRIMARY KEY (profile, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE profiles (
    name      TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
    name_key  TEXT NOT NULL CHECK (name_key <> ''),
    tenant_id TEXT NOT NULL REFERENCES tenants (id)
) STRICT, WITHOUT ROWID;

CREATE INDEX profiles_name_key ON profiles (name_key, name);

CREATE UNIQUE INDEX profiles_name_tenant ON profiles (name, tenant_id);

CREATE INDEX profiles_tenant ON profiles (tenant_id, name);

CREATE TABLE "registry_meta" (
    id                INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    registry_id       TEXT    NOT NULL,
    revision          INTEGER NOT NULL CHECK (revision >= 0),
    tenants_revision  INTEGER NOT NULL CHECK (tenants_revision BETWEEN 0 AND revision),
    synced_at         TEXT    NOT NULL CHECK (synced_at <> ''),
    unknown_members   TEXT    NOT NULL,
    digest_key        TEXT    NOT NULL,
    imported          TEXT    NOT NULL,
    imported_revision INTEGER NOT NULL,
    imported_tenants  INTEGER NOT NULL
) STRICT;

CREATE TABLE rotations (
    tenant_id    TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id),
    database_url TEXT NOT NULL CHECK (database_url <> '')
) STRICT, WITHOUT ROWID;

CREATE TABLE selection (
    id                 INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    tenant_id          TEXT REFERENCES tenants (id),
    previous_tenant_id TEXT REFERENCES tenants (id),
    deleted_tenant_id  TEXT,
    default_profile    TEXT REFERENCES profiles (name) ON UPDATE CASCADE,
    CHECK (tenant_id IS NULL OR deleted_tenant_id IS NULL)
) STRICT;

CREATE TABLE servers (
    name      TEXT    NOT NULL PRIMARY KEY CHECK (name <> ''),
    provider  TEXT    NOT NULL CHECK (provider IN ('server', 'docker', 'local')),
    admin_url TEXT    NOT NULL CHECK (admin_url <> ''),
    chosen    INTEGER NOT NULL CHECK (chosen IN (0, 1))
, withheld TEXT CHECK (withheld IN ('unnamed', 'foreign')), place TEXT CHECK (place <> ''), identity TEXT, compose TEXT CHECK (compose <> ''), env TEXT CHECK (env <> ''), image TEXT CHECK (image <> ''), region TEXT CHECK (region <> '')) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX servers_region ON servers (region);

CREATE TABLE sessions (
    tenant_id TEXT    NOT NULL PRIMARY KEY REFERENCES tenants (id),
    profile   TEXT    NOT NULL,
    chosen_at INTEGER NOT NULL, token TEXT, issuer TEXT, session_id TEXT, context_id TEXT, user_id TEXT, user_email TEXT, user_type TEXT, created_at TEXT, expires_at TEXT CHECK ((expires_at IS NULL) = (token IS NULL)), last_used TEXT, -- microseconds since 1970
    FOREIGN KEY (profile, tenant_id) REFERENCES profiles (name, tenant_id) ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_profile ON sessions (profile, tenant_id);

CREATE TABLE tenants (
    position              INTEGER NOT NULL PRIMARY KEY CHECK (position > 0),
    id                    TEXT    NOT NULL CHECK (id <> ''),
    name                  TEXT    NOT NULL CHECK (name <> ''),
    app_id                TEXT,
    hostname              TEXT,
    region                TEXT,
    database_url          TEXT,
    internal_database_url TEXT,
    tenant_type           TEXT    NOT NULL CHECK (tenant_type IN ('local', 'cloud')),
    external_db_access    INTEGER NOT NULL CHECK (external_db_access IN (0, 1)),
    sync_token            TEXT,
    shared_container_db   TEXT,
    unknown_members       TEXT    NOT NULL,
    seen                  INTEGER NOT NULL,
    version               INTEGER NOT NULL CHECK (version > 0)
) STRICT;

CREATE UNIQUE INDEX tenants_id ON tenants (id);

CREATE INDEX tenants_name ON tenants (name);

