package db

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// rowsOf returns the rows that a query finds, each written with the names of its columns.
func rowsOf(t *testing.T, conn *sql.DB, query string) (texts []string) {
	t.Helper()
	rows, err := conn.QueryContext(t.Context(), query)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	names, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		values, to := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			to[i] = &values[i]
		}
		require.NoError(t, rows.Scan(to...))
		var text strings.Builder
		for i, value := range values {
			fmt.Fprintf(&text, "%s=%v ", names[i], value)
		}
		texts = append(texts, text.String())
	}
	require.NoError(t, rows.Err())
	return texts
}

// filled puts a row into every table of schema 1.
var filled = []string{
	"UPDATE registry_meta SET revision = 7, tenants_revision = 5, synced_at = '2026-02-01T10:00:00.123456789Z', digest_key = 'ab'",
	"INSERT INTO tenants VALUES (1, 'a', 'A', NULL, 'h', '', 'postgres://u:p@h/d', NULL, 'local', 1, 't', NULL, '', 3, 2)",
	"INSERT INTO profiles VALUES ('P', 'p', 'a')",
	"INSERT INTO sessions VALUES ('a', 'P', 1769947200000001)",
	"INSERT INTO selection VALUES (1, 'a', NULL, NULL, 'P')",
	"INSERT INTO files VALUES ('tenants.json', 'old', 'new', 5, 'stamp')",
	"INSERT INTO changes VALUES (7, 1, 'sp test', NULL, NULL, NULL, NULL)",
	"INSERT INTO entries VALUES (7, 'session', 'a', 'a', NULL, '', '')",
	"INSERT INTO kept_secrets VALUES ('a', 'd', 'v', 9)",
}

// TestARegistryOfSchemaOneKeepsAllItsRows has them as they were, and in what is new
// nothing: no secrets, no session that is authenticated, no file that is due.
func TestARegistryOfSchemaOneKeepsAllItsRows(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	conn := harness.OpenSQLite(t, path)
	p, err := migrator(conn, migrations)
	require.NoError(t, err)
	_, err = p.DownTo(t.Context(), 1)
	require.NoError(t, err)
	for _, statement := range filled {
		_, err := conn.ExecContext(t.Context(), statement)
		require.NoError(t, err, statement)
	}
	_, err = conn.ExecContext(t.Context(), "PRAGMA user_version = 1")
	require.NoError(t, err)
	columns, before := map[string]string{}, map[string][]string{}
	for _, table := range []string{"registry_meta", "tenants", "profiles", "sessions", "selection", "files", "changes", "entries", "kept_secrets"} {
		names := rowsOf(t, conn, "SELECT name FROM pragma_table_info('"+table+"') WHERE name <> 'stamp' ORDER BY cid") // which 00008 drops
		columns[table] = strings.ReplaceAll(strings.TrimSpace(strings.Join(names, ", ")), "name=", "")
		before[table] = rowsOf(t, conn, "SELECT "+columns[table]+" FROM "+table)
		require.Len(t, before[table], 1, table)
	}
	require.NoError(t, conn.Close())
	mustClaim(t, path)

	require.NoError(t, addOne(t.Context(), mustOpen(t, path, patient)))
	require.Equal(t, schemaVersion, mustVersion(t, path))
	conn = harness.OpenSQLite(t, path)
	before["registry_meta"][0] = strings.Replace(before["registry_meta"][0], "revision=7 ", "revision=8 ", 1) // addOne's
	for table, rows := range before {
		require.Equal(t, rows, rowsOf(t, conn, "SELECT "+columns[table]+" FROM "+table), table)
	}
	for _, table := range []string{"profile_secrets", "servers", "databases", "rotations", "cloud_tenants", "cloud_calls"} {
		require.Empty(t, rowsOf(t, conn, "SELECT * FROM "+table), table)
	}
	require.Len(t, rowsOf(t, conn, "SELECT 1 FROM sessions WHERE coalesce(token, issuer, session_id, context_id, user_id, user_email, user_type, created_at, expires_at, last_used) IS NULL"), 1)
	require.Len(t, rowsOf(t, conn, "SELECT 1 FROM files WHERE base = '' AND due = 0"), 1)
}

// TestAFileThatFollowsKeepsItsMeaning has in columns what the schema before said by the spelling of
// a path and by a separator in base, and says it so again when it is taken back.
func TestAFileThatFollowsKeepsItsMeaning(t *testing.T) {
	t.Parallel()
	conn := harness.OpenSQLite(t, mustCreate(t))
	p, err := migrator(conn, migrations)
	require.NoError(t, err)
	_, err = p.DownTo(t.Context(), 5)
	require.NoError(t, err)
	for _, row := range []string{
		"('tenants.json', 'old', 'new', 5, 'stamp', '', 0)",
		"('/elsewhere/profiles/p/secrets.json', 'old', 'new', 4, '', '', 0)",
		"('.gitignore', '', '-', 0, 'stamp', '', 0)",
		"('sessions/index.json', 'a', 'b', 0, '', '{\"version\":1}', 0)",
		"('profiles/p/profile.yaml', 'a', 'b', 0, '', 'name: p' || char(10), 0)",
		"('profiles/A-b_1/secrets.json', 'a', 'b', 0, '', '{\"x\":\"\\u001e\"}' || char(30) || '{\"x\":\"digest\"}', 1)",
		"('profiles/p/secrets.json', 'a', 'b', 0, '', char(30), 1)",
		"('profiles/q/secrets.json', 'a', 'a', 0, '', '{}', 0)",
		"('profiles/p/docker/compose.yaml', '', 'b', 0, '', 'name: c' || char(10), 1)",
	} {
		_, err := conn.ExecContext(t.Context(), "INSERT INTO files (path, previous, current, tenants_revision, stamp, base, due) VALUES "+row)
		require.NoError(t, err, row)
	}
	before := rowsOf(t, conn, "SELECT * FROM files ORDER BY path")
	_, err = p.UpTo(t.Context(), 6)
	require.NoError(t, err)
	require.Equal(t, []string{
		"path=.gitignore kind= profile= base= former=<nil> due=0 ",
		"path=/elsewhere/profiles/p/secrets.json kind= profile= base= former=<nil> due=0 ",
		"path=profiles/A-b_1/secrets.json kind=secrets profile=A-b_1 base={\"x\":\"\\u001e\"} former={\"x\":\"digest\"} due=1 ",
		"path=profiles/p/docker/compose.yaml kind=compose profile=p base=name: c\n former=<nil> due=1 ",
		"path=profiles/p/profile.yaml kind=profile profile=p base=name: p\n former=<nil> due=0 ",
		"path=profiles/p/secrets.json kind=secrets profile=p base= former= due=1 ",
		"path=profiles/q/secrets.json kind=secrets profile=q base={} former=<nil> due=0 ",
		"path=sessions/index.json kind=sessions profile= base={\"version\":1} former=<nil> due=0 ",
		"path=tenants.json kind= profile= base= former=<nil> due=0 ",
	}, rowsOf(t, conn, "SELECT path, kind, profile, base, former, due FROM files ORDER BY path"))
	_, err = p.DownTo(t.Context(), 5)
	require.NoError(t, err)
	require.Equal(t, before, rowsOf(t, conn, "SELECT * FROM files ORDER BY path"))
}
