package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const marker = "CANARY"

// caged is a tenants.json in which every member that can hold a secret holds the
// marker: as a URL's user, password, parameter, or without being a URL at all.
const caged = `{"synced_at": "2026-02-01T10:00:00Z", "note": "CANARY", "tenants": [
  {"id": "a", "name": "a", "database_url": "postgres://CANARY:CANARY@h:1/a?password=CANARY&sslkey=CANARY", "docker_project": {"x": ["CANARY"]}},
  {"id": "b", "name": "b", "tenant_type": "cloud", "external_db_access": true, "database_url": "postgres://CANARY@h/CANARY@x",
   "internal_database_url": "postgres://u:CANARY#x@h/b", "sync_token": "CANARY"},
  {"id": "c", "name": "c", "database_url": "CANARY", "internal_database_url": "host=h password=CANARY"},
  {"id": "d", "name": "d", "tenant_type": "cloud", "database_url": "postgres://u:p/CANARY@h/d", "internal_database_url": "postgres://CANARY:***@h/d"},
  {"id": "e", "name": "e", "database_url": "postgres://h/e\nCANARY"}]}`

// TestSecretsShowNowhere runs commands and failures over a registry full of markers.
// Only resolve and export - may tell one.
func TestSecretsShowNowhere(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.write("caged.json", caged)
	s.write("changed.json", strings.ReplaceAll(caged, "CANARY", "CANARY2"))
	s.write("cut.json", caged[:len(caged)-4])
	s.write("twice.json", strings.Replace(caged, `"id": "b"`, `"id": "a"`, 1))
	s.write("secret.txt", "postgres://u:CANARY@h/x y")
	s.stdin = caged
	silent := func(line string) outcome {
		t.Helper()
		var plain outcome
		for i, args := range [][]string{strings.Fields(line), append([]string{"--json"}, strings.Fields(line)...)} {
			o := s.run(args...)
			if strings.Contains(o.stdout+o.stderr, marker) || o.exit == 1 {
				t.Errorf("sp %v: exit %d, %s%s", args, o.exit, o.stdout, o.stderr)
			}
			if i == 0 {
				plain = o
			}
		}
		return plain
	}
	for _, line := range strings.Split(strings.TrimSpace(`
import --dry-run caged.json
import caged.json
import -
import cut.json
import twice.json
import --duplicates first --dry-run twice.json
export
tenant list
tenant show a
tenant show b
tenant show c
tenant show d
tenant show e
tenant select a
profile create a --tenant a
profile create b --tenant b
profile create c --tenant c
profile create d --tenant d
profile create e --tenant e
profile list --all
profile show a
session switch a
session list
session show
status
explain
explain --profile b
explain --profile b --network external
explain --profile c
explain --profile d
explain --profile d --network external
explain --profile e
resolve --profile d
resolve --profile d --network external
resolve --profile postgres://u:CANARY@h/d
resolve --network postgres://u:CANARY@h/d
resolve --profile a --tenant postgres://u:CANARY@h/d
tenant edit a --name x --database-url CANARY
tenant edit a --database-url postgres://u:CANARY@h:x/d
tenant edit a --database-url-file secret.txt
tenant edit a --database-url postgres://u:CANARY3@h/d
tenant edit a --sync-token CANARY4
tenant edit a --clear CANARY
tenant edit a --limit=CANARY
tenant create --name n --database-url postgres://u:CANARY@@h/d
tenant create --name n --database-url-stdin
tenant create --type CANARY --name n
import changed.json
export --path copy.json
export --check --path caged.json
export --path caged.json
tenant list --limit CANARY
tenant list --max-age CANARY
import --duplicates CANARY
session logout
profile delete c -y
tenant delete c
tenant delete c -y
tenant delete d -y`), "\n") {
		silent(line)
	}

	// A file that somebody else wrote: what differs is said in names.
	s.write(".systemprompt/tenants.json", strings.ReplaceAll(caged, "CANARY", "CANARY5"))
	require.Equal(t, 4, silent("tenant edit a --region iad").exit)
	require.Contains(t, silent("export").stderr, "database_url")
	silent("status")
	silent("import")

	// And these do tell, so that the markers were there all the time.
	require.Contains(t, s.must("resolve", "--tenant", "a").stdout, marker)
	require.Contains(t, s.must("resolve", "--tenant", "a", "--json").stdout, marker)
	require.Contains(t, s.must("export", "-").stdout, marker)
	require.Empty(t, s.must("resolve", "--tenant", "a").stderr)
}
