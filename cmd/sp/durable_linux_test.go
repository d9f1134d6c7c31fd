package main

import (
	"fmt"
	"os"
	"os/exec"
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
		for _, name := range []string{"new", "ignoring", "fresh", filepath.Base(store)} {
			delete(d.unsynced, filepath.Join(dir, name, ".lock"))     // who holds it
			delete(d.unsynced, filepath.Join(dir, name, "sp.db.sum")) // a wrong one costs time alone
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

// faults are what is made to fail in a command, at its first, second, … call, or from
// that one on (+): some of the calls of a commit and of what follows it. The harness in
// torture has them all.
var faults = []struct{ call, errno, onward string }{
	{"fsync", "EIO", ""}, {"fsync", "EIO", "+"}, {"ftruncate", "EIO", ""}, {"renameat2", "EIO", ""}, {"fcntl", "EIO", "+"},
}

// TestAFailedCommitIsReportedAsWhatItWas injects every fault at every point of a change
// that a file follows. Whatever fails, the exit code says truly whether the change was
// made: 0 or 8 if it was, another if not; and only where even looking fails, that it is
// not known.
func TestAFailedCommitIsReportedAsWhatItWas(t *testing.T) {
	t.Parallel()
	harness.NeedStrace(t)
	followed, seen := mustFollowed(t).Dir, map[string]int{}
	for _, fault := range faults {
		for n := 1; ; n++ {
			inject := fmt.Sprintf("inject=%s:error=%s:when=%d%s", fault.call, fault.errno, n, fault.onward)
			if !failOnce(t, followed, []string{"-e", "trace=" + fault.call, "-e", inject}, seen) {
				require.Greater(t, n, 1, "nothing was injected")
				break
			}
		}
	}
	t.Logf("%v", seen)
	require.NotZero(t, seen["not made"], "%v", seen)
	require.NotZero(t, seen["made, not followed"], "%v", seen)
	require.NotZero(t, seen["made after all"]+seen["not known"], "%v", seen) // which depends on the thread that strace counts in
}

// newPlace is a directory to run sp in as a process: this test binary under that name, see TestMain.
func newPlace(t *testing.T) harness.Place {
	t.Helper()
	dir := t.TempDir()
	return harness.Place{T: t, SP: harness.Need(t, "sp"), Dir: dir, Env: harness.Environment(dir)}
}

// followedIn is a place that has what is in a directory. What can't be locked looks busy to SQLite.
func followedIn(t *testing.T, dir string) harness.Place {
	t.Helper()
	p := newPlace(t)
	p.Env = append(p.Env, "HOME=/no-home", "SP_LOCK_TIMEOUT=100ms", "GOMAXPROCS=16", "SP_TRUST="+p.Dir) // room to stay on one thread, whose calls strace counts
	if dir != "" {
		require.NoError(t, exec.CommandContext(t.Context(), "cp", "-a", dir+"/.", p.Dir).Run())
	}
	return p
}

// mustFollowed is a place with a registry of one tenant, a, and its tenants.json.
func mustFollowed(t *testing.T) harness.Place {
	t.Helper()
	p := followedIn(t, "")
	file := `{"tenants": [{"id": "a", "name": "a"}], "synced_at": "2026-02-01T10:00:00Z"}`
	require.NoError(t, os.WriteFile(filepath.Join(p.Dir, "a.json"), []byte(file), 0o600))
	p.Must("import", "a.json")
	p.Must("export")
	return p
}

// failOnce makes one change with a fault, in a copy of the directory followed, and
// tells whether the fault was injected at all.
func failOnce(t *testing.T, followed string, strace []string, seen map[string]int) bool {
	t.Helper()
	p := followedIn(t, followed)
	o, calls := p.Traced([]string{"tenant", "edit", "a", "--name", "b"}, strace...)
	if !strings.Contains(calls, "(INJECTED)") {
		require.Zero(t, o.Exit, o.Stderr)
		return false
	}
	judge(t, strace[len(strace)-1], p.Must("tenant", "list") == "a\t\tlocal\tb\n", o.Exit, o.Stdout+o.Stderr, seen)
	p.Must("tenant", "edit", "a", "--region", "iad")
	require.Len(t, p.Names(), 7, "nothing is left: %v", p.Names())
	return true
}

func judge(t *testing.T, inject string, made bool, exit int, said string, seen map[string]int) {
	t.Helper()
	switch {
	case exit == 0:
		require.True(t, made, "%s: %s", inject, said)
		seen["made"]++
	case strings.Contains(said, "whether the change was made is not known"):
		require.Equal(t, 8, exit, inject)
		seen["not known"]++
	case exit == 8:
		require.True(t, made, "%s: %s", inject, said)
		if strings.Contains(said, "it may not outlast a power cut") {
			seen["made after all"]++
		} else {
			seen["made, not followed"]++
		}
	default:
		require.False(t, made, "%s: exit %d: %s", inject, exit, said)
		seen["not made"]++
	}
}

// deaths are the calls at which a restore is killed, each at every one of them: all
// that makes something durable, gives it a name, or takes it away.
var deaths = []string{"fsync", "renameat", "renameat2", "unlink", "unlinkat"}

// TestARestoreThatIsKilledLeavesTheOldOrTheNew kills a restore wherever it could hurt.
// After that the registry is the old or the new one, whole; the next commands work, and
// tenants.json follows.
func TestARestoreThatIsKilledLeavesTheOldOrTheNew(t *testing.T) {
	t.Parallel()
	harness.NeedStrace(t)
	followed := mustFollowed(t)
	followed.Must("backup", "b.db")
	followed.Must("tenant", "edit", "a", "--name", "b")
	seen := map[string]int{}
	for _, call := range deaths {
		for n := 1; dieRestoring(t, followed.Dir, []string{"-e", "trace=" + call, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)}, seen); n++ {
		}
	}
	require.NotZero(t, seen["b"], "%v", seen)
	// strace counts the calls of each thread by itself, so that where a count strikes is
	// up to the scheduler; the file that comes last is one sure place.
	require.True(t, dieRestoring(t, followed.Dir, []string{"-P", "tenants.json", "-e", "trace=renameat2", "-e", "inject=renameat2:signal=KILL"}, seen))
	require.NotZero(t, seen["a"], "%v", seen)
}

// dieRestoring is one such death, in a copy of the directory followed; it tells whether
// it came to that.
func dieRestoring(t *testing.T, followed string, strace []string, seen map[string]int) bool {
	t.Helper()
	p, inject := followedIn(t, followed), strace[len(strace)-1]
	for i, word := range strace {
		if word == "tenants.json" {
			strace[i] = p.Store(word)
		}
	}
	o, _ := p.Traced([]string{"restore", "-y", "b.db"}, strace...)
	if o.Exit == 0 {
		return false
	}
	require.Equal(t, -1, o.Exit, "%s: %s", inject, o.Stderr)
	name := strings.TrimSpace(strings.TrimPrefix(p.Must("tenant", "list"), "a\t\tlocal\t"))
	require.Contains(t, []string{"a", "b"}, name, inject)
	seen[name]++

	p.Must("tenant", "edit", "a", "--region", "x")
	p.Must("export", "--check")
	for _, name := range p.Names() {
		if strings.Contains(name, ".bak-restore-") {
			continue
		}
		require.Contains(t, []string{".gitignore", ".lock", ".place", "sp.db", "sp.db-journal", "sp.db.sum", "tenants.json"}, name, inject)
	}
	return true
}

// TestARestoreRemovesWhatLayBesideDurablyFirst: after a power cut SQLite would play a
// journal of the old registry back into the new one, unless its removal is on the disk
// before the new one has its name.
func TestARestoreRemovesWhatLayBesideDurablyFirst(t *testing.T) {
	t.Parallel()
	harness.NeedStrace(t)
	p := mustFollowed(t)
	store := p.Store("")
	p.Must("backup", "b.db")
	require.NoError(t, os.WriteFile(filepath.Join(store, "sp.db"), []byte("of no registry any more"), 0o600))
	sides := []string{"sp.db-journal", "sp.db-wal", "sp.db-shm"}
	for _, side := range sides {
		require.NoError(t, os.WriteFile(filepath.Join(store, side), []byte("of the old one"), 0o600))
	}
	o, text := p.Traced([]string{"restore", "-y", "b.db"}, "-y", "-e", "trace=fsync,unlink,unlinkat,rename,renameat,renameat2")
	require.Zero(t, o.Exit, o.Stderr)
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		for _, side := range sides {
			if strings.Contains(line, "unlink") && strings.Contains(line, "/"+side+`"`) {
				seen[side], seen["synced"] = true, false
			}
		}
		switch {
		case strings.Contains(line, "fsync(") && strings.Contains(line, "<"+store+">"):
			seen["synced"] = true
		case strings.Contains(line, "rename") && strings.Contains(line, `/sp.db.new"`):
			for _, side := range sides {
				require.True(t, seen[side], "%s is not removed before\n%s", side, text)
			}
			require.True(t, seen["synced"], "the directory is not synced before\n%s", text)
			seen["renamed"] = true
		}
	}
	require.True(t, seen["renamed"], "%s", text)
}

