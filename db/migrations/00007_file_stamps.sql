-- +goose Up

-- See 00004: the journal of this migration holds the page of that row, too.
UPDATE registry_meta SET revision = revision + 1;
UPDATE registry_meta SET revision = revision - 1;

-- A file is known by what it holds. What of .gitignore and info/exclude was looked at, whose
-- hash nobody needs, stands in current.
DELETE FROM files WHERE path = '.gitignore';
ALTER TABLE files DROP COLUMN stamp;

-- +goose Down
ALTER TABLE files ADD COLUMN stamp TEXT NOT NULL DEFAULT '';
