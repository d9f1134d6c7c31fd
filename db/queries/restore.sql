-- name: SetRevision :exec
UPDATE registry_meta
SET revision = @revision
WHERE id = 1;

-- name: Files :many
SELECT path, kind, profile, previous, current, tenants_revision, stamp, base, former, due
FROM files
ORDER BY path;

-- name: PutWholeFile :exec
INSERT INTO files (path, kind, profile, previous, current, tenants_revision, stamp, base, former, due)
VALUES (@path, @kind, @profile, @previous, @current, @tenants_revision, @stamp, @base, @former, @due)
ON CONFLICT (path) DO UPDATE
SET previous = excluded.previous,
    current = excluded.current,
    tenants_revision = excluded.tenants_revision,
    stamp = excluded.stamp,
    base = excluded.base,
    former = excluded.former,
    due = excluded.due;
