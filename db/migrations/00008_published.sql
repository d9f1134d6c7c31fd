-- +goose Up

-- See 00004: the journal of this migration holds the page of that row, too.
UPDATE registry_meta SET revision = revision + 1;
UPDATE registry_meta SET revision = revision - 1;

-- What another program can have read of tenants.json: published is the time, by the file
-- system (microseconds since 1970), of the first file that showed the registry as this change
-- left it, and NULL where none did. A change that took over what another program had done to the
-- file, by a merge or an import of it, is taken: that program knew it before. It is 2 of what was
-- kept of the file: that program did it, too, but may not know it when it writes the next time.
ALTER TABLE changes ADD COLUMN published INTEGER;
ALTER TABLE changes ADD COLUMN taken INTEGER NOT NULL DEFAULT 0 CHECK (taken IN (0, 1, 2));

-- When the file was written that is there by now, nobody knows: long ago.
UPDATE changes SET published = 0
WHERE sequence = (SELECT tenants_revision FROM files WHERE path = 'tenants.json');

-- +goose Down
ALTER TABLE changes DROP COLUMN taken;
ALTER TABLE changes DROP COLUMN published;
