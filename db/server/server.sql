-- name: Grants :one
SELECT grants
FROM counters
WHERE id = 1;

-- name: BumpGrants :exec
UPDATE counters
SET grants = grants + 1
WHERE id = 1;

-- name: InsertUser :exec
INSERT INTO users (id, name, name_key, email, role, active, created_at)
VALUES (@id, @name, @name_key, @email, @role, @active, @created_at);

-- name: UpdateUser :exec
UPDATE users
SET role = @role, active = @active
WHERE id = @id;

-- name: User :one
SELECT *
FROM users
WHERE id = @id;

-- name: UserNamed :one
SELECT *
FROM users
WHERE name_key = @name_key;

-- name: Users :many
SELECT *
FROM users
ORDER BY name_key;

-- name: Grant :exec
INSERT INTO grants (user_id, tenant_id)
VALUES (@user_id, @tenant_id)
ON CONFLICT (user_id, tenant_id) DO NOTHING;

-- name: Revoke :execrows
DELETE FROM grants
WHERE user_id = @user_id AND tenant_id = @tenant_id;

-- name: RevokeTenant :exec
DELETE FROM grants
WHERE tenant_id = @tenant_id;

-- name: RevokeUser :exec
DELETE FROM grants
WHERE user_id = @user_id;

-- name: TenantsOf :many
SELECT tenant_id
FROM grants
WHERE user_id = @user_id
ORDER BY tenant_id;

-- name: InsertJoinCode :exec
INSERT INTO join_codes (hash, user_id, expires_at)
VALUES (@hash, @user_id, @expires_at);

-- name: DeleteJoinCodesOf :exec
DELETE FROM join_codes
WHERE user_id = @user_id;

-- name: DeleteJoinCode :execrows
DELETE FROM join_codes
WHERE hash = @hash;

-- name: InsertToken :exec
INSERT INTO tokens (id, kind, hash, shown, name, user_id, tenant_id, session, scopes, tenants, created_at, expires_at, parent_id)
VALUES (@id, @kind, @hash, @shown, @name, @user_id, @tenant_id, @session, @scopes, @tenants, @created_at, @expires_at, @parent_id);

-- name: TokenByHash :one
SELECT *
FROM tokens
WHERE hash = @hash;

-- name: Token :one
SELECT *
FROM tokens
WHERE id = @id;

-- name: TouchToken :exec
UPDATE tokens
SET used_at = @used_at
WHERE id = @id;

-- name: PersonalTokens :many
SELECT *
FROM tokens
WHERE kind = 'personal'
ORDER BY created_at, id;

-- name: DeleteToken :execrows
DELETE FROM tokens
WHERE id = @id;

-- name: DeleteTokensOfUser :exec
DELETE FROM tokens
WHERE user_id = @user_id;

-- name: DeleteSyncToken :exec
DELETE FROM tokens
WHERE tenant_id = @tenant_id;

-- name: DeleteTokensOfSession :exec
DELETE FROM tokens
WHERE session = @session;

-- name: DeleteExpiredTokens :exec
DELETE FROM tokens
WHERE expires_at < @now;

-- name: Call :one
SELECT *
FROM calls
WHERE user_id = @user_id AND key = @key;

-- name: InsertCall :exec
INSERT INTO calls (user_id, key, operation, request, tenant_id, effect, done, made_at)
VALUES (@user_id, @key, @operation, @request, @tenant_id, '', 0, @made_at);

-- name: PutCallEffect :exec
UPDATE calls
SET effect = @effect
WHERE user_id = @user_id AND key = @key;

-- name: EndCall :exec
UPDATE calls
SET done = 1
WHERE user_id = @user_id AND key = @key;

-- name: DeleteCallsBefore :exec
DELETE FROM calls
WHERE made_at < @made_at;

-- name: LastEvent :one
SELECT CAST(COALESCE(MAX(number), 0) AS BIGINT) AS number
FROM events
WHERE tenant_id = @tenant_id;

