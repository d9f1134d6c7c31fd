package registry

import (
	"database/sql"
	"errors"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"
)

// whole is a registry in which every column of every table holds something.
var whole = []string{
	"UPDATE registry_meta SET revision = 5, tenants_revision = 3, unknown_members = '\"a\":1', digest_key = '00'",
	"INSERT INTO tenants VALUES (1, 'a', 'A', '', '', '', '', '', 'local', 0, '', '', '', 1, 1)",
	"INSERT INTO tenants VALUES (2, 'b', 'B', '', '', '', '', '', 'cloud', 1, '', '', '', 1, 1)",
	"INSERT INTO profiles VALUES ('pa', 'pa', 'a'), ('pb', 'pb', 'b')",
	"INSERT INTO sessions VALUES ('a', 'pa', 0, '', '', '', '', '', '', '', '', '', '')",
	"INSERT INTO profile_secrets VALUES ('pa', 'k', '')",
	"UPDATE selection SET tenant_id = 'a', previous_tenant_id = 'b', default_profile = 'pa'",
	"INSERT INTO files (path, previous, current, tenants_revision) VALUES ('f', '', 'x', 0)",
	"INSERT INTO changes VALUES (1, 0, 'sp', NULL, 1, 2, NULL, NULL, 0), (2, 0, 'sp undo', 1, NULL, NULL, NULL, NULL, 0)",
	"INSERT INTO entries VALUES (2, 'tenant', 'a', 'a', 1, '', ''), (2, 'profile', 'pa', 'a', NULL, '', '')",
	"INSERT INTO kept_secrets VALUES ('a', '00', 'x', 0)",
	"INSERT INTO servers VALUES ('s', 'server', 'x', 0, 'unnamed', 'aaaaaaaaaaaaaaaa-p', '1:2', 'c', 'e', NULL, 'iad')",
	"INSERT INTO databases VALUES ('a', 'ready', 's', 'd', 'a', NULL)",
	"INSERT INTO rotations VALUES ('a', 'x')",
	"INSERT INTO cloud_tenants VALUES ('b', 'https://c', 'ada', '{}')",
	"INSERT INTO cloud_calls VALUES ('k', 'create', 'https://c', 'a', NULL, 'n', 'r', 0, 1)",
	"INSERT INTO cloud_origins VALUES ('https://d', 'ada', 'e', 0)",
}