// TestARestoreThatFailsInTheMiddleKeepsTheCopy: what lay beside the old registry is gone
// then, so the copy is the one whole thing that there is of it, and is named.
func TestARestoreThatFailsInTheMiddleKeepsTheCopy(t *testing.T) {
	t.Parallel()
	harness.NeedStrace(t)
	p := mustFollowed(t)
	store := p.Store("")
	p.Must("backup", "b.db")
	p.Must("tenant", "edit", "a", "--name", "later")
	o, _ := p.Traced([]string{"restore", "-y", "b.db"}, "-P", p.Store("sp.db"),
		"-e", "trace=rename,renameat,renameat2", "-e", "inject=rename,renameat,renameat2:error=EIO")
	require.NotZero(t, o.Exit)
	copies, err := filepath.Glob(filepath.Join(store, "sp.db.bak-restore-*"))
	require.NoError(t, err)
	require.Len(t, copies, 1, o.Stderr)
	require.Contains(t, o.Stderr, "what was there is kept: "+copies[0])
	require.NoFileExists(t, filepath.Join(store, "sp.db.new"))
	require.Equal(t, "a\t\tlocal\tlater\n", p.Must("tenant", "list"), "nothing is restored")

	p.Must("restore", "-y", "b.db")
	p.Must("restore", "-y", copies[0])
	require.Equal(t, "a\t\tlocal\tlater\n", p.Must("tenant", "list"))
}
