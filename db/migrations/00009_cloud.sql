-- +goose Up

-- See 00004: the journal of this migration holds the page of that row, too.
UPDATE registry_meta SET revision = revision + 1;
UPDATE registry_meta SET revision = revision - 1;

-- The code of the region that a server is, such as iad; NULL for one that is none.
ALTER TABLE servers ADD COLUMN region TEXT CHECK (region <> '');
CREATE UNIQUE INDEX servers_region ON servers (region);

-- +goose Down
DROP INDEX servers_region;
ALTER TABLE servers DROP COLUMN region;
