package torture

import (
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

	"github.com/sp-registry/sp/internal/harness"
)

func holdsMarker(text string) bool { return len(harness.MarkersIn(text)) > 0 }

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
	git := harness.Need(t, "git")
	c := canaryPlace{place: newPlace(t), log: filepath.Join(t.TempDir(), "git.log")}
	c.root = c.Dir
	c.Dir = filepath.Join(c.root, "project")
	for _, name := range []string{"project", "home", "tmp", "bin", "given"} {
		require.NoError(t, os.Mkdir(filepath.Join(c.root, name), 0o700))
	}
	fake := fmt.Sprintf("#!/bin/sh\n{ printf '%%s\\n' \"$@\"; env; } >>%[1]s\ntee -a %[1]s | %[2]s \"$@\"\n", c.log, git)
	require.NoError(t, os.WriteFile(filepath.Join(c.root, "bin", "git"), []byte(fake), 0o700))
	c.Env = harness.Environment(filepath.Join(c.root, "home"),
		"PATH="+filepath.Join(c.root, "bin")+":"+os.Getenv("PATH"), "TMPDIR="+filepath.Join(c.root, "tmp"),
		"DATABASE_URL="+harness.MarkedURL, "PGPASSWORD="+harness.Marker, "SP_SYNC_TOKEN="+harness.Marker,
		"SP_DATA_DIR="+filepath.Join(c.root, "home", "data"), // to which root's server does not get: none is started
		"GODEBUG=gctrace=0", "GOTRACEBACK=system", "RUST_LOG=trace", "DEBUG=1", "SP_LOG=trace",
	)
	out, err := exec.Command(git, "-C", c.Dir, "init", "-q").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return c
}

// give writes a file that is given to sp.
func (c canaryPlace) give(name, text string) string {
	path := filepath.Join(c.root, "given", name)
	require.NoError(c.T, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// requireNoLeak looks at what a command showed, at how it called git, and through
// every file of the place.
func (c canaryPlace) requireNoLeak(shown harness.Outcome, tells bool, left *regexp.Regexp) {
	t := c.T
	t.Helper()
	require.False(t, holdsMarker(shown.Stderr), "stderr: %s", shown.Stderr)
	require.False(t, !tells && holdsMarker(shown.Stdout), "stdout: %s", shown.Stdout)
	if log, err := os.ReadFile(c.log); err == nil {
		require.False(t, holdsMarker(string(log)), "git was given a secret")
	}
	require.NoError(t, filepath.WalkDir(c.root, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		name, err := filepath.Rel(c.root, path)
		require.NoError(t, err)
		require.False(t, holdsMarker(name), "a name: %s", name)
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		if !holdsMarker(string(text)) {
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
	b.WriteString(`{"synced_at": "2026-02-01T10:00:00Z", "note": "` + harness.Marker + `", "tenants": [`)
	for i := range tenants {
		fmt.Fprintf(&b, `{"id": "t%d", "name": "t%d", "tenant_type": "cloud", "database_url": "%s", "internal_database_url": "postgres://%s:%s@h/d?sslkey=%s", "sync_token": "%s", "other": {"x": ["%s"]}},`+"\n",
			i, i, harness.MarkedURL, harness.Marker, harness.Marker, harness.Marker, harness.Marker, harness.Marker)
	}
	b.WriteString(`{"id": "a", "name": "a", "database_url": "` + harness.MarkedURL + `"}]}`)
	return b.String()
}

// commandsByHelp returns every command that help shows, and that does something.
func (c canaryPlace) commandsByHelp(words ...string) (leaves [][]string) {
	help := c.Must(append(slices.Clone(words), "--help")...)
	_, list, isGroup := strings.Cut(help, "\nCommands")
	if !isGroup {
		return [][]string{words}
	}
	_, list, _ = strings.Cut(list, ":\n")
	for line := range strings.Lines(list) {
		if !strings.HasPrefix(line, "  ") {
			break
		}
		if strings.HasPrefix(line, "   ") {
			continue // the line before goes on
		}
		leaves = append(leaves, c.commandsByHelp(append(slices.Clone(words), strings.Fields(line)[0])...)...)
	}
	require.NotEmpty(c.T, leaves)
	return leaves
}

// endInTheMiddle sends the signal as soon as the command has begun to write into the
// registry itself, and tells whether it came before the end: on a loaded machine it may not.
func (c canaryPlace) endInTheMiddle(signal syscall.Signal, args ...string) (o harness.Outcome, ended bool) {
	t := c.T
	t.Helper()
	cmd := c.Command(args...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	require.NoError(t, cmd.Start())
	journal := filepath.Join(c.Dir, ".systemprompt", "sp.db-journal")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if text, err := os.ReadFile(journal); err == nil && len(text) > 0 && text[0] == 0xd9 { // SQLite's mark: it has to be rolled back
			break
		}
		require.True(t, time.Now().Before(deadline), "it does not write: %s", &stderr)
	}
	_ = cmd.Process.Signal(signal) // where it is done already
	_ = cmd.Wait()                 // how it ended is in its state
	return harness.Outcome{Exit: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}, !cmd.ProcessState.Success()
}
