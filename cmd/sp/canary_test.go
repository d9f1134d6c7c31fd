package main

import (
	"encoding/base64"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/harness"
)

// TestSecretsShowNowhere runs every command, in every way to go wrong, over a registry
// that holds a marker wherever a secret can be. Only what tells a secret by its
// nature, or --reveal, may show one; and no file but the registry and the exports
// may hold one.
func TestSecretsShowNowhere(t *testing.T) {
	t.Parallel()
	rows := rowsOfEveryCommand(t)
	template := newSandbox(t)
	cage(template, caged)
	for what, c := range cages {
		if testing.Short() && !slices.Contains([]string{"whole", "busy", "changed by somebody else"}, what) {
			continue // the race detector makes each ten times as slow
		}
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			for _, words := range slices.Sorted(maps.Keys(rows)) {
				if words != canonical(words) && !c.deep {
					continue
				}
				s := newSandbox(t)
				require.NoError(t, os.CopyFS(s.dir, os.DirFS(template.dir)))
				makePrivate(t, s.dir)
				s.stdin = caged
				if c.make != nil {
					c.make(s)
				}
				for _, args := range rows[words].lines(c.deep && words == canonical(words) && !testing.Short()) {
					requireSilence(t, s, append(strings.Fields(words), args...))
				}
				if what != "exposed" {
					requireNoLeftover(t, s.dir)
				}
			}
		})
	}
}

// TestCommandsThatPrintSecretsDo shows that the other tests could have found the markers.
func TestCommandsThatPrintSecretsDo(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	cage(s, caged)
	for _, line := range []string{
		"resolve --tenant a", "resolve --tenant a --json", "export -", "export - --drop-unknown",
		"tenant show a --reveal", "tenant show b --reveal --json", "explain --profile a --reveal", "explain --profile a --reveal --json",
		"secrets get api --profile a --reveal", "secrets get sync_token --profile b --reveal --json", "session login --token-only",
	} {
		o := s.must(strings.Fields(line)...)
		require.True(t, tells(strings.Fields(line)), line)
		require.Contains(t, o.stdout, harness.Marker, line)
		require.NotContains(t, o.stderr, harness.Marker, line)
	}
	require.Contains(t, s.read(".systemprompt/sp.db"), harness.Marker)
}

// requireSilence runs a command plainly and with --json; neither may show a marker,
// and nothing that goes wrong here is a bug.
func requireSilence(t *testing.T, s *sandbox, args []string) {
	t.Helper()
	for _, args := range [][]string{args, append([]string{"--json"}, args...)} {
		o := s.run(args...)
		shown := o.stdout + o.stderr
		if tells(args) && o.exit == 0 {
			shown = o.stderr
		}
		if o.exit == 1 || len(harness.MarkersIn(shown)) > 0 {
			t.Errorf("sp %q: exit %d: %s%s", args, o.exit, o.stdout, o.stderr)
		}
	}
}

// requireNoLeftover looks through all files below dir: only the files that are meant
// to hold secrets do, and nobody else can read them.
func requireNoLeftover(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		require.Empty(t, harness.MarkersIn(name), "a name")
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		if len(harness.MarkersIn(string(text))) == 0 {
			return nil
		}
		info, err := entry.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s: mode %v", name, info.Mode())
		ofProfile, _ := filepath.Match(".systemprompt/profiles/*/secrets.json", name)
		meant := ofProfile || slices.Contains(mayHoldSecrets, name) || strings.HasPrefix(name, "given/") || strings.HasPrefix(name, ".systemprompt/sp.db.bak-restore-")
		require.True(t, meant, "%s holds a secret", name)
		return nil
	}))
}

const (
	markedKeywords = "host=h user=u password=" + harness.Marker
	markedKey      = "postgres://h/d?scram_client_key=" + harness.Marker
)

// caged is a tenants.json in which every member that can hold a secret holds the
// marker: as a URL's user, password, parameter, or without being a URL at all, and
// in members that the record does not define.
var caged = strings.ReplaceAll(`{"synced_at": "2026-02-01T10:00:00Z", "note": "MARK", "nested": {"deep": [{"x": "MARK"}]}, "tenants": [
  {"id": "a", "name": "a", "database_url": "postgres://MARK:MARK@h:1/a?password=MARK&sslkey=MARK&sslpassword=MARK&oauth_client_secret=MARK", "docker_project": {"x": ["MARK"]}},
  {"id": "b", "name": "b", "tenant_type": "cloud", "external_db_access": true, "database_url": "postgres://MARK@h/MARK@x",
   "internal_database_url": "postgres://u:MARK#x@h/b", "sync_token": "MARK"},
  {"id": "c", "name": "c", "database_url": "MARK", "internal_database_url": "host=h password=MARK"},
  {"id": "d", "name": "d", "tenant_type": "cloud", "database_url": "postgres://u:p/MARK@h/d", "internal_database_url": "postgres://MARK:***@h/d"},
  {"id": "e", "name": "e", "database_url": "postgres://h/e\nMARK", "api_key": "MARK", "pin": 1}]}`, "MARK", harness.Marker)

