-- name: DigestKey :one
SELECT digest_key
FROM registry_meta
WHERE id = 1;

-- name: SetDigestKey :exec
UPDATE registry_meta
SET digest_key = @digest_key
WHERE id = 1;

-- name: InsertChange :exec
INSERT INTO changes (sequence, made_at, command, undoes, first_added, last_added, restored, taken)
VALUES (@sequence, @made_at, @command, @undoes, @first_added, @last_added, @restored, @taken);

-- name: MarkTaken :exec
UPDATE changes
SET taken = 1
WHERE sequence = @sequence;

-- name: MarkPublished :exec
UPDATE changes
SET published = @published
WHERE published IS NULL AND sequence = (
    SELECT MAX(earlier.sequence) FROM changes AS earlier WHERE earlier.sequence <= CAST(@sequence AS BIGINT)
);

-- name: LatestPublished :many
SELECT sequence
FROM changes
WHERE published <= CAST(@published AS BIGINT) AND sequence <= @sequence
ORDER BY sequence DESC
LIMIT 1;

-- name: PublishedOrTakenFrom :many
SELECT sequence, made_at, published, taken
FROM changes
WHERE sequence >= @sequence AND (published IS NOT NULL OR taken <> 0)
ORDER BY sequence;

-- name: Change :one
SELECT sequence, made_at, command, undoes, first_added, last_added, restored, published, taken
FROM changes
WHERE sequence = @sequence;

-- name: ChangesBefore :many
SELECT sequence, made_at, command, undoes, first_added, last_added, restored, published, taken
FROM changes
WHERE sequence < @sequence
ORDER BY sequence DESC
LIMIT CAST(@size AS BIGINT);

-- name: TenantChangesBefore :many
SELECT sequence, made_at, command, undoes, first_added, last_added, restored, published, taken
FROM changes
WHERE sequence < CAST(@sequence AS BIGINT) AND (
    EXISTS (SELECT 1 FROM entries WHERE entries.sequence = changes.sequence AND entries.kind <> 'tenant'
        AND entries.tenant_id = CAST(@tenant_id AS TEXT))
    OR EXISTS (SELECT 1 FROM entries WHERE entries.sequence = changes.sequence AND entries.kind = 'tenant'
        AND entries.id = CAST(@tenant_id AS TEXT))
    OR changes.first_added IS NOT NULL AND EXISTS (SELECT 1 FROM tenants WHERE tenants.id = CAST(@tenant_id AS TEXT)
        AND tenants.position BETWEEN changes.first_added AND changes.last_added)
    OR changes.first_added IS NOT NULL AND EXISTS (SELECT 1 FROM entries WHERE entries.kind = 'tenant' AND entries.id = CAST(@tenant_id AS TEXT)
        AND entries.position BETWEEN changes.first_added AND changes.last_added))
ORDER BY changes.sequence DESC
LIMIT CAST(@size AS BIGINT);

-- name: LatestChangeAt :one
SELECT CAST(COALESCE(MAX(sequence), 0) AS BIGINT) AS sequence
FROM changes
WHERE made_at <= @made_at;

-- name: FirstChange :one
SELECT sequence, made_at
FROM changes
WHERE sequence > 0
ORDER BY sequence
LIMIT 1;

-- name: LatestUndoOf :one
SELECT CAST(COALESCE(MAX(sequence), 0) AS BIGINT) AS sequence
FROM changes
WHERE undoes = CAST(@sequence AS BIGINT);

-- name: ChangeThatAdded :one
SELECT sequence, first_added, last_added
FROM changes
WHERE last_added >= CAST(@position AS BIGINT)
ORDER BY last_added
LIMIT 1;

-- name: RestoreOver :many
SELECT sequence
FROM changes
WHERE restored IS NOT NULL AND sequence > @known AND restored < CAST(@shown AS BIGINT)
ORDER BY sequence
LIMIT 1;

-- name: InsertEntry :exec
INSERT INTO entries (sequence, kind, id, tenant_id, position, before, revoked)
VALUES (@sequence, @kind, @id, @tenant_id, @position, @before, @revoked)
ON CONFLICT (sequence, kind, id) DO NOTHING;

-- name: EntriesOfKindAfter :many
SELECT sequence, kind, id, tenant_id, position, before, revoked
FROM entries
WHERE sequence = @sequence AND kind = @kind AND id > @id
ORDER BY id
LIMIT CAST(@size AS BIGINT);

-- name: EntriesOfTenantAfter :many
SELECT sequence, kind, id, tenant_id, position, before, revoked
FROM entries
WHERE tenant_id = @tenant_id AND sequence = @sequence AND kind = @kind AND kind <> 'tenant' AND id > @id
ORDER BY id
LIMIT CAST(@size AS BIGINT);

-- name: CountEntries :one
SELECT COUNT(*)
FROM entries
WHERE sequence = @sequence;

-- name: CountAllEntries :one
SELECT COUNT(*)
FROM entries;

-- name: NextEntry :one
SELECT sequence, kind, id, tenant_id, position, before, revoked
FROM entries
WHERE kind = @kind AND id = @id AND sequence > @sequence
ORDER BY sequence
LIMIT 1;

-- name: RecordedPositionsAfter :many
SELECT position, id
FROM entries
WHERE position > CAST(@position AS BIGINT) AND sequence > @sequence
ORDER BY position, sequence
LIMIT CAST(@size AS BIGINT);

-- name: KeepSecret :exec
INSERT INTO kept_secrets (tenant_id, digest, value, kept_until)
VALUES (@tenant_id, @digest, @value, @kept_until)
ON CONFLICT (tenant_id, digest) DO UPDATE
SET kept_until = excluded.kept_until;

-- name: KeptSecret :one
SELECT value
FROM kept_secrets
WHERE tenant_id = @tenant_id AND digest = @digest AND kept_until > @now;

-- name: CountKeptSecrets :one
SELECT COUNT(*), CAST(COALESCE(MAX(kept_until), 0) AS BIGINT) AS kept_until
FROM kept_secrets;

-- name: EndSecret :exec
UPDATE kept_secrets
SET kept_until = @now
WHERE digest = @digest;

-- name: EndSecretsOf :exec
UPDATE kept_secrets
SET kept_until = @now
WHERE tenant_id = @tenant_id;

-- name: ForgetSecretsUntil :exec
DELETE FROM kept_secrets
WHERE kept_until <= @kept_until;
