-- name: Profile :one
SELECT name, tenant_id
FROM profiles
WHERE name = @name;

-- name: ProfilesAfter :many
SELECT name, tenant_id
FROM profiles
WHERE name > @name
ORDER BY name
LIMIT CAST(@size AS BIGINT);

-- name: TenantProfilesAfter :many
SELECT name, tenant_id
FROM profiles
WHERE tenant_id = @tenant_id AND name > @name
ORDER BY name
LIMIT CAST(@size AS BIGINT);

-- name: ProfileNamesAlike :many
SELECT name
FROM profiles
WHERE name_key = @name_key
ORDER BY name
LIMIT 2;

-- name: InsertProfile :exec
INSERT INTO profiles (name, name_key, tenant_id)
VALUES (@name, @name_key, @tenant_id);

-- name: UpdateProfile :exec
UPDATE profiles
SET name = @new_name, name_key = @name_key, tenant_id = @tenant_id
WHERE name = @name;

-- name: DeleteProfile :exec
DELETE FROM profiles
WHERE name = @name;

-- name: Session :one
SELECT tenant_id, profile, chosen_at
FROM sessions
WHERE tenant_id = @tenant_id;

-- name: ActiveSession :one
SELECT sessions.tenant_id, sessions.profile, sessions.chosen_at
FROM selection
JOIN sessions ON sessions.tenant_id = selection.tenant_id
WHERE selection.id = 1;

-- name: SessionsAfter :many
SELECT tenant_id, profile, chosen_at
FROM sessions
WHERE tenant_id > @tenant_id
ORDER BY tenant_id
LIMIT CAST(@size AS BIGINT);

-- name: PutSession :exec
INSERT INTO sessions (tenant_id, profile, chosen_at)
VALUES (@tenant_id, @profile, @chosen_at)
ON CONFLICT (tenant_id) DO UPDATE
SET profile = excluded.profile, chosen_at = excluded.chosen_at;

-- name: DeleteSession :exec
DELETE FROM sessions
WHERE tenant_id = @tenant_id;
