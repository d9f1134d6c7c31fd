-- +goose Up

-- What is here, an open has to parse: a table without rowid has one object instead of two.

-- One row: the registry itself. Every change adds one to revision first, which
-- orders the writers; tenants_revision is the revision of the last change that a
-- file of tenants shows. synced_at is text because it must come out of an export
-- as it went in, with its nanoseconds. digest_key, in hexadecimal, keys the digests
-- by which the history knows secrets, and is empty until the first of them. The file
-- that was imported last, by its SHA-256, and its tenants are what the registry held at
-- imported_revision, a tenants_revision.
CREATE TABLE registry_meta (
    id                INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    revision          INTEGER NOT NULL CHECK (revision >= 0),
    tenants_revision  INTEGER NOT NULL CHECK (tenants_revision BETWEEN 0 AND revision),
    synced_at         TEXT    NOT NULL CHECK (synced_at <> ''),
    unknown_members   TEXT    NOT NULL,
    digest_key        TEXT    NOT NULL,
    imported          TEXT    NOT NULL,
    imported_revision INTEGER NOT NULL,
    imported_tenants  INTEGER NOT NULL
) STRICT;

-- position is the order of entry and, being the rowid, the order of an export.
-- id has an index of its own instead of being a primary key, so that an import
-- into an empty registry can build that index last. seen is the revision of the
-- change that wrote the row or found it in a file; version counts its changes.
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

-- name_key is the name in lower case: a new name differs by more than case.
CREATE TABLE profiles (
    name      TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
    name_key  TEXT NOT NULL CHECK (name_key <> ''),
    tenant_id TEXT NOT NULL REFERENCES tenants (id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX profiles_name_tenant ON profiles (name, tenant_id);
CREATE INDEX profiles_tenant ON profiles (tenant_id, name);
CREATE INDEX profiles_name_key ON profiles (name_key, name);

-- One session a tenant, and its profile belongs to that tenant.
CREATE TABLE sessions (
    tenant_id TEXT    NOT NULL PRIMARY KEY REFERENCES tenants (id),
    profile   TEXT    NOT NULL,
    chosen_at INTEGER NOT NULL, -- microseconds since 1970
    FOREIGN KEY (profile, tenant_id) REFERENCES profiles (name, tenant_id) ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_profile ON sessions (profile, tenant_id);

-- One row: what is selected. deleted_tenant_id marks that the selected tenant was
-- deleted, so that no other one slips into its place.
CREATE TABLE selection (
    id                 INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    tenant_id          TEXT REFERENCES tenants (id),
    previous_tenant_id TEXT REFERENCES tenants (id),
    deleted_tenant_id  TEXT,
    default_profile    TEXT REFERENCES profiles (name) ON UPDATE CASCADE,
    CHECK (tenant_id IS NULL OR deleted_tenant_id IS NULL)
) STRICT;

-- The files that show tenants: a path relative to the directory is tracked, and
-- rewritten with every change of a tenant; an absolute one is a copy. The hashes
-- (SHA-256 in hexadecimal, empty for no file) tell our bytes from another's;
-- tenants_revision is the one that current shows. stamp is what the file system said
-- of a file that held current, and that every write to it changes; empty where that
-- is not known.
CREATE TABLE files (
    path             TEXT    NOT NULL PRIMARY KEY CHECK (path <> ''),
    previous         TEXT    NOT NULL,
    current          TEXT    NOT NULL CHECK (current <> ''),
    tenants_revision INTEGER NOT NULL,
    stamp            TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a change: sequence is the revision that it made, undoes the change that
-- it took back. The tenants that it appended are those from position first_added
-- to last_added: no position is given twice, so that a file of a million tenants
-- is one row here. restored is the revision of the backup that a restore put in
-- place: of what was between that and the restore, this history tells nothing.
CREATE TABLE changes (
    sequence    INTEGER NOT NULL PRIMARY KEY CHECK (sequence > 0),
    made_at     INTEGER NOT NULL, -- microseconds since 1970
    command     TEXT    NOT NULL,
    undoes      INTEGER REFERENCES changes (sequence),
    first_added INTEGER,
    last_added  INTEGER,
    restored    INTEGER,
    CHECK ((first_added IS NULL) = (last_added IS NULL) AND COALESCE(first_added, 0) <= COALESCE(last_added, 0))
) STRICT;

CREATE INDEX changes_added ON changes (last_added);
CREATE INDEX changes_undoes ON changes (undoes, sequence);
CREATE INDEX changes_restored ON changes (sequence, restored) WHERE restored IS NOT NULL;

-- What a change did to one thing that was not appended. before is the thing as it
-- was, a JSON object of its members with digests for secrets, and empty where it
-- was not there; as it was after is the before of the next entry or, without one,
-- the thing itself. tenant_id is the tenant that it concerns, position the
-- tenant's; revoked names the secret that this change made worthless.
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

CREATE INDEX entries_thing ON entries (kind, id, sequence);
CREATE INDEX entries_tenant ON entries (tenant_id, sequence) WHERE kind <> 'tenant';
CREATE INDEX entries_position ON entries (position, sequence) WHERE position IS NOT NULL;

-- The secret values that changes removed, until kept_until (microseconds since
-- 1970), so that an undo can put them back.
CREATE TABLE kept_secrets (
    tenant_id  TEXT    NOT NULL,
    digest     TEXT    NOT NULL CHECK (digest <> ''),
    value      TEXT    NOT NULL,
    kept_until INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX kept_secrets_digest ON kept_secrets (digest, tenant_id);
CREATE INDEX kept_secrets_until ON kept_secrets (kept_until);

-- +goose Down
DROP TABLE kept_secrets;
DROP TABLE entries;
DROP TABLE changes;
DROP TABLE files;
DROP TABLE selection;
DROP TABLE sessions;
DROP TABLE profiles;
DROP TABLE tenants;
DROP TABLE registry_meta;
