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
SELECT tenant_id, profile, chosen_at, token, issuer, session_id, context_id, user_id, user_email, user_type,
       created_at, expires_at, last_used
FROM sessions
WHERE tenant_id = @tenant_id;

-- name: ActiveSession :one
SELECT tenant_id, profile, chosen_at, token, issuer, session_id, context_id, user_id, user_email, user_type,
       created_at, expires_at, last_used
FROM sessions
WHERE tenant_id = (SELECT selection.tenant_id FROM selection WHERE selection.id = 1);

-- name: SessionsAfter :many
SELECT tenant_id, profile, chosen_at, token, issuer, session_id, context_id, user_id, user_email, user_type,
       created_at, expires_at, last_used
FROM sessions
WHERE tenant_id > @tenant_id
ORDER BY tenant_id
LIMIT CAST(@size AS BIGINT);

-- name: PutSession :exec
INSERT INTO sessions (
    tenant_id, profile, chosen_at, token, issuer, session_id, context_id, user_id, user_email, user_type,
    created_at, expires_at, last_used
) VALUES (
    @tenant_id, @profile, @chosen_at, @token, @issuer, @session_id, @context_id, @user_id, @user_email, @user_type,
    @created_at, @expires_at, @last_used
)
ON CONFLICT (tenant_id) DO UPDATE
SET profile = excluded.profile,
    chosen_at = excluded.chosen_at,
    token = excluded.token,
    issuer = excluded.issuer,
    session_id = excluded.session_id,
    context_id = excluded.context_id,
    user_id = excluded.user_id,
    user_email = excluded.user_email,
    user_type = excluded.user_type,
    created_at = excluded.created_at,
    expires_at = excluded.expires_at,
    last_used = excluded.last_used;

-- name: DeleteSession :exec
DELETE FROM sessions
WHERE tenant_id = @tenant_id;

-- name: ProfileSecrets :many
SELECT profile, key, value
FROM profile_secrets
WHERE profile = @profile
ORDER BY key;

-- name: PutProfileSecret :exec
INSERT INTO profile_secrets (profile, key, value)
VALUES (@profile, @key, @value)
ON CONFLICT (profile, key) DO UPDATE
SET value = excluded.value;

-- name: DeleteProfileSecret :exec
DELETE FROM profile_secrets
WHERE profile = @profile AND key = @key;
