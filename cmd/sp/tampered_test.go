package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tampered are values that sp itself would not write into most columns, in SQL.
var tampered = map[string][]string{
	"TEXT": {
		"''", "CAST(x'ff' AS TEXT)", `'{"name":1}'`, "'2026-99-99T00:00:00Z'", "'postgres:///../../elsewhere'", "NULL",
	},
	"INTEGER": {"-1", "0", "7", "9223372036854775807", "(-9223372036854775807 - 1)", "NULL"},
}

// onTampered are what people would say then, reads before changes.
var onTampered = []string{
	"resolve", "explain", "status", "tenant list", "tenant show one", "profile list --all", "session list", "log", "show one --at 3", "db status", "export -",
	"undo", "tenant edit one --region there", "session switch two", "profile edit two --name three", "tenant delete cloud -y", "export --force", "import new.json",
}

// TestATamperedRowIsTheStoresTrouble puts into each column of each table what sp would not,
// past the constraints of the schema. Whatever is said then ends as if the value were one of
// sp's, or says that the store is damaged: never in a bug, and never as if the words on the
// command line were wrong.
func TestATamperedRowIsTheStoresTrouble(t *testing.T) {
	t.Parallel()
	whole := newTamperedSandbox(t)
	db := openRaw(t, whole.dir)
	columns, err := db.Query(`SELECT t.name, c.name, c.type FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name <> 'goose_db_version' ORDER BY 1, c.cid`)
	require.NoError(t, err)
	found := 0
	for columns.Next() {
		var table, column, kind string
		require.NoError(t, columns.Scan(&table, &column, &kind))
		found++
		t.Run(table+"."+column, func(t *testing.T) {
			t.Parallel()
			for _, value := range tampered[kind] {
				tamper(t, whole, table, column, value)
			}
		})
	}
	require.NoError(t, columns.Close())
	require.Greater(t, found, 80, "are these all?")
}

func tamper(t *testing.T, whole *sandbox, table, column, value string) {
	s := newSandbox(t)
	require.NoError(t, os.CopyFS(s.dir, os.DirFS(whole.dir)))
	makePrivate(t, s.dir)
	db := openRaw(t, s.dir)
	changed, err := db.Exec(fmt.Sprintf("UPDATE OR IGNORE %s SET %s = %s", table, column, value))
	require.NoError(t, db.Close())
	if err != nil { // a strict table takes no other type, and no NULL where there must be something
		require.Regexp(t, "constraint failed|datatype mismatch", err.Error())
		return
	}
	n, err := changed.RowsAffected()
	require.NoError(t, err)
	if n == 0 {
		return
	}
	for _, line := range onTampered {
		o := s.run(strings.Fields(line)...)
		if !slices.Contains([]int{0, 3, 4, 5, 6, 8, 9}, o.exit) {
			t.Errorf("exit %d: %s.%s = %s: sp %s: %s", o.exit, table, column, value, line, o.stderr)
		}
	}
}

// newTamperedSandbox has rows in every table.
func newTamperedSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := newSandbox(t)
	s.write("tenants.json", `{"synced_at": "2026-02-01T10:00:00Z", "extra": {"a": 1}, "tenants": [
		{"id": "one", "name": "first", "app_id": "a", "hostname": "h", "region": "r", "database_url": "postgres://h/d", "tenant_type": "local", "shared_container_db": "c", "more": [1]},
		{"id": "cloud", "name": "second", "database_url": "postgres://p/d", "internal_database_url": "postgres://i/d", "tenant_type": "cloud", "sync_token": "t"}]}`)
	s.write("new.json", `{"synced_at": "2026-02-01T11:00:00Z", "tenants": [{"id": "one", "name": "first", "region": "new"}, {"id": "new", "name": "new"}]}`)
	s.write("value", "v")
	s.write("url", "postgres://h/e")
	s.must("import", "tenants.json")
	s.must("profile", "create", "two", "--tenant", "one", "-y")
	s.must("profile", "create", "far", "--tenant", "cloud", "-y")
	s.stdin = "token"
	s.must("session", "login", "--profile", "far", "--email", "a@example.invalid", "--issuer", "https://i")
	s.must("session", "login", "--profile", "two", "--email", "a@example.invalid", "--issuer", "https://i")
	s.must("profile", "default", "two")
	s.must("secrets", "set", "k", "--file", "value")
	s.must("tenant", "edit", "one", "--database-url-file", "url")
	s.must("tenant", "edit", "one", "--region", "x")
	s.must("undo")
	s.must("backup", "b.sp")
	s.must("tenant", "edit", "one", "--region", "y")
	s.must("restore", "b.sp", "-y")
	s.must("tenant", "edit", "one", "--database-url-file", "url", "--hostname", "z")
	s.must("tenant", "edit", "one", "--database-url", "postgres://h/f")
	s.must("export")
	s.must("export", "--path", "copy.json")
	db := openRaw(t, s.dir)
	for _, row := range []string{
		"INSERT INTO servers (name, provider, admin_url, chosen) VALUES ('h:5432', 'server', 'postgres://a@h/postgres', 1)",
		"INSERT INTO databases (tenant_id, state, server, name, login, retire_at) VALUES ('one', 'ready', 'h:5432', 'sp_one', 'a', 1)",
		"INSERT INTO rotations (tenant_id, database_url) VALUES ('cloud', 'postgres://p/d2')",
		"INSERT INTO cloud_tenants (tenant_id, origin, account, base) VALUES ('cloud', 'https://c', 'ada', '{}')",
		"INSERT INTO cloud_calls (key, kind, origin, account, name, region, external_db_access, made_at) VALUES ('k', 'create', 'https://c', 'a', 'n', 'r', 0, 1)",
	} {
		_, err := db.Exec(row)
		require.NoError(t, err)
	}
	for _, table := range []string{"changes", "cloud_calls", "cloud_tenants", "databases", "entries", "files", "kept_secrets", "profile_secrets", "profiles", "registry_meta", "rotations", "selection", "servers", "sessions", "tenants"} {
		var n int
		require.NoError(t, db.QueryRow("SELECT COUNT(*) FROM "+table).Scan(&n))
		require.NotZero(t, n, table)
	}
	require.NoError(t, db.Close())
	return s
}

// openRaw opens a registry as somebody else would, who cares for none of its rules.
func openRaw(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, ".systemprompt", "sp.db")+"?_pragma=ignore_check_constraints(1)&_pragma=foreign_keys(0)")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
