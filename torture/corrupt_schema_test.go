package torture

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// unstrict makes a table take any type, as no file of ours does.
func unstrict(table string) []string {
	return []string{
		"PRAGMA writable_schema = 1",
		"UPDATE sqlite_schema SET sql = replace(replace(replace(sql, 'STRICT', ''), 'NOT NULL', ''), 'INTEGER', '') WHERE name = '" + table + "'",
		"PRAGMA writable_schema = RESET", "PRAGMA ignore_check_constraints = 1",
	}
}

// large makes the file so large that it is not checked whole before it is used.
const large = "INSERT INTO files (path, previous, current, tenants_revision) VALUES ('/large', '', hex(zeroblob(100000)), 0)"

// tampered are files that another hand wrote, by what it did. A refusal by all
// commands is demanded where refused is set.
var tampered = []struct {
	what       string
	refused    bool
	statements []string
}{
	{"newer schema", true, []string{"PRAGMA user_version = 9999"}},
	{"trigger", true, []string{"CREATE TRIGGER t AFTER UPDATE ON tenants BEGIN UPDATE tenants SET database_url = 'postgres://evil/x'; END"}},
	{"trigger with functions", true, []string{"CREATE TRIGGER t AFTER UPDATE ON registry_meta BEGIN SELECT load_extension('x'), randomblob(1000000000); END"}},
	{"view for a table", true, []string{"ALTER TABLE profiles RENAME TO p", "CREATE VIEW profiles AS SELECT 'p2' AS name, 'p2' AS name_key, 't9' AS tenant_id"}},
	{"dropped table", true, []string{"DROP TABLE sessions"}},
	{"dropped index", true, []string{"DROP INDEX tenants_id"}},
	{"another table", true, []string{"CREATE TABLE theirs (x)"}},
	{"roots of two tables exchanged", true, []string{
		"PRAGMA writable_schema = 1",
		"UPDATE sqlite_schema SET rootpage = (SELECT SUM(rootpage) FROM sqlite_schema WHERE name IN ('tenants', 'profiles')) - rootpage WHERE name IN ('tenants', 'profiles')",
	}},
	{"SQL that is none", true, []string{"PRAGMA writable_schema = 1", "UPDATE sqlite_schema SET sql = 'CREATE TABLE tenants (' WHERE name = 'tenants'"}},
	{"dropped column", false, []string{"ALTER TABLE tenants DROP COLUMN sync_token"}},
	{"no row of the registry", false, []string{"DELETE FROM registry_meta"}},
	{"no selection", false, []string{"DELETE FROM selection"}},
	{"dangling session", false, []string{"UPDATE sessions SET profile = 'gone'"}},
	{"dangling selection", false, []string{"UPDATE selection SET tenant_id = 'gone', default_profile = 'gone'"}},
	{"revision at its end", false, []string{"UPDATE registry_meta SET revision = 9223372036854775807"}},
	{"time that is none", false, []string{"UPDATE registry_meta SET synced_at = 'yesterday'"}},
	{"NUL", false, []string{"UPDATE tenants SET name = 'a' || char(0) || 'b', database_url = 'postgres://h/a' || char(0)"}},
	{"lines and escapes", false, []string{"UPDATE tenants SET name = 'a' || char(10) || char(27) || '[2J' || id, region = char(155) || '31m'"}},
	{"invalid UTF-8", false, []string{"UPDATE tenants SET region = CAST(x'c328ff' AS TEXT)"}},
	{"invalid UTF-8 in an id", false, []string{"UPDATE tenants SET id = CAST(x'61ff' AS TEXT) WHERE id = 't40'"}},
	{"20 MB", false, []string{"UPDATE tenants SET name = hex(zeroblob(10000000)) WHERE id = 't7'"}},
	{"members that are none", false, []string{`UPDATE tenants SET unknown_members = '"a":1,}{'`}},
	{"members nested deep", false, []string{`UPDATE tenants SET unknown_members = '"a":' || replace(hex(zeroblob(50000)), '00', '[') || replace(hex(zeroblob(50000)), '00', ']')`}},
	{"wrong types", false, append(unstrict("tenants"), large, "UPDATE tenants SET name = NULL, region = x'00', external_db_access = 's3cret', version = 'x'")},
	{"wrong type in the registry's row", false, append(unstrict("registry_meta"), large, "UPDATE registry_meta SET revision = 's3cret', tenants_revision = NULL")},
	{"wrong type of a session", false, append(unstrict("sessions"), large, "UPDATE sessions SET chosen_at = 's3cret'")},
	{"kind that is none", false, []string{large, "PRAGMA ignore_check_constraints = 1", "UPDATE tenants SET tenant_type = 'shared'"}},
	{"empty names", false, []string{large, "PRAGMA ignore_check_constraints = 1", "UPDATE tenants SET name = ''"}},
	{"older, without what is older", false, []string{"PRAGMA user_version = 0"}},
	{"older, with a table gone", false, []string{"PRAGMA user_version = 0", "DROP TABLE files"}},
}

// TestTamperedFilesAreRefusedOrHarmless (B12, fault 21): what another hand wrote with
// SQLite itself is refused, or a value as good as any.
func TestTamperedFilesAreRefusedOrHarmless(t *testing.T) {
	sized(t, 1, 1)
	t.Parallel()
	s := newSpecimen(t)
	for _, c := range tampered {
		require.NoError(t, s.infect(s.whole))
		harness.Mess(t, s.Store("sp.db"), c.statements...)
		for _, command := range append(probes, cure) {
			o, err := s.try(command)
			require.NoError(t, err, c.what)
			require.Empty(t, trouble(command, o), c.what)
			require.True(t, !c.refused || o.Exit == 6, "%s: %s: exit %d", c.what, command, o.Exit)
			require.NotContains(t, o.Stdout+o.Stderr, "\x1b", "%s: %s", c.what, command)
			if strings.Contains(command, "--json") {
				require.True(t, json.Valid([]byte(o.Stdout)), "%s: %s: %.200q", c.what, command, o.Stdout)
			}
			if o.Exit == 0 && strings.Contains(fmt.Sprint(c.statements), "evil") {
				require.NotContains(t, o.Stdout, "evil", c.what)
			}
		}
	}
}
