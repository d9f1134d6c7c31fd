-- +goose Up

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