// mayHoldSecrets are the files that do, by their names in the project.
var mayHoldSecrets = []string{".systemprompt/sp.db", ".systemprompt/tenants.json", ".systemprompt/sessions/index.json", ".systemprompt/credentials.json", ".systemprompt/profiles/x/profile.yaml", ".systemprompt/profiles/y/profile.yaml", "copy.json", "copy.db"}

// cage makes a registry of a document like caged, and files to go wrong with.
func cage(s *sandbox, caged string) {
	s.write("given/caged.json", caged)
	s.write("given/changed.json", strings.ReplaceAll(caged, harness.Marker, harness.Marker+"2"))
	s.write("given/cut.json", caged[:len(caged)-4])
	s.write("given/twice.json", strings.Replace(caged, `"id": "b`, `"id": "a`, 1))
	s.write("given/wrong.json", strings.Replace(caged, `"tenant_type": "cloud"`, `"tenant_type": "`+harness.Marker+`"`, 1))
	s.write("given/time.json", strings.Replace(caged, "2026-02-01T10:00:00Z", harness.Marker, 1))
	s.write("given/odd.txt", "postgres://u:"+harness.Marker+"@h/x y")
	s.write("given/good.txt", "postgres://u:"+harness.Marker+"@h/good\n")
	s.write("given/long.txt", strings.Repeat(harness.Marker, 9000))
	s.write("given/token.txt", harness.Marker+"9\n")
	s.write("given/jwt.txt", "e30."+base64.RawURLEncoding.EncodeToString([]byte(`{"email":"u@example.com","jti":"`+harness.Marker+`"}`))+"."+harness.Marker)
	s.write("given/secrets.json", strings.ReplaceAll(`{"api": "MARK3", "more": "xMARK", "deep": {"x": "MARK"}, "list": ["MARK"], "sync_token": "MARK"}`, "MARK", harness.Marker))
	s.must("import", "given/caged.json")
	s.write(".systemprompt/credentials.json", strings.ReplaceAll(`{"api_token": "MARK", "api_url": "https://cloud.example", "authenticated_at": "2026-02-01T10:00:00Z",
	  "user_email": "a@example.com", "last_validated_at": null, "refresh_token": "MARK", "more": "MARK"}`, "MARK", harness.Marker))
	for _, tenant := range []string{"a", "b", "c", "d", "e"} {
		s.must("profile", "create", tenant, "--tenant", tenant)
	}
	s.must("profile", "create", "x", "--tenant", "a")
	s.must("profile", "create", "y", "--tenant", "a")
	s.must("session", "login", "--profile", "a", "--token-file", "given/token.txt", "--email", "u@example.com")
	for _, key := range []string{"api", "odd"} {
		s.must("secrets", "set", key, "--file", "given/odd.txt", "--profile", "a")
	}
	s.must("backup", "given/backup.db")
	s.write(".systemprompt/profiles/x/profile.yaml", "cloud: ["+harness.Marker+"\n")
	s.write(".systemprompt/profiles/y/profile.yaml", "cloud: {tenant_id: '"+harness.MarkedURL+"', token: "+harness.Marker+"}\n")
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

// cages are the circumstances under which every command is run: each with a fresh
// copy of a registry full of markers, made worse by it. Those that are not deep run
// the commands' rows only, and not every flag.
var cages = map[string]struct {
	deep bool
	make func(s *sandbox)
}{
	"whole":    {deep: true},
	"terminal": {make: func(s *sandbox) { s.terminal = true }},
	"debugged": {make: func(s *sandbox) {
		for _, name := range []string{"LOG", "DEBUG", "VERBOSE", "RUST_LOG", "RUST_BACKTRACE", "GODEBUG", "GOTRACEBACK", "SP_DEBUG", "SP_LOG", "SP_TRACE"} {
			s.env[name] = "trace"
		}
		for _, name := range []string{"DATABASE_URL", "PGPASSWORD", "SP_DATABASE_URL", "SP_SYNC_TOKEN", "SYSTEMPROMPT_DATABASE_URL"} {
			s.env[name] = harness.MarkedURL
		}
	}},
	"misdirected by SYSTEMPROMPT_PROFILE": {make: func(s *sandbox) { s.env["SYSTEMPROMPT_PROFILE"] = harness.MarkedURL }},
	"misdirected by keywords":             {make: func(s *sandbox) { s.env["SYSTEMPROMPT_PROFILE"] = markedKeywords }},
	"misdirected by SP_DIR":               {make: func(s *sandbox) { s.env["SP_DIR"] = harness.MarkedURL }},
	"misdirected by SP_LOCK_TIMEOUT":      {make: func(s *sandbox) { s.env["SP_LOCK_TIMEOUT"] = harness.Marker }},
	"changed by somebody else": {make: func(s *sandbox) {
		s.must("export")
		s.write(".systemprompt/tenants.json", strings.ReplaceAll(caged, harness.Marker, harness.Marker+"2"))
	}},
	"spoiled by somebody else": {make: func(s *sandbox) {
		s.must("export")
		s.write(".systemprompt/tenants.json", caged[:len(caged)-9])
	}},
	"busy": {make: func(s *sandbox) {
		s.env["SP_LOCK_TIMEOUT"] = "0"
		lock, err := os.OpenFile(filepath.Join(s.dir, ".systemprompt/.lock"), os.O_RDWR|os.O_CREATE, 0o600)
		require.NoError(s.t, err)
		require.NoError(s.t, unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB))
		s.t.Cleanup(func() { _ = lock.Close() })
	}},
	"damaged": {make: func(s *sandbox) {
		text := s.read(".systemprompt/sp.db")
		middle := strings.Repeat("\xff", 200)
		for at := 1024; at+len(middle) < len(text); at += 4096 {
			text = text[:at] + middle + text[at+len(middle):]
		}
		s.write(".systemprompt/sp.db", text)
	}},
	"garbage": {make: func(s *sandbox) { s.write(".systemprompt/sp.db", strings.Repeat(caged, 9)) }},
	"exposed": {make: func(s *sandbox) { require.NoError(s.t, os.Chmod(filepath.Join(s.dir, ".systemprompt/sp.db"), 0o644)) }},
	"gone":    {make: func(s *sandbox) { require.NoError(s.t, os.RemoveAll(filepath.Join(s.dir, ".systemprompt"))) }},
	"in the way": {make: func(s *sandbox) {
		path := filepath.Join(s.dir, ".systemprompt/tenants.json")
		require.NoError(s.t, os.Remove(path))
		require.NoError(s.t, os.Mkdir(path, 0o700))
	}},
	"without room": {make: func(s *sandbox) { s.stdout = "/dev/full" }},
}

