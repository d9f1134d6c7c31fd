package torture

import (
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// TestNoSecretLeavesTheProcess runs the real program in a git work tree, every command
// that its help names: nothing but the registry and the exports holds a secret
// afterwards, git is given none, and only what tells one by its nature shows one.
func TestNoSecretLeavesTheProcess(t *testing.T) {
	sized(t, 1, 1)
	t.Parallel()
	c := newCanaryPlace(t)
	document := c.give("tenants.json", markedDocument(3))
	url := c.give("url.txt", harness.MarkedURL+"\n")
	c.Run("import", document)
	c.requireNoLeak(harness.Outcome{}, false, nil)
	check := func(args ...string) {
		t.Helper()
		for _, args := range [][]string{args, append([]string{"--json"}, args...)} {
			cmd := c.Command(args...)
			cmd.Stdin = strings.NewReader(harness.MarkedURL)
			o := c.Ran(cmd)
			require.NotEqual(t, 1, o.Exit, "sp %q: %s", args, o.Stderr)
			c.requireNoLeak(o, tellsByNature(args), nil)
		}
	}
	for _, line := range [][]string{
		{"export"},
		{"export", "--path", "copy.json"},
		{"export", "-"},
		{"tenant", "create", "--name", "n", "--database-url-stdin"},
		{"tenant", "create", "--name", "f", "--database-url-file", url},
		{"tenant", "create", "--name", "g", "--database-url", harness.MarkedURL},
		{"tenant", "edit", "a", "--sync-token-stdin"},
		{"tenant", "edit", "a", "--database-url-file", harness.MarkedURL},
		{"profile", "create", "p", "--tenant", "a"},
		{"session", "switch", "p"},
		{"secrets", "set", "api"},
		{"secrets", "get", "api", "--reveal"},
		{"session", "login", "--email", "u@example.com"},
		{"session", "show"},
		{"tenant", "edit", "a", "--database-url-file", url},
		{"profile", "edit", "p", "--name", "q"},
		{"profile", "create", "r", "--tenant", "t1", "--gemini-key-file", url},
		{"profile", "delete", "r", "-y"},
		{"resolve"},
		{"tenant", "show", "a", "--reveal"},
	} {
		check(line...)
	}
	require.Contains(t, c.Must("resolve"), harness.Marker)
	for _, words := range c.commandsByHelp() {
		for _, args := range [][]string{nil, {"a"}, {"t1", "-y"}, {harness.MarkedURL}, {"--" + harness.MarkedURL}, {"--help"}} {
			check(append(slices.Clone(words), args...)...)
		}
	}
	require.Contains(t, c.Must("export", "-"), harness.Marker)
	log, err := os.ReadFile(c.log)
	require.NoError(t, err)
	require.Contains(t, string(log), "check-ignore", "git was asked")
}

// TestNoSecretShowsOnAReadOnlyFileSystem runs the same commands where nothing can be
// written.
func TestNoSecretShowsOnAReadOnlyFileSystem(t *testing.T) {
	sized(t, 1, 1)
	t.Parallel()
	c := newCanaryPlace(t)
	c.Must("import", c.give("tenants.json", markedDocument(3)))
	c.Must("export")
	before := harness.Snapshot(c.Store(""), nil)
	for _, words := range c.commandsByHelp() {
		for _, args := range [][]string{words, append(slices.Clone(words), "a")} {
			o := c.mounted(readOnly, args...)
			require.NotEqual(t, 1, o.Exit, "sp %q: %s", args, o.Stderr)
			c.requireNoLeak(o, tellsByNature(args), nil)
		}
	}
	require.Equal(t, before, harness.Snapshot(c.Store(""), nil))
}

// tellsByNature is section 4 of the design, once more.
func tellsByNature(args []string) bool {
	args = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "--json" })
	printed := args[0] == "resolve" || args[0] == "env" || args[0] == "export" && slices.Contains(args, "-")
	return printed || slices.Contains(args, "--reveal") || slices.Contains(args, "--token-only")
}

// mustReachChildren sees that a signal which this process was told to ignore, as nohup does
// with a hangup, is none that its children ignore.
func mustReachChildren(t *testing.T, s syscall.Signal) {
	if signal.Ignored(s) {
		taken := make(chan os.Signal, 1)
		signal.Notify(taken, s)
		t.Cleanup(func() { signal.Stop(taken) })
	}
}

// TestNoSecretOutlivesAnAbort ends an import in its middle, as a panic, a crash or a
// debugger would: no stack shows a secret, and what is left lying is private and is
// gone after the next change.
func TestNoSecretOutlivesAnAbort(t *testing.T) {
	rounds := sized(t, 1, 50)
	for _, sig := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGABRT, syscall.SIGSEGV, syscall.SIGTRAP, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			mustReachChildren(t, sig)
			for done, tries := 0, 0; done < rounds; tries++ {
				require.Less(t, tries, 5*rounds, "the command is too quick")
				c := newCanaryPlace(t)
				many := c.give("many.json", markedDocument(20_000))
				c.Must("import", c.give("one.json", markedDocument(0)))
				c.Must("export")
				o, ended := c.endInTheMiddle(sig, "import", many)
				if !ended {
					continue
				}
				done++
				c.requireNoLeak(o, false, mayBeLeft)
				if sig == syscall.SIGQUIT {
					require.Contains(t, o.Stderr, "goroutine ", "there was a stack to look at")
				}
				o = c.Run("tenant", "edit", "a", "--region", "x")
				require.Zero(t, o.Exit, o.Stderr)
				c.requireNoLeak(o, false, nil)
			}
		})
	}
}
