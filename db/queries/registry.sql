-- name: InsertMeta :exec
INSERT INTO registry_meta (
    id, registry_id, revision, tenants_revision, synced_at, unknown_members, digest_key, imported, imported_revision, imported_tenants
) VALUES (
    1, '', 0, 0, @synced_at, '', '', '', 0, 0
);

-- name: Meta :one
SELECT registry_id, revision, tenants_revision, synced_at, unknown_members
FROM registry_meta
WHERE id = 1;

-- name: BumpRevision :one
UPDATE registry_meta
SET revision = revision + 1
WHERE id = 1
RETURNING revision;

-- name: MarkTenantsChanged :exec
UPDATE registry_meta
SET tenants_revision = revision
WHERE id = 1;

-- name: SetDocument :exec
UPDATE registry_meta
SET synced_at = @synced_at, unknown_members = @unknown_members
WHERE id = 1;

-- name: Imported :one
SELECT imported, imported_revision, imported_tenants
FROM registry_meta
WHERE id = 1;

-- name: SetImported :exec
UPDATE registry_meta
SET imported = @imported, imported_revision = @imported_revision, imported_tenants = @imported_tenants
WHERE id = 1;

-- name: InsertSelection :exec
INSERT INTO selection (id) VALUES (1);

-- name: Selection :one
SELECT tenant_id, previous_tenant_id, deleted_tenant_id, default_profile
FROM selection
WHERE id = 1;

-- name: SetSelection :exec
UPDATE selection
SET tenant_id = @tenant_id,
    previous_tenant_id = @previous_tenant_id,
    deleted_tenant_id = @deleted_tenant_id,
    default_profile = @default_profile
WHERE id = 1;

-- name: File :one
SELECT path, previous, current, tenants_revision
FROM files
WHERE path = @path;

-- name: PutFile :exec
INSERT INTO files (path, previous, current, tenants_revision)
VALUES (@path, @previous, @current, @tenants_revision)
ON CONFLICT (path) DO UPDATE
SET previous = excluded.previous,
    current = excluded.current,
    tenants_revision = excluded.tenants_revision;

-- name: FollowingFile :one
SELECT path, kind, profile, previous, current, base, former, due
FROM files
WHERE path = @path;

-- name: FollowingFiles :many
SELECT path, kind, profile, previous, current, base, former, due
FROM files
WHERE kind <> ''
ORDER BY path;

-- name: DueFiles :many
SELECT path, kind, profile, previous, current, base, former, due
FROM files
WHERE due = 1
ORDER BY path;

-- name: PutFollowingFile :exec
INSERT INTO files (path, kind, profile, previous, current, tenants_revision, base, former, due)
VALUES (@path, @kind, @profile, @previous, @current, 0, @base, @former, @due)
ON CONFLICT (path) DO UPDATE
SET previous = excluded.previous,
    current = excluded.current,
    base = excluded.base,
    former = excluded.former,
    due = excluded.due;

-- name: DeleteFile :exec
DELETE FROM files
WHERE path = @path;