// Each CHECK, key and reference of the schema has its rows here.
var violations = map[string]map[string][]string{
	"CHECK": {
		"registry_meta: id = 1":                     {"UPDATE registry_meta SET id = 2", "INSERT INTO registry_meta VALUES (2, '', 0, 0, 'x', '', '', '', 0, 0)"},
		"registry_meta: revision >= 0":              {"UPDATE registry_meta SET revision = -1, tenants_revision = -1", "UPDATE registry_meta SET revision = -1, tenants_revision = 0"},
		"registry_meta: tenants_revision":           {"UPDATE registry_meta SET tenants_revision = 6", "UPDATE registry_meta SET tenants_revision = -1"},
		"registry_meta: synced_at <> ''":            {"UPDATE registry_meta SET synced_at = ''"},
		"tenants: position > 0":                     {"UPDATE tenants SET position = 0 WHERE position = 2", "UPDATE tenants SET position = -1 WHERE position = 2"},
		"tenants: id <> ''":                         {"UPDATE tenants SET id = '' WHERE position = 2"},
		"tenants: name <> ''":                       {"UPDATE tenants SET name = ''"},
		"tenants: tenant_type":                      {"UPDATE tenants SET tenant_type = 'Local'", "UPDATE tenants SET tenant_type = ''"},
		"tenants: external_db_access":               {"UPDATE tenants SET external_db_access = 2", "UPDATE tenants SET external_db_access = -1"},
		"tenants: version > 0":                      {"UPDATE tenants SET version = 0"},
		"profiles: name <> ''":                      {"INSERT INTO profiles VALUES ('', 'x', 'a')"},
		"profiles: name_key <> ''":                  {"INSERT INTO profiles VALUES ('x', '', 'a')"},
		"selection: id = 1":                         {"INSERT INTO selection (id) VALUES (2)", "UPDATE selection SET id = 0"},
		"selection: tenant_id or deleted_tenant_id": {"UPDATE selection SET deleted_tenant_id = 'x'"},
		"files: path <> ''":                         {"INSERT INTO files (path, previous, current, tenants_revision) VALUES ('', '', 'x', 0)"},
		"files: current <> ''":                      {"INSERT INTO files (path, previous, current, tenants_revision) VALUES ('g', '', '', 0)"},
		"files: due":                                {"UPDATE files SET due = 2", "UPDATE files SET due = -1"},
		"files: profile of a kind":                  {"UPDATE files SET profile = 'p'"},
		"sessions: expires_at with token":           {"UPDATE sessions SET token = NULL", "UPDATE sessions SET expires_at = NULL"},
		"profile_secrets: key <> ''":                {"INSERT INTO profile_secrets VALUES ('pa', '', '')"},
		"changes: sequence > 0":                     {"INSERT INTO changes VALUES (0, 0, '', NULL, NULL, NULL, NULL, NULL, 0)"},
		"changes: taken":                            {"UPDATE changes SET taken = 3", "UPDATE changes SET taken = -1"},
		"changes: first_added with last_added":      {"UPDATE changes SET first_added = NULL WHERE sequence = 1", "UPDATE changes SET last_added = NULL WHERE sequence = 1", "UPDATE changes SET first_added = 3 WHERE sequence = 1"},
		"entries: kind":                             {"INSERT INTO entries VALUES (2, 'x', 'a', 'a', NULL, '', '')"},
		"entries: id <> ''":                         {"INSERT INTO entries VALUES (2, 'profile', '', 'a', NULL, '', '')"},
		"entries: position of a tenant":             {"INSERT INTO entries VALUES (2, 'profile', 'x', 'a', 1, '', '')", "INSERT INTO entries VALUES (2, 'tenant', 'x', 'a', NULL, '', '')"},
		"kept_secrets: digest <> ''":                {"INSERT INTO kept_secrets VALUES ('a', '', 'x', 0)"},
		"servers: name <> ''":                       {"INSERT INTO servers (name, provider, admin_url, chosen) VALUES ('', 'server', 'x', 0)"},
		"servers: provider":                         {"UPDATE servers SET provider = 'url'"},
		"servers: admin_url <> ''":                  {"UPDATE servers SET admin_url = ''"},
		"servers: chosen":                           {"UPDATE servers SET chosen = 2"},
		"servers: withheld":                         {"UPDATE servers SET withheld = 'x'", "UPDATE servers SET withheld = ''"},
		"servers: place <> ''":                      {"UPDATE servers SET place = ''"},
		"servers: compose <> ''":                    {"UPDATE servers SET compose = ''"},
		"servers: env <> ''":                        {"UPDATE servers SET env = ''"},
		"servers: image <> ''":                      {"UPDATE servers SET image = ''"},
		"servers: region <> ''":                     {"UPDATE servers SET region = ''"},
		"databases: tenant_id <> ''":                {"UPDATE databases SET tenant_id = ''"},
		"databases: state":                          {"UPDATE databases SET state = 'pending'"},
		"databases: name <> ''":                     {"UPDATE databases SET name = ''"},
		"databases: login":                          {"UPDATE databases SET login = 'c'"},
		"rotations: database_url <> ''":             {"UPDATE rotations SET database_url = ''"},
		"cloud_tenants: origin <> ''":               {"UPDATE cloud_tenants SET origin = ''"},
		"cloud_tenants: base <> ''":                 {"UPDATE cloud_tenants SET base = ''"},
		"cloud_origins: origin <> ''":               {"INSERT INTO cloud_origins VALUES ('', '', '', 0)"},
		"cloud_calls: key <> ''":                    {"UPDATE cloud_calls SET key = ''"},
		"cloud_calls: kind":                         {"UPDATE cloud_calls SET kind = 'delete'"},
		"cloud_calls: origin <> ''":                 {"UPDATE cloud_calls SET origin = ''"},
		"cloud_calls: tenant_id <> ''":              {"UPDATE cloud_calls SET tenant_id = ''"},
		"cloud_calls: external_db_access":           {"UPDATE cloud_calls SET external_db_access = 2"},
		"cloud_calls: tenant of a rotation":         {"UPDATE cloud_calls SET kind = 'rotate'", "UPDATE cloud_calls SET kind = 'token'"},
	},
	"UNIQUE": {
		"registry_meta.id":     {"INSERT INTO registry_meta VALUES (1, '', 0, 0, 'x', '', '', '', 0, 0)"},
		"tenants.position":     {"INSERT INTO tenants VALUES (1, 'c', 'C', '', '', '', '', '', 'local', 0, '', '', '', 1, 1)"},
		"tenants.id":           {"INSERT INTO tenants VALUES (3, 'a', 'C', '', '', '', '', '', 'local', 0, '', '', '', 1, 1)"},
		"profiles.name":        {"INSERT INTO profiles VALUES ('pa', 'pa', 'b')"},
		"profiles.name_tenant": {"INSERT INTO profiles VALUES ('pa', 'x', 'a')"},
		"sessions.tenant_id":   {"INSERT INTO sessions (tenant_id, profile, chosen_at) VALUES ('a', 'pa', 1)"},
		"selection.id":         {"INSERT INTO selection (id) VALUES (1)"},
		"files.path":           {"INSERT INTO files (path, previous, current, tenants_revision) VALUES ('f', '', 'x', 0)"},
		"profile_secrets":      {"INSERT INTO profile_secrets VALUES ('pa', 'k', 'x')"},
		"changes.sequence":     {"INSERT INTO changes VALUES (1, 0, '', NULL, NULL, NULL, NULL, NULL, 0)"},
		"entries: one a thing": {"INSERT INTO entries VALUES (2, 'tenant', 'a', 'b', 2, '', '')"},
		"kept_secrets: digest": {"INSERT INTO kept_secrets VALUES ('a', '00', 'y', 1)"},
		"servers.name":         {"INSERT INTO servers (name, provider, admin_url, chosen) VALUES ('s', 'local', 'y', 0)"},
		"servers.region":       {"INSERT INTO servers (name, provider, admin_url, chosen, region) VALUES ('t', 'server', 'y', 0, 'iad')"},
		"databases.tenant_id":  {"INSERT INTO databases VALUES ('a', 'ready', 's', 'e', 'b', 1)"},
		"rotations.tenant_id":  {"INSERT INTO rotations VALUES ('a', 'y')"},
		"cloud_tenants":        {"INSERT INTO cloud_tenants VALUES ('b', 'https://d', 'ada', '{}')"},
		"cloud_origins.origin": {"INSERT INTO cloud_origins VALUES ('https://d', '', '', 0)"},
		"cloud_calls.key":      {"INSERT INTO cloud_calls VALUES ('k', 'create', 'https://d', 'a', NULL, 'm', 'r', 0, 2)"},
	},
	"FOREIGN KEY": {
		"profiles.tenant_id":           {"INSERT INTO profiles VALUES ('x', 'x', 'nobody')", "UPDATE profiles SET tenant_id = 'nobody' WHERE name = 'pb'", "DELETE FROM tenants WHERE id = 'b'"},
		"sessions.tenant_id":           {"INSERT INTO sessions (tenant_id, profile, chosen_at) VALUES ('nobody', 'pa', 0)", "UPDATE tenants SET id = 'c' WHERE id = 'a'"},
		"sessions.profile of tenant":   {"INSERT INTO sessions (tenant_id, profile, chosen_at) VALUES ('b', 'pa', 0)", "UPDATE sessions SET profile = 'pb'", "UPDATE sessions SET profile = 'x'", "DELETE FROM profiles WHERE name = 'pa'"},
		"selection.tenant_id":          {"UPDATE selection SET tenant_id = 'nobody'"},
		"selection.previous_tenant_id": {"UPDATE selection SET previous_tenant_id = 'nobody'"},
		"selection.default_profile":    {"UPDATE selection SET default_profile = 'x'"},
		"profile_secrets.profile":      {"INSERT INTO profile_secrets VALUES ('x', 'k', '')", "DELETE FROM profiles WHERE name = 'pa'"},
		"changes.undoes":               {"INSERT INTO changes VALUES (3, 0, '', 9, NULL, NULL, NULL, NULL, 0)"},
		"entries.sequence":             {"INSERT INTO entries VALUES (9, 'profile', 'x', 'a', NULL, '', '')"},
		"databases.server":             {"UPDATE databases SET server = 'x'", "DELETE FROM servers"},
		"rotations.tenant_id":          {"UPDATE rotations SET tenant_id = 'x'"},
		"cloud_tenants.tenant_id":      {"UPDATE cloud_tenants SET tenant_id = 'x'"},
	},
}