// canaryRows says for every command how it is run over a registry full of secrets:
// what works, and what goes wrong in its own way. URL and KEYWORDS stand for a
// connection string with the marker. What goes wrong for all commands alike, every
// flag with such a value, --help and --json come by themselves.
var canaryRows = map[string][]string{
	"init":   {"", "--dir URL", "--dir KEYWORDS", "--dir new"},
	"trust":  {"", "-y", "--moved --copy"},
	"status": {"", "--max-age CANARYc4n4ryCANARY"},
	"doctor": {"", "--fix"}, // --connect would ask the network; doctor_database_test.go has it
	"import": {
		"--dry-run given/caged.json", "given/caged.json", "-", "--dry-run -", "given/changed.json", "given/cut.json", "given/twice.json",
		"given/wrong.json", "given/time.json", "given/odd.txt", "--duplicates first --dry-run given/twice.json", "--duplicates CANARYc4n4ryCANARY",
		"--exact given/changed.json", "--prune given/wrong.json", "--no-export given/caged.json", "", "nosuch.json", "given",
	},
	"export": {
		"", "--path copy.json", "--check", "--check --path given/caged.json", "--path given/caged.json", "--path given", "--force",
		"-", "- --drop-unknown", "--path nosuch/../x", "--path copy.json --drop-unknown --force", "--path .systemprompt/copy.json",
	},
	"backup": {
		"copy.db", "copy.db", "copy.db --force", ".systemprompt/x", "given", "-", "URL", "--age-recipient CANARYc4n4ryCANARY x.age",
		"--age-recipient URL x.age", "--age-recipients-file given/odd.txt x.age", "--age-recipients-file given/long.txt x.age",
	},
	"restore": {
		"given/backup.db", "given/caged.json -y", "given/odd.txt -y", "given", "-", "nosuch", "URL", "given/backup.db --age-identity given/odd.txt",
		"given/backup.db --age-identity given/long.txt", ".systemprompt/sp.db -y", "given/backup.db -y", "given/backup.db -y --no-export",
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
	// Nothing here connects: the tests in live do the same on a server.
	"tenant provision":          {"", "a", "c", "nosuch", "c --server URL", "c --server CANARYc4n4ryCANARY", "c --server-file given/odd.txt", "c --provider CANARYc4n4ryCANARY", "c --provider server --server-stdin", "c --extension CANARYc4n4ryCANARY", "c --extension citext --createdb"},
	"tenant check":              {"", "a", "b", "c", "d", "e", "nosuch", "--all"},
	"tenant rotate-credentials": {"", "a -y", "b -y", "c -y", "e -y --now", "nosuch -y", "a --grace CANARYc4n4ryCANARY -y"},
	"db up":                     {"", "--provider local", "--provider CANARYc4n4ryCANARY", "--port CANARYc4n4ryCANARY", "--port 7", "--listen CANARYc4n4ryCANARY"},
	"db logs":                   {"", "nosuch", "URL", "-n CANARYc4n4ryCANARY"},
	"db unit":                   {"", "nosuch", "URL"},
	"db down":                   {""},
	"db restart":                {"", "-y"},
	"db psql":                   {"", "a", "nosuch", "URL", "a b"},
	"db status":                 {""},
	"db list":                   {""},
	"db remove":                 {"", "nosuch", "URL -y", "local", "local -y"},
	"db use":                    {"", "--none", "--server URL", "--server CANARYc4n4ryCANARY", "--server-stdin", "--server-file given/odd.txt"},
	"psql":                      {"nosuch", "URL", "--profile nosuch", "a b", "c", "URL --profile a"},
	"exec":                      {"a -- true", "b --network external -- true", "c -- true", "-- URL", "URL -- true", "true URL", "a --only nosuch -- true"},
	"env":                       {"a", "b", "c", "URL", "--format dotenv", "--only nosuch", "--only API"},
	"tenant select":             {"a", "b", "-", "nosuch"},
	"tenant delete":             {"c", "nosuch -y", "c -y", "d -y"},
	"tenant rotate-sync-token":  {"", "b", "nosuch -y", "c", "c -y", "b -y"},
	"log":                       {"", "a", "nosuch", "--limit 1", "--after CANARYc4n4ryCANARY"},
	"log purge":                 {"", "-y"},
	"show":                      {"", "a --at 1", "a --at CANARYc4n4ryCANARY", "nosuch --at 1", "a --at 1 --reveal"},
	"undo":                      {"", "1", "99", "CANARYc4n4ryCANARY", "--purge"},
	"profile create":            {"new", "new --tenant b", "a", "fresh --tenant nosuch"},
	"profile list":              {"", "--all", "--limit 1"},
	"profile show":              {"", "a", "b", "nosuch"},
	"profile edit":              {"b --name bb", "b --tenant a", "a --tenant b", "nosuch --name q"},
	"profile default":           {"", "b", "", "--clear", "nosuch"},
	"profile delete":            {"c", "c -y", "nosuch -y"},
	"session list":              {"", "--limit 1"},
	"session show":              {""},
	"session switch":            {"b", "d", "nosuch"},
	"session logout":            {"", "--profile b", "--all", "--all -y"},
	"session login": {
		"", "--profile b --email u@example.com", "--profile a --force-new", "--profile a --force-new --email u@example.com",
		"--profile a --token-file given/token.txt --email u@example.com", "--profile b --token-file given/token.txt --email CANARYc4n4ryCANARY",
		"--profile b --token-file given/jwt.txt", "--profile b --token-file given/odd.txt --email u@example.com", "--token-file given/long.txt",
		"--token-file CANARYc4n4ryCANARY --email u@example.com", "--profile nosuch", "--token-file given --email u@example.com", "--profile a --token-only",
		"--profile b --token-file given/token.txt --email u@example.com --token-only", "--duration-hours CANARYc4n4ryCANARY", "--profile c --token-file -",
		"--profile b --token-file given/token.txt --email u@example.com --issuer URL",
	},
	"secrets set": {
		"new --profile a", "api --profile a", "api --profile a --file given/token.txt", "api --file given", "api --file CANARYc4n4ryCANARY", "api --file given/long.txt",
		"api=CANARYc4n4ryCANARY", "api --profile nosuch", "database_url --profile a", "api --profile b --file given/odd.txt --purge", "URL", "-- -x",
	},
	"secrets list":  {"", "--profile a", "--profile b", "--profile e", "--profile a --limit 1 --after api", "--profile nosuch"},
	"secrets get":   {"api --profile a", "database_url --profile e", "sync_token --profile b", "database_url --profile c", "nosuch", "api --reveal --profile a"},
	"secrets unset": {"api --profile a", "api --profile a", "nosuch", "database_url", "odd --purge --profile a", "odd --purge -y --profile a", "URL"},
	"secrets import": {
		"given/secrets.json --profile a", "- --profile a", "given/caged.json --profile b", "given/cut.json", "given/odd.txt", "given", "nosuch.json", "URL",
		"given/long.txt", "given/secrets.json --profile b --purge",
	},
	"resolve": {
		"", "--profile a", "--profile b", "--profile b --network external", "--profile c", "--profile d", "--profile d --network external",
		"--profile e", "--tenant a", "--tenant d", "--tenant e", "--profile a --tenant URL", "--profile nosuch", "--network CANARYc4n4ryCANARY",
		"--profile .systemprompt/profiles/x", "--profile .systemprompt/profiles/y/profile.yaml", "--profile ./u:CANARYc4n4ryCANARY@h/d",
	},
	"explain": {
		"", "--profile b", "--profile b --network external", "--profile c", "--profile d", "--profile d --network external", "--profile e",
		"--profile .systemprompt/profiles/x", "--profile .systemprompt/profiles/y/profile.yaml", "--profile ./u:CANARYc4n4ryCANARY@h/d", "--reveal",
	},
	"login": {
		"", "URL", "--device", "--token-stdin", "--token-stdin https://cloud.example", "--token-stdin http://CANARYc4n4ryCANARY@h", "--device URL",
		"--token-stdin https://u:CANARYc4n4ryCANARY@h", "--device --token-stdin",
	},
	"sync push":     {"", "b --dry-run", "a", "d", "nosuch", "URL"},
	"sync pull":     {"", "b --dry-run", "a", "d", "nosuch", "URL"},
	"tenant cancel": {"", "a -y", "b -y", "nosuch -y", "URL"},
	"logout":        {"", ""},
	"whoami":        {""},
	"auth login":    {"", "--token-stdin"},
	"auth logout":   {"", ""},
	"auth whoami":   {""},
	"version":       {""},
	"help":          {"", "tenant edit", "URL"},
}

// tells is what may print a secret on stdout: section 4 of the design.
func tells(args []string) bool {
	args = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "--json" })
	printed := args[0] == "resolve" || args[0] == "env" || args[0] == "export" && slices.Contains(args, "-")
	return printed || slices.Contains(args, "--reveal") || slices.Contains(args, "--token-only")
}

