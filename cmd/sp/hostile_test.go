package main

import (
	"database/sql"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

// TestHostileNamesShowHarmless runs every command over tenants whose ids, names and
// other texts are hostile, in a directory with such a name: as rows, as JSON and on
// a terminal, with what works and with what goes wrong.
func TestHostileNamesShowHarmless(t *testing.T) {
	t.Parallel()
	rows := rowsOfEveryCommand(t)
	for what, hostile := range map[string]string{
		"what moves the cursor": hostiles["sequences"] + hostiles["controls"] + hostiles["lines"],
		"what is not seen":      hostiles["bidi"] + hostiles["invisible"] + hostiles["spaces"] + hostiles["floods"],
	} {
		if testing.Short() && what == "what is not seen" {
			continue
		}
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			document := hostileDocument(t, hostile)
			template := hostileSandbox(t, hostile)
			cage(template, document)
			template.must("export")
			for _, words := range slices.Sorted(maps.Keys(canaryRows)) {
				s := hostileSandbox(t, hostile)
				require.NoError(t, os.CopyFS(s.dir, os.DirFS(template.dir)))
				makePrivate(t, s.dir)
				for _, args := range rows[words].lines(false) {
					whole := slices.Clone(args)
					for i, arg := range whole {
						if len(arg) == 1 && arg != "-" {
							whole[i] = arg + hostile // the whole id, where only its start was
						}
					}
					for _, args := range [][]string{args, whole} {
						if !slices.ContainsFunc(args, func(arg string) bool { return strings.Contains(arg, "\x00") }) { // no argument can
							requireHarmless(t, s, append(strings.Fields(words), args...))
						}
					}
				}
			}
		})
	}
}

// requireHarmless runs a command plainly, with --json, and on a terminal.
func requireHarmless(t *testing.T, s *sandbox, args []string) {
	t.Helper()
	for _, as := range []struct {
		terminal bool
		args     []string
	}{{false, args}, {false, append([]string{"--json"}, args...)}, {true, args}} {
		s.terminal, s.stdin = as.terminal, "n\n"
		o := s.run(as.args...)
		s.terminal = false
		if args[0] == "export" && slices.Contains(args, "-") { // it is tenants.json, byte for byte
			o.stdout = ""
		}
		harm := harness.Harm(o.stderr, false) + harness.Harm(o.stdout, !as.terminal && !slices.Contains(as.args, "--json"))
		if harm != "" || o.exit == 1 || forged(o) {
			t.Errorf("sp %q: exit %d, terminal %v: %q\n%s%s", as.args, o.exit, as.terminal, harm, o.stdout, o.stderr)
		}
	}
}

// TestHostileNamesForgeNoRows counts: a row a tenant, whatever it is called.
func TestHostileNamesForgeNoRows(t *testing.T) {
	t.Parallel()
	for what, hostile := range hostiles {
		s := newSandbox(t)
		cage(s, hostileDocument(t, hostile))
		rows := strings.Split(strings.TrimSuffix(s.must("tenant", "list").stdout, "\n"), "\n")
		require.Len(t, rows, 5, what)
		for _, row := range rows {
			require.Equal(t, 4, strings.Count(row, "\t"), "%s: %s", what, row)
		}
		require.Len(t, strings.Split(s.must("profile", "list", "--all").stdout, "\n"), 7+1, what)
		s.terminal = true
		require.Len(t, strings.Split(s.must("tenant", "list").stdout, "\n"), 2+5+1, what)
	}
}

// TestHostileTextsAreRefusedFromFlags with the rule that they break; what else takes
// them as an argument does not show them as they are.
func TestHostileTextsAreRefusedFromFlags(t *testing.T) {
	t.Parallel()
	raw := maps.Clone(hostiles)
	delete(raw, "spaces") // a name may hold them inside
	raw["a control of one byte"], raw["not UTF-8"], raw["a surrogate"], raw["overlong"] = "a\x9b31m", "a\xff\xfe", "a\xed\xa0\x80", "a\xc0\x9b"
	s := newSandbox(t)
	s.must("init")
	for what, hostile := range raw {
		hostile = strings.ReplaceAll(hostile, "\x00", "") // no argument can hold it
		for _, flag := range []string{"--name", "--id", "--shared-container-db"} {
			args := []string{"tenant", "create", "--database-url", "postgres://h/d", flag, hostile}
			if flag != "--name" {
				args = append(args, "--name", "n")
			}
			o := s.run(args...)
			require.Equal(t, 2, o.exit, "%s in %s: %s", what, flag, o.stdout)
			require.Regexp(t, "(control or invisible character|not UTF-8|combining marks in a row)", o.stderr, what)
		}
	}
	all := hostiles["sequences"] + hostiles["lines"] + hostiles["bidi"] + hostiles["floods"] + "\x9b31m\xff"
	for words, cmd := range commands(t) {
		if canonical(words) != words {
			continue
		}
		for _, flag := range cmd.Flags {
			requireHarmless(t, s, append(strings.Fields(words), "--"+flag.Name+"="+all))
		}
		requireHarmless(t, s, append(strings.Fields(words), all))
		requireHarmless(t, s, append(strings.Fields(words), "--"+all))
	}
	require.Empty(t, s.must("tenant", "list").stdout)
}

