-- name: SetRevision :exec
UPDATE registry_meta
SET revision = @revision
WHERE id = 1;

-- name: Files :many
SELECT path, previous, current, tenants_revision, stamp
FROM files
ORDER BY path;