// rowsOfEveryCommand are canaryRows by the words of every command that does
// something, those under `cloud` and `admin` too.
func rowsOfEveryCommand(t *testing.T) map[string]canaryRow {
	t.Helper()
	rows, used := map[string]canaryRow{}, map[string]bool{}
	for words, cmd := range commands(t) {
		if cmd.IsGroup() {
			continue
		}
		given, ok := canaryRows[canonical(words)]
		require.True(t, ok || takesAnything(cmd), "sp %s has no row in canaryRows: say there how it is run over a registry full of secrets", words)
		rows[words] = canaryRow{cmd: cmd, given: given}
		used[canonical(words)] = true
	}
	for words := range canaryRows {
		require.True(t, used[words], "canaryRows has a row for %q, which is no command", words)
	}
	return rows
}

// canonical are the words of a command without `cloud` or `admin` before them.
func canonical(words string) string {
	return strings.TrimPrefix(strings.TrimPrefix(words, "cloud "), "admin ")
}

// canaryRow is one command with the lines that were given for it.
type canaryRow struct {
	cmd   *cli.Command
	given []string
}

// lines are all the arguments to run the command with.
func (r canaryRow) lines(deep bool) [][]string {
	var lines [][]string
	for _, line := range r.given {
		args := strings.Fields(line)
		for i, arg := range args {
			arg = strings.ReplaceAll(arg, "URL", harness.MarkedURL)
			args[i] = strings.ReplaceAll(arg, "KEYWORDS", markedKeywords)
		}
		lines = append(lines, args)
	}
	lines = append(lines, []string{"--help"}, []string{harness.MarkedURL}, []string{markedKeywords}, []string{"--", harness.MarkedURL}, []string{markedKey})
	if !deep {
		return lines
	}
	lines = append(lines, []string{"--" + harness.MarkedURL}, []string{"--frobnicate=" + harness.Marker}, []string{"-" + harness.Marker}, slices.Repeat([]string{harness.MarkedURL}, 9))
	for _, flag := range r.cmd.Flags {
		name := flag.Name
		for _, value := range []string{harness.MarkedURL, markedKeywords, markedKey} {
			lines = append(lines, []string{"--" + name + "=" + value}, []string{"a", "--" + name, value}, []string{"--" + name + value})
		}
	}
	return lines
}
