-- name: Tenant :one
SELECT *
FROM tenants
WHERE id = @id;

-- name: TenantsAfter :many
SELECT *
FROM tenants
WHERE position > @position
ORDER BY position
LIMIT CAST(@size AS BIGINT);

-- name: SizeOfTenantsAfter :one
SELECT CAST(coalesce(sum(bytes), 0) AS BIGINT) AS size
FROM (
    SELECT octet_length(unknown_members) AS bytes
    FROM tenants
    WHERE position > @position
    ORDER BY position
    LIMIT CAST(@size AS BIGINT)
);

-- name: UnseenTenantsAfter :many
SELECT *
FROM tenants
WHERE position > @position AND seen <> @revision
ORDER BY position
LIMIT CAST(@size AS BIGINT);

-- name: TenantIDsFrom :many
SELECT id
FROM tenants
WHERE id >= @prefix
ORDER BY id
LIMIT CAST(@size AS BIGINT);

-- name: TenantIDsNamed :many
SELECT id
FROM tenants
WHERE name = @name
ORDER BY position
LIMIT CAST(@size AS BIGINT);

-- name: TenantNamesAfter :many
SELECT DISTINCT name
FROM tenants
WHERE name > @name
ORDER BY name
LIMIT CAST(@size AS BIGINT);

-- name: WordsOfTwo :many
SELECT words.word
FROM (
    SELECT id AS word FROM tenants
    INTERSECT
    SELECT name FROM tenants
    ORDER BY 1
) AS words
WHERE EXISTS (SELECT 1 FROM tenants WHERE tenants.name = words.word AND tenants.id <> words.word)
LIMIT CAST(@size AS BIGINT);

-- name: CountTenants :one
SELECT COUNT(*) FROM tenants;

-- name: HasTenantOfType :one
SELECT EXISTS (SELECT 1 FROM tenants WHERE tenant_type = @tenant_type) AS has;

-- name: LastPosition :one
SELECT CAST(COALESCE(MAX(given.position), 0) AS BIGINT) AS position
FROM (
    SELECT MAX(tenants.position) AS position FROM tenants
    UNION ALL
    SELECT MAX(changes.last_added) FROM changes
    UNION ALL
    SELECT MAX(entries.position) FROM entries WHERE entries.position IS NOT NULL
) AS given;

-- name: InsertTenant :exec
INSERT INTO tenants (
    name, app_id, hostname, region, database_url, internal_database_url, tenant_type,
    external_db_access, sync_token, shared_container_db, unknown_members, seen, position, id, version
) VALUES (
    @name, @app_id, @hostname, @region, @database_url, @internal_database_url, @tenant_type,
    @external_db_access, @sync_token, @shared_container_db, @unknown_members, @seen, @position, @id, 1
);

-- name: UpdateTenant :exec
UPDATE tenants
SET name = @name,
    app_id = @app_id,
    hostname = @hostname,
    region = @region,
    database_url = @database_url,
    internal_database_url = @internal_database_url,
    tenant_type = @tenant_type,
    external_db_access = @external_db_access,
    sync_token = @sync_token,
    shared_container_db = @shared_container_db,
    unknown_members = @unknown_members,
    seen = @seen,
    version = version + 1
WHERE position = @position AND id = @id;

-- name: MarkTenantSeen :exec
UPDATE tenants
SET seen = @seen
WHERE id = @id;

-- name: DeleteTenant :exec
DELETE FROM tenants
WHERE id = @id;
