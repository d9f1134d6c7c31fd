package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v3"
	"golang.org/x/sys/unix"
)

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
			s.env[name] = markedURL
		}
	}},
	"misdirected by SYSTEMPROMPT_PROFILE": {make: func(s *sandbox) { s.env["SYSTEMPROMPT_PROFILE"] = markedURL }},
	"misdirected by keywords":             {make: func(s *sandbox) { s.env["SYSTEMPROMPT_PROFILE"] = markedKeywords }},
	"misdirected by SP_DIR":               {make: func(s *sandbox) { s.env["SP_DIR"] = markedURL }},
	"misdirected by SP_LOCK_TIMEOUT":      {make: func(s *sandbox) { s.env["SP_LOCK_TIMEOUT"] = marker }},
	"changed by somebody else": {make: func(s *sandbox) {
		s.must("export")
		s.write(".systemprompt/tenants.json", strings.ReplaceAll(caged, marker, marker+"2"))
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
		require.NoError(s.t, os.Mkdir(filepath.Join(s.dir, ".systemprompt/tenants.json"), 0o700))
	}},
	"without room": {make: func(s *sandbox) { s.stdout = "/dev/full" }},
}

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
				for _, args := range rows[words].lines(c.deep && words == canonical(words)) {
					requireSilence(t, s, append(strings.Fields(words), args...))
				}
				if what != "exposed" {
					requireNoLeftover(t, s.dir)
				}
			}
		})
	}
}

// TestWhatTellsASecretTellsIt shows that the markers were there all the time.
func TestWhatTellsASecretTellsIt(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	cage(s, caged)
	for _, line := range []string{
		"resolve --tenant a", "resolve --tenant a --json", "export -", "export - --drop-unknown",
		"tenant show a --reveal", "tenant show b --reveal --json", "explain --profile a --reveal", "explain --profile a --reveal --json",
	} {
		o := s.must(strings.Fields(line)...)
		require.True(t, tells(strings.Fields(line)), line)
		require.Contains(t, o.stdout, marker, line)
		require.NotContains(t, o.stderr, marker, line)
	}
	require.Contains(t, s.read(".systemprompt/sp.db"), marker)
}

func TestMarkersAreFoundHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"", "x", "xy", "xyz"} {
		text := before + marker + "tail"
		for _, written := range []string{
			text, strings.ToLower(text), base64.StdEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text)),
			hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text))), url.PathEscape(text), each2(text, "%%%02X"), each2(text, "%%%02x"), each2(text, `\u%04x`), fmt.Sprint([]byte(text)),
		} {
			require.NotEmpty(t, markersIn(written), written)
		}
	}
	require.Empty(t, markersIn("postgres://***:***@h/d"))
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
		if o.exit == 1 || len(markersIn(shown)) > 0 {
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
		require.Empty(t, markersIn(name), "a name")
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		if len(markersIn(string(text))) == 0 {
			return nil
		}
		info, err := entry.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s: mode %v", name, info.Mode())
		require.True(t, slices.Contains(mayHoldSecrets, name) || strings.HasPrefix(name, "given/"), "%s holds a secret", name)
		return nil
	}))
}

// rowsOfEveryCommand are canaryRows by the words of every command that does
// something, those under `cloud` and `admin` too.
func rowsOfEveryCommand(t *testing.T) map[string]canaryRow {
	t.Helper()
	rows, used := map[string]canaryRow{}, map[string]bool{}
	for words, cmd := range commands(t) {
		if !isLeaf(cmd) {
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
			arg = strings.ReplaceAll(arg, "URL", markedURL)
			args[i] = strings.ReplaceAll(arg, "KEYWORDS", markedKeywords)
		}
		lines = append(lines, args)
	}
	lines = append(lines, []string{"--help"}, []string{markedURL}, []string{markedKeywords}, []string{"--", markedURL})
	if !deep {
		return lines
	}
	lines = append(lines, []string{"--" + markedURL}, []string{"--frobnicate=" + marker}, []string{"-" + marker}, slices.Repeat([]string{markedURL}, 9))
	for _, flag := range r.cmd.Flags {
		name := flag.Names()[0]
		for _, value := range []string{markedURL, markedKeywords} {
			lines = append(lines, []string{"--" + name + "=" + value}, []string{"a", "--" + name, value}, []string{"--" + name + value})
		}
	}
	return lines
}