-- name: InsertEvent :exec
INSERT INTO events (tenant_id, number, at, type, status, message)
VALUES (@tenant_id, @number, @at, @type, @status, @message);

-- name: EventsAfter :many
SELECT *
FROM events
WHERE tenant_id = @tenant_id AND number > @number
ORDER BY number;

-- name: DeleteEvents :exec
DELETE FROM events
WHERE tenant_id = @tenant_id;

-- name: Trouble :one
SELECT *
FROM troubles
WHERE tenant_id = @tenant_id AND making = @making;

-- name: Troubles :many
SELECT *
FROM troubles
ORDER BY tenant_id, making;

-- name: PutTrouble :exec
INSERT INTO troubles (tenant_id, making, failures, next_at, reason)
VALUES (@tenant_id, @making, @failures, @next_at, @reason)
ON CONFLICT (tenant_id, making) DO UPDATE
SET failures = excluded.failures, next_at = excluded.next_at, reason = excluded.reason;

-- name: DeleteTrouble :exec
DELETE FROM troubles
WHERE tenant_id = @tenant_id AND making = @making;

-- name: DeleteTroubles :exec
DELETE FROM troubles
WHERE tenant_id = @tenant_id;

-- name: Cancellation :one
SELECT *
FROM cancellations
WHERE tenant_id = @tenant_id;

-- name: Cancellations :many
SELECT *
FROM cancellations
ORDER BY tenant_id;

-- name: PutCancellation :exec
INSERT INTO cancellations (tenant_id, delete_at, applied)
VALUES (@tenant_id, @delete_at, @applied)
ON CONFLICT (tenant_id) DO UPDATE
SET delete_at = excluded.delete_at, applied = excluded.applied;

-- name: DeleteCancellation :exec
DELETE FROM cancellations
WHERE tenant_id = @tenant_id;

-- name: InsertAudit :exec
INSERT INTO audit (at, user_id, user_name, token_id, address, request_id, action, tenant_id, target, outcome)
VALUES (@at, @user_id, @user_name, @token_id, @address, @request_id, @action, @tenant_id, @target, @outcome);

-- name: AuditBefore :many
SELECT *
FROM audit
WHERE id < @before
ORDER BY id DESC
LIMIT CAST(@size AS BIGINT);

-- name: AuditOfTenantBefore :many
SELECT *
FROM audit
WHERE tenant_id = @tenant_id AND id < @before
ORDER BY id DESC
LIMIT CAST(@size AS BIGINT);

-- name: AuditOfUserBefore :many
SELECT *
FROM audit
WHERE user_id = @user_id AND id < @before
ORDER BY id DESC
LIMIT CAST(@size AS BIGINT);

-- name: AuditOfBothBefore :many
SELECT *
FROM audit
WHERE tenant_id = @tenant_id AND user_id = @user_id AND id < @before
ORDER BY id DESC
LIMIT CAST(@size AS BIGINT);

-- name: DeleteEventsBefore :exec
DELETE FROM events
WHERE at < @at;

-- name: KnownTenants :many
SELECT tenant_id FROM grants
UNION
SELECT tenant_id FROM events
UNION
SELECT tenant_id FROM troubles
UNION
SELECT tenant_id FROM cancellations
UNION
SELECT tenant_id FROM files
UNION
SELECT CAST(tenant_id AS TEXT) FROM tokens WHERE tenant_id IS NOT NULL
ORDER BY tenant_id;

-- name: OpenCallTenants :many
SELECT tenant_id
FROM calls
WHERE done = 0
ORDER BY tenant_id;

-- name: RegistryMark :one
SELECT registry, revision
FROM registry_mark
WHERE id = 1;

-- name: PutRegistryMark :exec
INSERT INTO registry_mark (id, registry, revision)
VALUES (1, @registry, @revision)
ON CONFLICT (id) DO UPDATE
SET registry = excluded.registry, revision = excluded.revision
WHERE registry_mark.registry <> excluded.registry OR registry_mark.revision < excluded.revision;

-- name: DeleteRegistryMark :exec
DELETE FROM registry_mark;
