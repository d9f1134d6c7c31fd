-- +goose Up

-- registry_id is a secret, random name of this registry, in hexadecimal: the file .place
-- beside it and this user's receipt hold the same one, so that a registry that came from
-- elsewhere is known (see db/trust.go). It is empty in one that an older sp made, until its first
-- change.
ALTER TABLE registry_meta ADD COLUMN registry_id TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE registry_meta DROP COLUMN registry_id;
