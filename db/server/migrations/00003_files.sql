-- +goose Up

-- The configuration of a tenant: an archive of its files as internal/archive writes it, its manifest
-- in JSON, and the ETag of that. A tenant without a row has no files. (Its rows are long, and so have
-- a rowid.)
CREATE TABLE files (
    tenant_id  TEXT    NOT NULL PRIMARY KEY CHECK (tenant_id <> ''),
    etag       TEXT    NOT NULL CHECK (etag <> ''),
    manifest   TEXT    NOT NULL,
    archive    BLOB    NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE files;
