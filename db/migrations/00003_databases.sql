-- +goose Up

-- The servers on which sp makes databases for tenants: one that it runs itself is called
-- local or docker, another by its address. admin_url logs in there as somebody who may
-- make roles and databases. New ones go to the chosen one, unless another is named.
CREATE TABLE servers (
    name      TEXT    NOT NULL PRIMARY KEY CHECK (name <> ''),
    provider  TEXT    NOT NULL CHECK (provider IN ('server', 'docker', 'local')),
    admin_url TEXT    NOT NULL CHECK (admin_url <> ''),
    chosen    INTEGER NOT NULL CHECK (chosen IN (0, 1))
) STRICT, WITHOUT ROWID;

-- The databases that sp has made for tenants, or is about to make. A row goes with its
-- database and not with its tenant, so that there is none on a server of which nobody
-- knows any more. name is also, with _owner, _a and _b behind it, that of its roles;
-- login is the one of the last two that the tenant's URL names. The other one is to end at
-- retire_at (microseconds since 1970).
CREATE TABLE databases (
    tenant_id TEXT    NOT NULL PRIMARY KEY CHECK (tenant_id <> ''),
    state     TEXT    NOT NULL CHECK (state IN ('provisioning', 'ready', 'dropping')),
    server    TEXT    NOT NULL REFERENCES servers (name),
    name      TEXT    NOT NULL CHECK (name <> ''),
    login     TEXT    NOT NULL CHECK (login IN ('a', 'b')),
    retire_at INTEGER
) STRICT, WITHOUT ROWID;

-- The URL that a tenant gets when the role of its database, which sp has not made, has its
-- new password: it is here from before that until it is the tenant's.
CREATE TABLE rotations (
    tenant_id    TEXT NOT NULL PRIMARY KEY REFERENCES tenants (id),
    database_url TEXT NOT NULL CHECK (database_url <> '')
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE rotations;
DROP TABLE databases;
DROP TABLE servers;
