-- +goose Up

-- See 00004: the journal of this migration holds the page of that row, too.
UPDATE registry_meta SET revision = revision + 1;
UPDATE registry_meta SET revision = revision - 1;

-- Why a server is not used: 'unnamed' until sp db up or sp db use names it, because the
-- registry that knows it was trusted since; 'foreign' because this registry is a copy, and
-- the server is that of the directory from which it was copied.
ALTER TABLE servers ADD COLUMN withheld TEXT CHECK (withheld IN ('unnamed', 'foreign'));

-- Where the data of a local server are, below the user's place for data, and the inode and
-- time of birth of that directory: NULL until it is made, empty where the file system does
-- not tell. A server without a place was made by an earlier sp, in the work tree.
ALTER TABLE servers ADD COLUMN place TEXT CHECK (place <> '');
ALTER TABLE servers ADD COLUMN identity TEXT;

-- Of the container: the SHA-256 of the shared.yaml and the shared.env that may be used, and
-- the digest of the image that ran first.
ALTER TABLE servers ADD COLUMN compose TEXT CHECK (compose <> '');
ALTER TABLE servers ADD COLUMN env TEXT CHECK (env <> '');
ALTER TABLE servers ADD COLUMN image TEXT CHECK (image <> '');

-- +goose Down
ALTER TABLE servers DROP COLUMN image;
ALTER TABLE servers DROP COLUMN env;
ALTER TABLE servers DROP COLUMN compose;
ALTER TABLE servers DROP COLUMN identity;
ALTER TABLE servers DROP COLUMN place;
ALTER TABLE servers DROP COLUMN withheld;
