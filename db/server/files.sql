-- name: FilesETag :one
SELECT etag
FROM files
WHERE tenant_id = @tenant_id;

-- name: FilesManifest :one
SELECT manifest
FROM files
WHERE tenant_id = @tenant_id;

-- name: FilesArchive :one
SELECT etag, archive
FROM files
WHERE tenant_id = @tenant_id;

-- name: PutFiles :exec
INSERT INTO files (tenant_id, etag, manifest, archive, changed_at)
VALUES (@tenant_id, @etag, @manifest, @archive, @changed_at)
ON CONFLICT (tenant_id) DO UPDATE
SET etag = excluded.etag, manifest = excluded.manifest, archive = excluded.archive, changed_at = excluded.changed_at;

-- name: DeleteFiles :exec
DELETE FROM files
WHERE tenant_id = @tenant_id;
