package main

import (
	"database/sql"
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
			require.Regexp(t, "(control or invisible character|not UTF-8|combining marks in a row): not allowed", o.stderr, what)
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