func mustWhole(t *testing.T) *sql.DB {
	t.Helper()
	d := mustDesk(t)
	mustMess(t, d.path, whole...)
	return mustRaw(t, d.path)
}

// requireRefused makes sure that a constraint refuses the statement.
func requireRefused(t *testing.T, conn *sql.DB, statement, what string) {
	t.Helper()
	_, err := conn.Exec(statement)
	var e *sqlite.Error
	require.True(t, errors.As(err, &e), "%s: %s", what, statement)
	require.Equal(t, 19, e.Code()&0xff, "%s: %s: %v", what, statement, err)
	if what != "" {
		require.ErrorContains(t, err, what, statement)
	}
}

func TestTheSchemaSaysNo(t *testing.T) {
	t.Parallel()
	conn := mustWhole(t)
	for what, cases := range violations {
		for rule, statements := range cases {
			for _, statement := range statements {
				requireRefused(t, conn, statement, what)
				_ = rule
			}
		}
	}
}

func TestEveryRuleOfTheSchemaIsTried(t *testing.T) {
	t.Parallel()
	schema, err := os.ReadFile("../../db/testdata/schema.sql")
	require.NoError(t, err)
	count := func(pattern string) int { return len(regexp.MustCompile(pattern).FindAllString(string(schema), -1)) }
	require.Equal(t, count(`CHECK \(`), len(violations["CHECK"]))
	require.Equal(t, count(`PRIMARY KEY|CREATE UNIQUE`), len(violations["UNIQUE"]))
	require.Equal(t, count(`REFERENCES`), len(violations["FOREIGN KEY"]))
	require.Equal(t, count(`CREATE TABLE`), count(`(?m)\) STRICT(, WITHOUT ROWID)?;$`), "every table is strict")
}

