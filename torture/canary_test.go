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
	mayHoldSecrets = regexp.MustCompile(`^project/\.systemprompt/(sp\.db|tenants\.json)$|^project/copy\.json$|^given/`)
	mayBeLeft      = regexp.MustCompile(`^project/\.systemprompt/(sp\.db-journal|\.tenants\.json\.[0-9]+\.tmp)$`)
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

// TestNoSecretLeavesTheProcess runs the real program in a git work tree, every command
// that its help names: nothing but the registry and the exports holds a secret
// afterwards, git is given none, and only what tells one by its nature shows one.
func TestNoSecretLeavesTheProcess(t *testing.T) {
	sized(t, 1, 1)
	c := newCanaryPlace(t)
	document := c.give("tenants.json", markedDocument(3))
	url := c.give("url.txt", markedURL+"\n")
	c.run("import", document)
	c.requireNoLeak(outcome{}, false, nil)
	check := func(args ...string) {
		t.Helper()
		for _, args := range [][]string{args, append([]string{"--json"}, args...)} {
			cmd := c.command(args...)
			cmd.Stdin = strings.NewReader(markedURL)
			o, err := runToEnd(cmd)
			require.NoError(t, err)
			require.NotEqual(t, 1, o.exit, "sp %q: %s", args, o.stderr)
			c.requireNoLeak(o, tellsByNature(args), nil)
		}
	}
	for _, line := range [][]string{
		{"export"},
		{"export", "--path", "copy.json"},
		{"export", "-"},
		{"tenant", "create", "--name", "n", "--database-url-stdin"},
		{"tenant", "create", "--name", "f", "--database-url-file", url},
		{"tenant", "create", "--name", "g", "--database-url", markedURL},
		{"tenant", "edit", "a", "--sync-token-stdin"},
		{"tenant", "edit", "a", "--database-url-file", markedURL},
		{"profile", "create", "p", "--tenant", "a"},
		{"session", "switch", "p"},
		{"resolve"},
		{"tenant", "show", "a", "--reveal"},
	} {
		check(line...)
	}
	require.Contains(t, c.must("resolve"), marker)
	for _, words := range c.commandsByHelp() {
		for _, args := range [][]string{nil, {"a"}, {"t1", "-y"}, {markedURL}, {"--" + markedURL}, {"--help"}} {
			check(append(slices.Clone(words), args...)...)
		}
	}
	require.Contains(t, c.must("export", "-"), marker)
	log, err := os.ReadFile(c.log)
	require.NoError(t, err)
	require.Contains(t, string(log), "check-ignore", "git was asked")
}

// TestNoSecretShowsOnAReadOnlyFileSystem runs the same commands where nothing can be
// written.
func TestNoSecretShowsOnAReadOnlyFileSystem(t *testing.T) {
	sized(t, 1, 1)
	c := newCanaryPlace(t)
	c.must("import", c.give("tenants.json", markedDocument(3)))
	c.must("export")
	before := c.files()
	for _, words := range c.commandsByHelp() {
		for _, args := range [][]string{words, append(slices.Clone(words), "a")} {
			o := c.mounted(readOnly, args...)
			require.NotEqual(t, 1, o.exit, "sp %q: %s", args, o.stderr)
			c.requireNoLeak(o, tellsByNature(args), nil)
		}
	}
	require.Equal(t, before, c.files())
}

// tellsByNature is section 4 of the design, once more.
func tellsByNature(args []string) bool {
	args = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "--json" })
	return args[0] == "resolve" || args[0] == "export" && slices.Contains(args, "-") || slices.Contains(args, "--reveal")
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

// TestNoSecretOutlivesAnAbort ends an import in its middle, as a panic, a crash or a
// debugger would: no stack shows a secret, and what is left lying is private and is
// gone after the next change.
func TestNoSecretOutlivesAnAbort(t *testing.T) {
	rounds := sized(t, 1, 50)
	for _, signal := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGSEGV, syscall.SIGTRAP, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			for range rounds {
				c := newCanaryPlace(t)
				many := c.give("many.json", markedDocument(8_000))
				c.must("import", c.give("one.json", markedDocument(0)))
				c.must("export")
				o := c.endInTheMiddle(signal, "import", many)
				c.requireNoLeak(o, false, mayBeLeft)
				if signal == syscall.SIGQUIT {
					require.Contains(t, o.stderr, "goroutine ", "there was a stack to look at")
				}
				o = c.run("tenant", "edit", "a", "--region", "x")
				require.Zero(t, o.exit, o.stderr)
				c.requireNoLeak(o, false, nil)
			}
		})
	}
}

// endInTheMiddle sends the signal as soon as the command has begun to write into the
// registry itself.
func (c canaryPlace) endInTheMiddle(signal syscall.Signal, args ...string) outcome {
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
	require.NoError(t, cmd.Process.Signal(signal))
	_ = cmd.Wait() // how it ended is in its state
	require.False(t, cmd.ProcessState.Success(), "it was done before the signal came")
	return outcome{exit: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
}
