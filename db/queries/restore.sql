-- name: SetRevision :exec
UPDATE registry_meta
SET revision = @revision
WHERE id = 1;

-- name: Files :many
SELECT path, previous, current, tenants_revision, stamp, base, due
FROM files
ORDER BY path;

-- name: PutWholeFile :exec
INSERT INTO files (path, previous, current, tenants_revision, stamp, base, due)
VALUES (@path, @previous, @current, @tenants_revision, @stamp, @base, @due)
ON CONFLICT (path) DO UPDATE
SET previous = excluded.previous,
    current = excluded.current,
    tenants_revision = excluded.tenants_revision,
    stamp = excluded.stamp,
    base = excluded.base,
    due = excluded.due;
