-- +goose Up

-- Which calls are under way is known in the memory of the one process that serves: what said so here stayed
-- behind where its end could not be written.
ALTER TABLE calls DROP COLUMN process;

-- +goose Down
ALTER TABLE calls ADD COLUMN process TEXT NOT NULL DEFAULT '';
