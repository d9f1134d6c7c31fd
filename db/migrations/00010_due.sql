-- +goose Up

-- See 00004: the journal of this migration holds the page of that row, too.
UPDATE registry_meta SET revision = revision + 1;
UPDATE registry_meta SET revision = revision - 1;

-- With which something is left to be done, among very many with which nothing is.
CREATE INDEX databases_due ON databases (tenant_id) WHERE state <> 'ready' OR retire_at IS NOT NULL;

-- +goose Down
DROP INDEX databases_due;
