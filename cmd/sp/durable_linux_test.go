package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

// TestEveryFileIsDurableBeforeItHasItsName watches the system calls of commands that write:
// what gets its name by a rename or a link was synced since it was last written, and no
// command ends before all that it wrote is synced, and the directory of each name that it
// gave. Where a power cut strikes is tested in torture; here it is told which sync is missing.
func TestEveryFileIsDurableBeforeItHasItsName(t *testing.T) {
	t.Parallel()
	harness.NeedStrace(t)
	p := mustFollowed(t)
	dir, store := p.Dir, p.Store("")
	named := map[string]bool{}
	damage := func() {
		require.NoError(t, os.WriteFile(filepath.Join(store, "sp.db"), []byte("of no registry any more"), 0o600))
	}
	ignoring := func() {
		require.NoError(t, os.Mkdir(filepath.Join(dir, "ignoring"), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "ignoring", ".gitignore"), []byte("*.log\n"), 0o600))
	}
	for _, c := range []struct {
		line, stdin string
		before      func()
	}{
		{line: "tenant edit a --region fra"},
		{line: "profile create p --tenant a"},
		{line: "session switch p"},
		{line: "secrets set k --profile p", stdin: "s3cret"},
		{line: "export"},
		{line: "export --path copy.json"},
		{line: "backup b.db"},
		{line: "tenant edit a --region lhr"},
		{line: "restore -y b.db"},
		{line: "profile delete p -y"},
		{line: "undo"},
		{line: "restore -y b.db", before: damage},
		{line: "init --dir new"},
		{line: "backup --dir new new.db"},
		{line: "restore --dir new -y new.db"},
		{line: "init --dir ignoring", before: ignoring},
		{line: "import --dir fresh a.json"},
	} {
		if c.before != nil {
			c.before()
		}
		trace := filepath.Join(t.TempDir(), "trace")
		cmd := harness.Strace(t, p.Command(strings.Fields(c.line)...), trace, "-y", "-e", "signal=none", "-e", "trace="+strings.Join(durableCalls, ","))
		cmd.Stdin = strings.NewReader(c.stdin)
		o := p.Ran(cmd)
		require.Zero(t, o.Exit, "%s: %s", c.line, o.Stderr)
		text, err := os.ReadFile(trace)
		require.NoError(t, err)
		d := durability{t: t, line: c.line, dir: dir, unsynced: map[string]bool{}, names: map[string]bool{}, named: named}
		for line := range strings.Lines(string(text)) {
			d.call(strings.TrimSpace(line))
		}
		require.Empty(t, d.names, "%s: given a name in a directory that is not synced after it", c.line)
		delete(d.unsynced, filepath.Join(store, ".lock")) // who holds it
		for _, name := range []string{"new", "ignoring", "fresh"} {
			delete(d.unsynced, filepath.Join(dir, name, ".lock"))
		}
		require.Empty(t, d.unsynced, "%s: not synced since it was written", c.line)
	}
	for _, name := range []string{"sp.db", "tenants.json", "sessions/index.json", "profiles/p/secrets.json", "profiles/p/profile.yaml"} {
		require.True(t, named[filepath.Join(store, name)], "nothing was seen of %s: %v", name, named)
	}
}

// durableCalls write files, name them, or make that outlast a power cut.
var durableCalls = []string{
	"write", "pwrite64", "writev", "pwritev", "ftruncate", "copy_file_range", "fsync", "fdatasync", "rename", "renameat", "renameat2", "link", "linkat",
	"mkdir", "mkdirat", "unlink", "unlinkat",
}

// durability is what of the files below a directory is not on the disk yet.
type durability struct {
	t         *testing.T
	line, dir string
	unsynced  map[string]bool // files that were written
	names     map[string]bool // names in directories that were not synced since
	named     map[string]bool // all names that were given
}

var (
	descriptor = regexp.MustCompile(`^\d+ +(\w+)\((?:\d+<[^>]*>, \w+, )?\d+<([^>]*)>`) // copy_file_range begins with its source
	oneName    = regexp.MustCompile(`^\d+ +(mkdir|unlink)(?:at)?\((?:(?:AT_FDCWD|\d+)(?:<([^>]*)>)?, )?"([^"]*)"`)
	twoNames   = regexp.MustCompile(`^\d+ +(\w+)\((?:AT_FDCWD|\d+)?(?:<([^>]*)>)?,? ?"([^"]*)", (?:(?:AT_FDCWD|\d+)(?:<([^>]*)>)?, )?"([^"]*)"(.*)$`)
)

// call takes in one call as strace tells it. One that began before another thread's ended
// counts where it began.
func (d *durability) call(line string) {
	if strings.Contains(line, "= -1 ") {
		return
	}
	if at := twoNames.FindStringSubmatch(line); at != nil {
		from, to := absolute(d.dir, at[2], at[3]), absolute(d.dir, at[4], at[5])
		if !strings.HasPrefix(to, d.dir) {
			return
		}
		require.False(d.t, d.unsynced[from], "%s: %s gets the name %s before it is synced", d.line, from, to)
		d.names[to], d.named[to] = true, true
		if strings.Contains(at[6], "RENAME_EXCHANGE") {
			d.unsynced[from] = d.unsynced[to]
		}
		delete(d.unsynced, to)
		return
	}
	if at := oneName.FindStringSubmatch(line); at != nil {
		path := absolute(d.dir, at[2], at[3])
		if !strings.HasPrefix(path, d.dir) {
			return
		}
		if delete(d.unsynced, path); at[1] == "mkdir" {
			d.names[path] = true
		} else {
			delete(d.names, path)
		}
		return
	}
	on := descriptor.FindStringSubmatch(line)
	switch {
	case on == nil || !strings.HasPrefix(on[2], d.dir):
	case strings.HasSuffix(on[1], "sync"):
		delete(d.unsynced, on[2])
		for name := range d.names {
			if filepath.Dir(name) == on[2] {
				delete(d.names, name)
			}
		}
	default:
		d.unsynced[on[2]] = true
	}
}

func absolute(dir, at, path string) string {
	switch {
	case filepath.IsAbs(path):
		return path
	case at != "":
		return filepath.Join(at, path)
	}
	return filepath.Join(dir, path)
}
