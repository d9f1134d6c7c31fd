package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// marker stands for every secret. It is as long as it is so that a part of it is
// known in base64 wherever it starts.
const marker = "CANARYc4n4ryCANARY"

const (
	markedURL      = "postgres://u:" + marker + "@h/d"
	markedKeywords = "host=h user=u password=" + marker
)

// caged is a tenants.json in which every member that can hold a secret holds the
// marker: as a URL's user, password, parameter, or without being a URL at all, and
// in members that the record does not define.
var caged = strings.ReplaceAll(`{"synced_at": "2026-02-01T10:00:00Z", "note": "MARK", "nested": {"deep": [{"x": "MARK"}]}, "tenants": [
  {"id": "a", "name": "a", "database_url": "postgres://MARK:MARK@h:1/a?password=MARK&sslkey=MARK", "docker_project": {"x": ["MARK"]}},
  {"id": "b", "name": "b", "tenant_type": "cloud", "external_db_access": true, "database_url": "postgres://MARK@h/MARK@x",
   "internal_database_url": "postgres://u:MARK#x@h/b", "sync_token": "MARK"},
  {"id": "c", "name": "c", "database_url": "MARK", "internal_database_url": "host=h password=MARK"},
  {"id": "d", "name": "d", "tenant_type": "cloud", "database_url": "postgres://u:p/MARK@h/d", "internal_database_url": "postgres://MARK:***@h/d"},
  {"id": "e", "name": "e", "database_url": "postgres://h/e\nMARK", "api_key": "MARK", "pin": 1}]}`, "MARK", marker)

// mayHoldSecrets are the files that do, by their names in the project.
var mayHoldSecrets = []string{".systemprompt/sp.db", ".systemprompt/tenants.json", ".systemprompt/profiles/x/profile.yaml", ".systemprompt/profiles/y/profile.yaml", "copy.json"}

// cage makes a registry of a document like caged, and files to go wrong with.
func cage(s *sandbox, caged string) {
	s.write("given/caged.json", caged)
	s.write("given/changed.json", strings.ReplaceAll(caged, marker, marker+"2"))
	s.write("given/cut.json", caged[:len(caged)-4])
	s.write("given/twice.json", strings.Replace(caged, `"id": "b`, `"id": "a`, 1))
	s.write("given/wrong.json", strings.Replace(caged, `"tenant_type": "cloud"`, `"tenant_type": "`+marker+`"`, 1))
	s.write("given/time.json", strings.Replace(caged, "2026-02-01T10:00:00Z", marker, 1))
	s.write("given/odd.txt", "postgres://u:"+marker+"@h/x y")
	s.write("given/good.txt", "postgres://u:"+marker+"@h/good\n")
	s.write("given/long.txt", strings.Repeat(marker, 9000))
	s.must("import", "given/caged.json")
	for _, tenant := range []string{"a", "b", "c", "d", "e"} {
		s.must("profile", "create", tenant, "--tenant", tenant)
	}
	s.must("profile", "create", "x", "--tenant", "a")
	s.must("profile", "create", "y", "--tenant", "a")
	s.must("session", "switch", "a")
	s.write(".systemprompt/profiles/x/profile.yaml", "cloud: ["+marker+"\n")
	s.write(".systemprompt/profiles/y/profile.yaml", "cloud: {tenant_id: '"+markedURL+"', token: "+marker+"}\n")
}

