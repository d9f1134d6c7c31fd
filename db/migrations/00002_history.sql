-- +goose Up

-- One row. since is the revision that the registry had when its history began;
-- digest_key, in hexadecimal, keys the digests by which the history knows secrets,
-- and is empty until the first of them.
CREATE TABLE history (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    since      INTEGER NOT NULL CHECK (since >= 0),
    digest_key TEXT    NOT NULL
) STRICT;

INSERT INTO history (id, since, digest_key)
SELECT 1, revision, '' FROM registry_meta;

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
) STRICT;

CREATE INDEX kept_secrets_digest ON kept_secrets (digest, tenant_id);
CREATE INDEX kept_secrets_until ON kept_secrets (kept_until);

-- +goose Down
DROP TABLE kept_secrets;
DROP TABLE entries;
DROP TABLE changes;
DROP TABLE history;
