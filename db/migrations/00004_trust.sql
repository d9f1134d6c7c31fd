-- +goose Up

-- registry_id is a secret, random name of this registry, in hexadecimal: the file .place
-- beside it and this user's receipt hold the same one, so that a registry that came from
-- elsewhere is known (db/trust.go). It is empty in one that an older sp made, until its first
-- change. It stands at the beginning of the row that every change rewrites first, before
-- what can be long: so the journal of a change holds it, in the page of that row alone
-- (db/journal.go). A later migration begins with an UPDATE that
-- alters that row, and one that takes it back.
CREATE TABLE registry_meta_next (
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

INSERT INTO registry_meta_next (
    id, registry_id, revision, tenants_revision, synced_at, unknown_members, digest_key, imported, imported_revision, imported_tenants
)
SELECT id, '', revision, tenants_revision, synced_at, unknown_members, digest_key, imported, imported_revision, imported_tenants
FROM registry_meta;

DROP TABLE registry_meta;
ALTER TABLE registry_meta_next RENAME TO registry_meta;

-- +goose Down
ALTER TABLE registry_meta DROP COLUMN registry_id;
