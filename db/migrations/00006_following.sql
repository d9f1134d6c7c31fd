-- +goose Up

-- See 00004: the journal of this migration holds the page of that row, too.
UPDATE registry_meta SET revision = revision + 1;
UPDATE registry_meta SET revision = revision - 1;

-- kind says which kind of file follows the registry here (internal/follow), and profile whose
-- it is; a file that shows tenants has neither. base is what sp wrote there last. former is
-- what it had written before that, while base may not be in place yet: of secrets no more than
-- digests, and NULL once it is certain that base is.
ALTER TABLE files ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE files ADD COLUMN profile TEXT NOT NULL DEFAULT '' CHECK (profile = '' OR kind <> '');
ALTER TABLE files ADD COLUMN former TEXT;

UPDATE files
SET kind = CASE
        WHEN path = 'sessions/index.json' THEN 'sessions'
        WHEN path LIKE '%/profile.yaml' THEN 'profile'
        WHEN path LIKE '%/secrets.json' THEN 'secrets'
        ELSE 'compose'
    END,
    profile = CASE
        WHEN path LIKE 'profiles/%' THEN substr(path, 10, instr(substr(path, 10), '/') - 1) ELSE ''
    END,
    base = CASE
        WHEN instr(base, char(30)) > 0 THEN substr(base, 1, instr(base, char(30)) - 1) ELSE base
    END,
    former = CASE
        WHEN instr(base, char(30)) > 0 THEN substr(base, instr(base, char(30)) + 1)
    END
WHERE path LIKE '%/%' AND path NOT LIKE '/%';

-- +goose Down
UPDATE files SET base = base || char(30) || former WHERE former IS NOT NULL;
ALTER TABLE files DROP COLUMN former;
ALTER TABLE files DROP COLUMN profile;
ALTER TABLE files DROP COLUMN kind;