// rowids are never null because SQLite gives them a value, bound are the columns that
// are null or not by what stands beside them.
var (
	rowids = []string{"tenants.position", "selection.id", "registry_meta.id", "history.id", "changes.sequence"}
	bound  = []string{"changes.first_added", "changes.last_added", "entries.position", "sessions.token", "sessions.expires_at"}
)

func TestEveryColumnHoldsItsTypeAndNothingElse(t *testing.T) {
	t.Parallel()
	conn := mustWhole(t)
	rows, err := conn.Query(`SELECT m.name, c.name, c.type, c."notnull" FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY 1, c.cid`)
	require.NoError(t, err)
	type column struct {
		table, name, kind string
		notNull           bool
	}
	var columns []column
	for rows.Next() {
		var c column
		require.NoError(t, rows.Scan(&c.table, &c.name, &c.kind, &c.notNull))
		columns = append(columns, c)
	}
	require.NoError(t, rows.Close())
	require.Len(t, columns, 10+15+3+13+5+9+9+7+4+3+11+6+2+4+4+9)
	var optional []string
	for _, c := range columns {
		if !c.notNull {
			optional = append(optional, c.table+"."+c.name)
			_, err := conn.Exec("UPDATE " + c.table + " SET " + c.name + " = NULL")
			require.True(t, err == nil || slices.Contains(bound, c.table+"."+c.name), c)
		} else if !slices.Contains(rowids, c.table+"."+c.name) {
			requireRefused(t, conn, "UPDATE "+c.table+" SET "+c.name+" = NULL", "NOT NULL")
		}
		wrong := map[string]string{"INTEGER": "'text'", "TEXT": "x'00'"}[c.kind]
		_, err := conn.Exec("UPDATE " + c.table + " SET " + c.name + " = " + wrong)
		require.Error(t, err, "%v takes %s", c, wrong)
		if c.kind == "INTEGER" {
			_, err = conn.Exec("UPDATE " + c.table + " SET " + c.name + " = 0.5")
			require.Error(t, err, c)
		}
	}
	require.Equal(t, []string{
		"changes.undoes", "changes.first_added", "changes.last_added", "changes.restored", "changes.published", "cloud_calls.tenant_id", "databases.retire_at", "entries.position",
		"files.former",
		"selection.tenant_id", "selection.previous_tenant_id", "selection.deleted_tenant_id", "selection.default_profile",
		"servers.withheld", "servers.place", "servers.identity", "servers.compose", "servers.env", "servers.image", "servers.region",
		"sessions.token", "sessions.issuer", "sessions.session_id", "sessions.context_id", "sessions.user_id", "sessions.user_email",
		"sessions.user_type", "sessions.created_at", "sessions.expires_at", "sessions.last_used",
		"tenants.app_id", "tenants.hostname", "tenants.region", "tenants.database_url", "tenants.internal_database_url",
		"tenants.sync_token", "tenants.shared_container_db",
	}, optional)
}

func TestARenamedProfileTakesWhatRefersToItAlong(t *testing.T) {
	t.Parallel()
	conn := mustWhole(t)
	_, err := conn.Exec("UPDATE profiles SET name = 'new' WHERE name = 'pa'")
	require.NoError(t, err)
	var session, standard string
	require.NoError(t, conn.QueryRow("SELECT s.profile, d.default_profile FROM sessions s, selection d").Scan(&session, &standard))
	require.Equal(t, []string{"new", "new"}, []string{session, standard})
}
