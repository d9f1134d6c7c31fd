-- name: CloudTenant :one
SELECT tenant_id, origin, account, base
FROM cloud_tenants
WHERE tenant_id = @tenant_id;

-- name: CloudTenants :many
SELECT tenant_id, origin, account, base
FROM cloud_tenants
ORDER BY tenant_id;

-- name: PutCloudTenant :exec
INSERT INTO cloud_tenants (tenant_id, origin, account, base)
VALUES (@tenant_id, @origin, @account, @base)
ON CONFLICT (tenant_id) DO UPDATE
SET origin = excluded.origin,
    account = excluded.account,
    base = excluded.base;

-- name: DeleteCloudTenant :exec
DELETE FROM cloud_tenants
WHERE tenant_id = @tenant_id;

-- name: CloudCalls :many
SELECT key, kind, origin, account, tenant_id, name, region, external_db_access, made_at
FROM cloud_calls
ORDER BY key;

-- name: InsertCloudCall :exec
INSERT INTO cloud_calls (key, kind, origin, account, tenant_id, name, region, external_db_access, made_at)
VALUES (@key, @kind, @origin, @account, @tenant_id, @name, @region, @external_db_access, @made_at);

-- name: SetCloudCallTenant :exec
UPDATE cloud_calls
SET tenant_id = CAST(@tenant_id AS TEXT)
WHERE key = @key;

-- name: DeleteCloudCall :exec
DELETE FROM cloud_calls
WHERE key = @key;

-- name: DeleteCloudCallsOf :exec
DELETE FROM cloud_calls
WHERE tenant_id = CAST(@tenant_id AS TEXT);

-- name: CloudOrigin :one
SELECT origin, account, etag, synced_at
FROM cloud_origins
WHERE origin = @origin;

-- name: PutCloudOrigin :exec
INSERT INTO cloud_origins (origin, account, etag, synced_at)
VALUES (@origin, @account, @etag, @synced_at)
ON CONFLICT (origin) DO UPDATE
SET account = excluded.account,
    etag = excluded.etag,
    synced_at = excluded.synced_at;
