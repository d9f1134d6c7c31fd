-- +goose Up

-- See 00004: the journal of this migration holds the page of that row, too.
UPDATE registry_meta SET revision = revision + 1;
UPDATE registry_meta SET revision = revision - 1;

-- The code of the region that a server is, such as iad; NULL for one that is none.
ALTER TABLE servers ADD COLUMN region TEXT CHECK (region <> '');
CREATE UNIQUE INDEX servers_region ON servers (region);

-- What the control plane at origin said of a tenant at the last sync: base is the members, as
-- a JSON object. account is who saw it, empty where that is not known.
CREATE TABLE cloud_tenants (
    tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id),
    origin    TEXT NOT NULL CHECK (origin <> ''),
    account   TEXT NOT NULL,
    base      TEXT NOT NULL CHECK (base <> '')
) STRICT, WITHOUT ROWID;

-- When the control plane at origin was asked last (microseconds since 1970), by whom, and the ETag
-- of what it said.
CREATE TABLE cloud_origins (
    origin    TEXT    NOT NULL PRIMARY KEY CHECK (origin <> ''),
    account   TEXT    NOT NULL,
    etag      TEXT    NOT NULL,
    synced_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The requests to control planes whose results are not stored yet, by their idempotency keys. account
-- is who asks, to whom alone the control plane knows the key, empty where that is not known. Of a
-- creation the tenant is NULL until the control plane has said which it makes; it is not in tenants
-- before its credentials are.
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

-- +goose Down
DROP TABLE cloud_calls;
DROP TABLE cloud_origins;
DROP TABLE cloud_tenants;
DROP INDEX servers_region;
ALTER TABLE servers DROP COLUMN region;
