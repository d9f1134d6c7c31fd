-- +goose Up

-- The login that a device's program was given, so that it can have the answer again if that was lost: from
-- then on polled_at is when that was.
ALTER TABLE devices ADD COLUMN session TEXT;

-- +goose Down
ALTER TABLE devices DROP COLUMN session;
