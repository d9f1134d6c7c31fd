package db

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

func TestTheShapeIsThatOfTheMigrations(t *testing.T) {
	t.Parallel()
	got, err := shapeOf(t.Context(), harness.OpenSQLite(t, mustCreate(t)))
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile("shape.txt", []byte(got), 0o644))
		return // what is compiled in is the old one
	}
	require.Equal(t, shape, got, "go test ./db -update, after a look at the difference")
}

// SQLite parses the whole schema at every open.
func TestTheSchemaIsSmall(t *testing.T) {
	t.Parallel()
	var objects, length int
	require.NoError(t, harness.OpenSQLite(t, mustCreate(t)).QueryRow("SELECT COUNT(*), SUM(length(sql)) FROM sqlite_schema").Scan(&objects, &length))
	require.Less(t, objects, 38)
	require.Less(t, length, 8200)
}

// large makes a file so large that it is not checked whole.
const large = "INSERT INTO files (path, previous, current, tenants_revision) VALUES ('/large', '', hex(zeroblob(100000)), 0)"

// A trigger or a view that came with the file would act in our name (faults 20, 21).
func TestASchemaThatIsNotOursIsRefused(t *testing.T) {
	t.Parallel()
	for what, statements := range map[string][]string{
		"trigger":        {"CREATE TRIGGER t AFTER UPDATE ON registry_meta BEGIN DELETE FROM tenants; END"},
		"trigger, large": {large, "CREATE TRIGGER t AFTER UPDATE ON registry_meta BEGIN DELETE FROM tenants; END"},
		"hidden trigger": {
			"CREATE TRIGGER t AFTER UPDATE ON registry_meta BEGIN DELETE FROM tenants; END",
			"PRAGMA writable_schema = 1", "UPDATE sqlite_schema SET name = 'sqlite_t' WHERE type = 'trigger'",
		},
		"view":                 {"CREATE VIEW v AS SELECT 1"},
		"view for a table":     {"DROP TABLE files", "CREATE VIEW files AS SELECT 'tenants.json' AS path, '' AS previous, 'x' AS current, 0 AS tenants_revision"},
		"dropped table":        {"DROP TABLE files"},
		"dropped table, large": {large, "DROP TABLE selection"},
		"dropped index":        {"DROP INDEX tenants_name"},
		"another's table":      {"CREATE TABLE theirs (x)"},
	} {
		path := mustCreate(t)
		harness.Mess(t, path, statements...)
		before := fingerprint(t, path)
		for how, try := range tries {
			require.ErrorIs(t, Explain(try(t, path)), ErrDamaged, "%s: %s", what, how)
		}
		require.Equal(t, unsigned(before), unsigned(fingerprint(t, path)), what)
	}
}

// A column that is gone shows in the first command that asks for it.
func TestADroppedColumnIsDamage(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	harness.Mess(t, path, "ALTER TABLE registry_meta DROP COLUMN unknown_members")
	read, err := mustOpen(t, path, patient).Read(t.Context())
	require.NoError(t, err)
	defer read.Close()
	_, err = read.ExecContext(t.Context(), "SELECT unknown_members FROM registry_meta")
	require.EqualError(t, Explain(err), "registry: damaged (SQLite 1)")
}

// Half of an index is gone. SQLite would not notice: what it looks up there is just
// not there any more.
func TestASmallFileIsChecked(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	harness.Mess(t, path, "INSERT INTO tenants VALUES (1, 'a', 'a', NULL, NULL, NULL, NULL, NULL, 'local', 0, NULL, NULL, '', 1, 1)", "PRAGMA writable_schema = 1",
		"UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'sessions_profile') WHERE name = 'tenants_name'")
	require.ErrorIs(t, tries["Write"](t, path), ErrDamaged, "a change relies on all of it")
	for table, damaged := range map[string]bool{"tenants": true, "profiles": false} {
		d := mustOpen(t, path, Options{Now: clock, Relied: []string{"selection", table}})
		read, err := d.Read(t.Context())
		require.Equal(t, damaged, errors.Is(err, ErrDamaged), table)
		if err == nil {
			read.Close()
		}
	}
}

// database/sql quotes a value that its column can't hold.
func TestAValueThatDoesNotFitIsNotShown(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	harness.Mess(t, path, "PRAGMA writable_schema = 1", "UPDATE sqlite_schema SET sql = replace(sql, ') STRICT', ')') WHERE name = 'registry_meta'",
		"PRAGMA writable_schema = RESET", large, "PRAGMA ignore_check_constraints = 1", "UPDATE registry_meta SET revision = 'canary'")
	read, err := mustOpen(t, path, patient).Read(t.Context())
	require.NoError(t, err)
	defer read.Close()
	err = read.QueryRowContext(t.Context(), "SELECT revision FROM registry_meta").Scan(new(int))
	require.True(t, strings.Contains(err.Error(), "canary"), "then Explain has nothing to hide any more: %v", err)
	require.EqualError(t, Explain(err), "registry: damaged: a row does not make sense")
	require.ErrorIs(t, Explain(err), ErrDamaged)
}

// An older file that does not hold what its version says can't be migrated.
func TestAFileThatIsNotWhatItsVersionSaysIsDamage(t *testing.T) {
	t.Parallel()
	path := mustCreate(t)
	for _, version := range []string{"0", "-1"} {
		harness.Mess(t, path, "PRAGMA user_version = "+version)
		for how, try := range tries {
			require.ErrorIs(t, Explain(try(t, path)), ErrDamaged, "%s: %s", version, how)
		}
	}
}
