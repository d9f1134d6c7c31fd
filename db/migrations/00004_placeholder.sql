-- +goose Up

-- Another part of the same release has this number; this file goes when that comes.
SELECT 1;

-- +goose Down
SELECT 1;
