-- name: Server :one
SELECT name, provider, admin_url, chosen, withheld, place, identity, compose, env, image, region
FROM servers
WHERE name = @name;

-- name: Servers :many
SELECT name, provider, admin_url, chosen, withheld, place, identity, compose, env, image, region
FROM servers
ORDER BY name;

-- name: Region :one
SELECT name, provider, admin_url, chosen, withheld, place, identity, compose, env, image, region
FROM servers
WHERE region = CAST(@code AS TEXT);

-- name: Regions :many
SELECT name, provider, admin_url, chosen, withheld, place, identity, compose, env, image, region
FROM servers
WHERE region IS NOT NULL
ORDER BY region;

-- name: PutServer :exec
INSERT INTO servers (name, provider, admin_url, chosen, withheld, place, identity, compose, env, image, region)
VALUES (@name, @provider, @admin_url, @chosen, @withheld, @place, @identity, @compose, @env, @image, @region)
ON CONFLICT (name) DO UPDATE
SET provider = excluded.provider,
    admin_url = excluded.admin_url,
    chosen = excluded.chosen,
    withheld = excluded.withheld,
    place = excluded.place,
    identity = excluded.identity,
    compose = excluded.compose,
    env = excluded.env,
    image = excluded.image,
    region = excluded.region;

-- name: WithholdServers :exec
UPDATE servers
SET withheld = 'unnamed'
WHERE withheld IS NULL;

-- name: ReleaseServers :execrows
UPDATE servers
SET withheld = 'unnamed'
WHERE withheld = 'foreign';

-- name: DisownServers :exec
UPDATE servers
SET withheld = 'foreign'
WHERE provider <> 'server';

-- name: DeleteServer :exec
DELETE FROM servers
WHERE name = @name;

-- name: ChooseNoServer :exec
UPDATE servers
SET chosen = 0
WHERE chosen = 1;

-- name: DeleteUnusedServers :exec
DELETE FROM servers
WHERE provider = 'server' AND chosen = 0 AND region IS NULL
    AND NOT EXISTS (SELECT 1 FROM databases WHERE databases.server = servers.name);

-- name: Database :one
SELECT tenant_id, state, server, name, login, retire_at
FROM databases
WHERE tenant_id = @tenant_id;

-- name: Databases :many
SELECT tenant_id, state, server, name, login, retire_at
FROM databases
ORDER BY tenant_id;

-- name: DueDatabases :many
SELECT tenant_id, state, server, name, login, retire_at
FROM databases
WHERE state <> 'ready' OR retire_at IS NOT NULL
ORDER BY tenant_id;

-- name: PutDatabase :exec
INSERT INTO databases (tenant_id, state, server, name, login, retire_at)
VALUES (@tenant_id, @state, @server, @name, @login, @retire_at)
ON CONFLICT (tenant_id) DO UPDATE
SET state = excluded.state,
    server = excluded.server,
    name = excluded.name,
    login = excluded.login,
    retire_at = excluded.retire_at;

-- name: DeleteDatabase :exec
DELETE FROM databases
WHERE tenant_id = @tenant_id;

-- name: DeleteDatabases :exec
DELETE FROM databases;

-- name: Rotation :one
SELECT database_url
FROM rotations
WHERE tenant_id = @tenant_id;

-- name: PutRotation :exec
INSERT INTO rotations (tenant_id, database_url)
VALUES (@tenant_id, @database_url)
ON CONFLICT (tenant_id) DO UPDATE
SET database_url = excluded.database_url;

-- name: DeleteRotation :exec
DELETE FROM rotations
WHERE tenant_id = @tenant_id;

-- name: Rotations :many
SELECT tenant_id
FROM rotations
ORDER BY tenant_id;