// TestHostileTextInTheStoreShowsHarmless: names that sp would never give, and the
// signature of whoever holds the lock.
func TestHostileTextInTheStoreShowsHarmless(t *testing.T) {
	t.Parallel()
	for what, hostile := range hostiles {
		s := newSandbox(t)
		cage(s, caged)
		db, err := sql.Open("sqlite", filepath.Join(s.dir, ".systemprompt/sp.db"))
		require.NoError(t, err)
		_, err = db.Exec("UPDATE profiles SET name = ?1 || name, name_key = ?1 || name; UPDATE sessions SET profile = ?1 || profile", hostile)
		require.NoError(t, err, what)
		require.NoError(t, db.Close())
		for _, line := range []string{"profile list --all", "session list", "session show", "status", "explain", "resolve", "tenant delete a", "session switch b", "profile show"} {
			requireHarmless(t, s, strings.Fields(line))
		}

		lock, err := os.OpenFile(filepath.Join(s.dir, ".systemprompt/.lock"), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
		require.NoError(t, err)
		require.NoError(t, unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB))
		_, err = lock.WriteString(hostile + "\n")
		require.NoError(t, err)
		s.env["SP_LOCK_TIMEOUT"] = "0"
		requireHarmless(t, s, []string{"tenant", "select", "b"})
		require.Equal(t, 7, s.run("tenant", "select", "b").exit, what)
		require.NoError(t, lock.Close())
	}
}

// hostiles are texts that do something to a terminal, a table or a reader. All of
// them are UTF-8, as an imported file has to be.
var hostiles = map[string]string{
	"sequences": "\x1b[31mred\x1b[0m\x1b[2J\x1b]0;title\x07\x1b]52;c;cm0gLXJm\x07\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\\x1bPq#0\x1b\\\x1bc",
	"controls":  "\x00\x01\a\b\b\b\v\f\r\x0e\x0f\x18\x1a\x7f\u0080\u0085\u008d\u0090\u009b31m\u009c\u009d0;t\u009c",
	"lines":     "x\nsp: forged\r\nforged\tlocal\tforged\r\u2028sp: forged\u2029forged\ttab\u0085forged",
	"bidi":      "user\u202e\u2066txet\u2069\u202c\u200e\u200f\u061c\u2067\u2068\u202a\u202b\u202d",
	"invisible": "a\u200bb\u200c\u200d\u2060\u2064\ufeff\u00ad\u034f\u115f\u1160\u17b4\u180e\u3164\uffa0\ufe0f\ufff9\ufffb\U000e0041\U000e007f\U000e0100z",
	"floods":    "z" + strings.Repeat("\u0301\u0489\u20dd", 20) + "a" + strings.Repeat("\u0335", 40),
	"spaces":    "a\u00a0\u2000\u2003\u3000b",
}

// forged tells whether a line or a column is there that only a name could have made.
func forged(o outcome) bool {
	for line := range strings.Lines(o.stdout + "\n" + o.stderr) {
		if strings.HasPrefix(line, "sp: forged") || slices.Contains(strings.Split(strings.TrimSpace(line), "\t"), "forged") {
			return true
		}
	}
	return checkNotes(o.stderr) != nil
}

// hostileDocument is caged with a text in every id, name and other text.
func hostileDocument(t *testing.T, hostile string) string {
	t.Helper()
	quoted, err := json.Marshal(hostile)
	require.NoError(t, err)
	text := string(quoted[1 : len(quoted)-1])
	document := caged
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		plain := `"id": "` + id + `", "name": "` + id + `"`
		require.Contains(t, document, plain)
		document = strings.Replace(document, plain, `"id": "`+id+text+`", "name": "`+id+text+`", "app_id": "`+text+`", "hostname": "`+text+
			`", "region": "`+text+`", "shared_container_db": "`+text+`", "`+text+`": 1`, 1)
	}
	return document
}

// hostileSandbox is a sandbox in a directory that is called so.
func hostileSandbox(t *testing.T, hostile string) *sandbox {
	t.Helper()
	s := newSandbox(t)
	name := strings.ReplaceAll(strings.ReplaceAll(hostile, "/", ""), "\x00", "")
	s.dir = filepath.Join(s.dir, name[:min(len(name), 200)]+"\x9b")
	require.NoError(t, os.Mkdir(s.dir, 0o700))
	return s
}
