package torture

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// marker stands for every secret; it is made as the one in cmd/sp is, so that a part
// of it is known in base64 wherever it starts.
const marker = "CANARYc4n4ryCANARY"

const markedURL = "postgres://u:" + marker + "@h/d"

// needles are the ways in which a marker may be written.
var needles = func() [][]byte {
	hexed := hex.EncodeToString([]byte(marker))
	found := []string{marker, hexed, strings.ToUpper(hexed), regexp.MustCompile("..").ReplaceAllString(hexed, "%$0"), regexp.MustCompile("..").ReplaceAllString(hexed, `\u00$0`)}
	for before := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + marker))
		found = append(found, text[4:len(text)-4]) // neither + nor / is in it: both alphabets write it alike
	}
	var needles [][]byte
	for _, needle := range found {
		needles = append(needles, []byte(needle))
	}
	return needles
}()

func holdsMarker(text []byte) bool {
	return slices.ContainsFunc(needles, func(needle []byte) bool { return bytes.Contains(text, needle) })
}

// mayHoldSecrets are the files of a place that do; mid-command and after a kill also
// the journal and the export that is not in its place yet.
var (
	mayHoldSecrets = regexp.MustCompile(`^project/\.systemprompt/(sp\.db|sp\.db\.bak-.*|tenants\.json|profiles/[^/]+/secrets\.json|sessions/index\.json)$|^project/(copy\.json|a)$|^given/`)
	mayBeLeft      = regexp.MustCompile(`^project/\.systemprompt/(sp\.db-journal|\.(tenants\.json|file)\.[0-9]+\.tmp)$`)
)

// canaryPlace is a project in a git work tree, with home and temporary files beside
// it, and a git that writes down how it was called.
type canaryPlace struct {
	place
	root string
	log  string // what git was given: arguments, environment, stdin
}

func newCanaryPlace(t *testing.T) canaryPlace {
	t.Helper()
	git := need(t, "git")
	c := canaryPlace{place: newPlace(t), log: filepath.Join(t.TempDir(), "git.log")}
	c.root = c.dir
	c.dir = filepath.Join(c.root, "project")
	for _, name := range []string{"project", "home", "tmp", "bin", "given"} {
		require.NoError(t, os.Mkdir(filepath.Join(c.root, name), 0o700))
	}
	fake := fmt.Sprintf("#!/bin/sh\n{ printf '%%s\\n' \"$@\"; env; } >>%[1]s\ntee -a %[1]s | %[2]s \"$@\"\n", c.log, git)
	require.NoError(t, os.WriteFile(filepath.Join(c.root, "bin", "git"), []byte(fake), 0o700))
	c.env = []string{
		"PATH=" + filepath.Join(c.root, "bin") + ":" + os.Getenv("PATH"), "HOME=" + filepath.Join(c.root, "home"), "TMPDIR=" + filepath.Join(c.root, "tmp"),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "DATABASE_URL=" + markedURL, "PGPASSWORD=" + marker, "SP_SYNC_TOKEN=" + marker,
		"GODEBUG=gctrace=0", "GOTRACEBACK=system", "RUST_LOG=trace", "DEBUG=1", "SP_LOG=trace",
	}
	out, err := exec.Command(git, "-C", c.dir, "init", "-q").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return c
}

// give writes a file that is given to sp.
func (c canaryPlace) give(name, text string) string {
	path := filepath.Join(c.root, "given", name)
	require.NoError(c.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// requireNoLeak looks at what a command showed, at how it called git, and through
// every file of the place.
func (c canaryPlace) requireNoLeak(shown outcome, tells bool, left *regexp.Regexp) {
	t := c.t
	t.Helper()
	require.False(t, holdsMarker([]byte(shown.stderr)), "stderr: %s", shown.stderr)
	require.False(t, !tells && holdsMarker([]byte(shown.stdout)), "stdout: %s", shown.stdout)
	if log, err := os.ReadFile(c.log); err == nil {
		require.False(t, holdsMarker(log), "git was given a secret")
	}
	require.NoError(t, filepath.WalkDir(c.root, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(c.root, path)
		require.NoError(t, err)
		require.False(t, holdsMarker([]byte(name)), "a name: %s", name)
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		if !holdsMarker(text) {
			return nil
		}
		info, err := entry.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s: mode %v", name, info.Mode())
		require.True(t, mayHoldSecrets.MatchString(name) || left != nil && left.MatchString(name), "%s holds a secret", name)
		return nil
	}))
}

func markedDocument(tenants int) string {
	var b strings.Builder
	b.WriteString(`{"synced_at": "2026-02-01T10:00:00Z", "note": "` + marker + `", "tenants": [`)
	for i := range tenants {
		fmt.Fprintf(&b, `{"id": "t%d", "name": "t%d", "tenant_type": "cloud", "database_url": "%s", "internal_database_url": "postgres://%s:%s@h/d?sslkey=%s", "sync_token": "%s", "other": {"x": ["%s"]}},`+"\n",
			i, i, markedURL, marker, marker, marker, marker, marker)
	}
	b.WriteString(`{"id": "a", "name": "a", "database_url": "` + markedURL + `"}]}`)
	return b.String()
}

// commandsByHelp returns every command that help shows, and that does something.
func (c canaryPlace) commandsByHelp(words ...string) (leaves [][]string) {
	help := c.must(append(slices.Clone(words), "--help")...)
	_, list, isGroup := strings.Cut(help, "\nCommands:\n")
	if !isGroup {
		return [][]string{words}
	}
	for line := range strings.Lines(list) {
		if !strings.HasPrefix(line, "  ") {
			break
		}
		leaves = append(leaves, c.commandsByHelp(append(slices.Clone(words), strings.Fields(line)[0])...)...)
	}
	require.NotEmpty(c.t, leaves)
	return leaves
}

// endInTheMiddle sends the signal as soon as the command has begun to write into the
// registry itself, and tells whether it came before the end: on a loaded machine it may not.
func (c canaryPlace) endInTheMiddle(signal syscall.Signal, args ...string) (o outcome, ended bool) {
	t := c.t
	t.Helper()
	cmd := c.command(args...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Start())
	journal := filepath.Join(c.dir, ".systemprompt", "sp.db-journal")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if text, err := os.ReadFile(journal); err == nil && len(text) > 0 && text[0] == 0xd9 { // SQLite's mark: it has to be rolled back
			break
		}
		require.True(t, time.Now().Before(deadline), "it does not write: %s", &stderr)
	}
	_ = cmd.Process.Signal(signal) // where it is done already
	_ = cmd.Wait()                 // how it ended is in its state
	return outcome{exit: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}, !cmd.ProcessState.Success()
}