// canaryRows says for every command how it is run over a registry full of secrets:
// what works, and what goes wrong in its own way. URL and KEYWORDS stand for a
// connection string with the marker. What goes wrong for all commands alike, every
// flag with such a value, --help and --json come by themselves.
var canaryRows = map[string][]string{
	"init":   {"", "--dir URL", "--dir KEYWORDS", "--dir new"},
	"status": {"", "--max-age CANARYc4n4ryCANARY"},
	"import": {
		"--dry-run given/caged.json", "given/caged.json", "-", "--dry-run -", "given/changed.json", "given/cut.json", "given/twice.json",
		"given/wrong.json", "given/time.json", "given/odd.txt", "--duplicates first --dry-run given/twice.json", "--duplicates CANARYc4n4ryCANARY",
		"--exact given/changed.json", "--prune given/wrong.json", "--no-export given/caged.json", "", "nosuch.json", "given",
	},
	"export": {
		"", "--path copy.json", "--check", "--check --path given/caged.json", "--path given/caged.json", "--path given", "--force",
		"-", "- --drop-unknown", "--path nosuch/../x", "--path copy.json --drop-unknown --force", "--path .systemprompt/copy.json",
	},
	"tenant create": {
		"--name n --id n --database-url URL", "--name n --database-url postgres://u:CANARYc4n4ryCANARY@@h/d", "--name n --database-url-stdin",
		"--name m --id m --database-url-file given/good.txt", "--name o --database-url-file given/odd.txt", "--name o --database-url-file given/long.txt",
		"--name o --database-url-file CANARYc4n4ryCANARY", "--name a --database-url URL", "--name z --id a --database-url URL",
		"--name p --database-url CANARYc4n4ryCANARY", "--type CANARYc4n4ryCANARY --name n", "--type cloud --name n --database-url URL",
	},
	"tenant list": {"", "--limit 2", "--after a", "--limit CANARYc4n4ryCANARY", "--max-age CANARYc4n4ryCANARY", "--stale"},
	"tenant show": {"", "a", "b", "c", "d", "e", "nosuch", "a --reveal", "e --reveal"},
	"tenant edit": {
		"a --name x --database-url CANARYc4n4ryCANARY", "a --database-url postgres://u:CANARYc4n4ryCANARY@h:x/d", "a --database-url-file given/odd.txt",
		"a --database-url-file given", "a --sync-token-file CANARYc4n4ryCANARY", "a --database-url-stdin", "a --sync-token-stdin --database-url-stdin",
		"a --database-url postgres://u:CANARYc4n4ryCANARY3@h/d", "b --sync-token CANARYc4n4ryCANARY4", "b --internal-database-url URL --region iad",
		"a --clear CANARYc4n4ryCANARY", "a --limit=CANARYc4n4ryCANARY", "a --region iad", "nosuch --region iad", "c --clear database-url", "a --name b",
	},
	"tenant select":   {"a", "b", "-", "nosuch"},
	"tenant delete":   {"c", "nosuch -y", "c -y", "d -y"},
	"profile create":  {"new", "new --tenant b", "a", "fresh --tenant nosuch"},
	"profile list":    {"", "--all", "--limit 1"},
	"profile show":    {"", "a", "b", "nosuch"},
	"profile edit":    {"b --name bb", "b --tenant a", "a --tenant b", "nosuch --name q"},
	"profile default": {"", "b", "", "--clear", "nosuch"},
	"profile delete":  {"c", "c -y", "nosuch -y"},
	"session list":    {"", "--limit 1"},
	"session show":    {""},
	"session switch":  {"b", "d", "nosuch"},
	"session logout":  {"", "--profile b", "--all", "--all -y"},
	"resolve": {
		"", "--profile a", "--profile b", "--profile b --network external", "--profile c", "--profile d", "--profile d --network external",
		"--profile e", "--tenant a", "--tenant d", "--tenant e", "--profile a --tenant URL", "--profile nosuch", "--network CANARYc4n4ryCANARY",
		"--profile .systemprompt/profiles/x", "--profile .systemprompt/profiles/y/profile.yaml", "--profile ./u:CANARYc4n4ryCANARY@h/d",
	},
	"explain": {
		"", "--profile b", "--profile b --network external", "--profile c", "--profile d", "--profile d --network external", "--profile e",
		"--profile .systemprompt/profiles/x", "--profile .systemprompt/profiles/y/profile.yaml", "--profile ./u:CANARYc4n4ryCANARY@h/d", "--reveal",
	},
	"version": {""},
	"help":    {"", "tenant edit", "URL"},
}

// tells is what may print a secret on stdout: section 4 of the design.
func tells(args []string) bool {
	args = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "--json" })
	printed := args[0] == "resolve" || args[0] == "export" && slices.Contains(args, "-")
	return printed || slices.Contains(args, "--reveal")
}

// needles are the ways in which a marker may be written.
var needles = func() []string {
	found := []string{marker, hex.EncodeToString([]byte(marker)), each2(marker, "%%%02x"), each2(marker, `\u%04x`), strings.Trim(fmt.Sprint([]byte(marker)), "[]")}
	for i, needle := range found {
		found[i] = strings.ToLower(needle)
	}
	for before := range 3 {
		// What stands before and behind the marker has a part in its first and last characters.
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + marker))
		found = append(found, text[4:len(text)-4]) // no + or / is in it, so that both alphabets write it alike
	}
	return found
}()

// each2 writes every byte of a text by a format.
func each2(text, format string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, format, text[i])
	}
	return b.String()
}

// markersIn returns which needles a text holds.
func markersIn(text string) (found []string) {
	lower := strings.ToLower(text)
	for _, needle := range needles {
		if strings.Contains(text, needle) || strings.Contains(lower, needle) {
			found = append(found, needle)
		}
	}
	return found
}

// makePrivate gives a copied tree the modes that sp gives its own.
func makePrivate(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := os.FileMode(0o600)
		if entry.IsDir() {
			mode = 0o700
		}
		return os.Chmod(path, mode)
	}))
}
