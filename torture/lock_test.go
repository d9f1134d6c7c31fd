package torture

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/harness"
)

// stopped starts an import that takes a while, and stops it while it holds the lock.
func (p place) stopped() *exec.Cmd {
	p.T.Helper()
	path := filepath.Join(p.Dir, "many.json")
	if _, err := os.Stat(path); err != nil {
		require.NoError(p.T, os.WriteFile(path, []byte(manyTenants(20_000)), 0o600))
	}
	cmd := p.Command("import", path)
	require.NoError(p.T, cmd.Start())
	p.T.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	require.Eventually(p.T, func() bool { return strings.Contains(p.holder(), fmt.Sprintf("pid %d ", cmd.Process.Pid)) }, time.Minute, time.Millisecond)
	require.NoError(p.T, cmd.Process.Signal(syscall.SIGSTOP))
	require.True(p.T, p.isLocked(), "it was too fast")
	return cmd
}

// holder is who says in the lock file that he holds it.
func (p place) holder() string {
	text, _ := os.ReadFile(p.Store(".lock"))
	return string(text)
}

func (p place) isLocked() bool {
	file, err := os.Open(p.Store(".lock"))
	require.NoError(p.T, err)
	defer func() { _ = file.Close() }()
	return unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil
}

// waiting is place with a time-out.
func (p place) waiting(timeout string) place {
	p.Env = append(p.Env[:len(p.Env):len(p.Env)], "SP_LOCK_TIMEOUT="+timeout)
	return p
}

// soon runs a command that has to end within a second after that time. The machine may
// be slow for once; sp may not be every time.
func (p place) soon(after time.Duration, command string) (o harness.Outcome, took time.Duration) {
	p.T.Helper()
	for range 4 {
		cmd := p.Command(strings.Fields(command)...)
		start := time.Now()
		end := time.AfterFunc(after+10*time.Second, func() { _ = cmd.Process.Kill() }) // one that hangs ends here
		o := p.Ran(cmd)
		end.Stop()
		if took = time.Since(start); took < after+time.Second {
			return o, took
		}
	}
	p.T.Fatalf("%s took %s", command, took)
	return o, took
}

// TestAStoppedHolderIsNamed (B15, fault 30): who waits for a stopped process gives up in
// time and says for whom he waited; reads go on, and so does all when it is killed.
func TestAStoppedHolderIsNamed(t *testing.T) {
	sized(t, 1, 1)
	t.Parallel()
	p := newPlace(t)
	p.settle()
	holder := p.stopped()
	for timeout, bound := range map[string]time.Duration{"0": 0, "1500ms": 1500 * time.Millisecond} {
		for _, command := range []string{"tenant edit a --region x", "profile create q --tenant a", "import --dry-run many.json"} {
			o, took := p.waiting(timeout).soon(bound, command)
			require.Equal(t, 7, o.Exit, "%s: %s", command, o.Stderr)
			require.Contains(t, o.Stderr, fmt.Sprintf("busy: held by pid %d (sp import) since 2", holder.Process.Pid))
			require.Contains(t, o.Stderr, "SP_LOCK_TIMEOUT")
			require.GreaterOrEqual(t, took, bound)
			require.Equal(t, bound > time.Second, strings.Contains(o.Stderr, "waiting for pid "), o.Stderr)
		}
	}
	for _, command := range []string{"tenant list", "resolve", "status", "export"} { // nothing of its change is in the way
		p.waiting("0").Must(strings.Fields(command)...)
	}
	require.NoError(t, holder.Process.Kill())
	_ = holder.Wait()
	require.Equal(t, "a\n", firstColumn(p.waiting("0").Must("tenant", "list")), "a read right after")
	p.Must("tenant", "edit", "a", "--region", "x")
	p.Must("export", "--check")
}

func firstColumn(table string) (column string) {
	for line := range strings.Lines(table) {
		first, _, _ := strings.Cut(line, "\t")
		column += first + "\n"
	}
	return column
}

// TestAReadAfterAnyKillWorks (fault 25): the killed one has written half of its change
// into the file by then.
func TestAReadAfterAnyKillWorks(t *testing.T) {
	rounds := sized(t, 3, 100)
	t.Parallel()
	p := newPlace(t)
	p.settle()
	said := p.Must("tenant", "list")
	for range rounds {
		holder := p.stopped()
		require.NoError(t, holder.Process.Signal(syscall.SIGCONT))
		require.Eventually(t, func() bool { // it spills
			info, err := os.Stat(p.Store("sp.db"))
			return err == nil && info.Size() > 300_000 || !p.isLocked()
		}, time.Minute, time.Millisecond)
		require.NoError(t, holder.Process.Kill())
		_ = holder.Wait()
		require.Equal(t, said, p.waiting("0").Must("tenant", "list"))
		require.NoFileExists(t, p.Store("sp.db-journal"))
	}
}

// TestAnotherProgramThatHoldsTheFileIsWaitedFor (fault 25): a program that does not know
// our lock writes for longer than we wait.
func TestAnotherProgramThatHoldsTheFileIsWaitedFor(t *testing.T) {
	sized(t, 1, 1)
	t.Parallel()
	p := newPlace(t)
	p.settle()
	conn := harness.OpenSQLite(t, p.Store("sp.db"))
	defer func() { _ = conn.Close() }()
	for how, commands := range map[string][]string{
		"BEGIN IMMEDIATE": {"tenant edit a --region x", "profile create q --tenant a"}, // reads are not in its way
		"BEGIN EXCLUSIVE": {"tenant edit a --region x", "export", "tenant list", "resolve", "init"},
	} {
		_, err := conn.Exec(how)
		require.NoError(t, err)
		for _, command := range commands {
			for timeout, bound := range map[string]time.Duration{"0": 0, "300ms": 300 * time.Millisecond} {
				o, _ := p.waiting(timeout).soon(bound, command)
				require.Equal(t, 7, o.Exit, "%s: %s", command, o.Stderr)
				require.Contains(t, o.Stderr, "busy")
			}
		}
		_, err = conn.Exec("ROLLBACK")
		require.NoError(t, err)
	}
	p.Must("tenant", "edit", "a", "--region", "x")
	p.Must("export", "--check")
}

// TestADelayedExportOverwritesNoNewerOne (fault 34): while one command takes its time to
// put tenants.json in place, another changes the registry: it has to wait.
func TestADelayedExportOverwritesNoNewerOne(t *testing.T) {
	sized(t, 1, 1)
	t.Parallel()
	harness.NeedStrace(t)
	p := newPlace(t)
	p.settle()
	slow := harness.Strace(t, p.Command("tenant", "create", "--id", "slow", "--name", "slow", "--database-url", "postgres://h/slow"), filepath.Join(p.Dir, "trace"),
		"-e", "trace=rename,renameat,renameat2", "-e", "inject=rename,renameat,renameat2:delay_enter=1500000")
	require.NoError(t, slow.Start())
	conn := harness.OpenSQLite(t, p.Store("sp.db"))
	require.Eventually(t, func() (committed bool) { // and not in place
		return conn.QueryRow("SELECT COUNT(*) FROM tenants WHERE id = 'slow'").Scan(&committed) == nil && committed
	}, 30*time.Second, time.Millisecond)
	require.NoError(t, conn.Close())
	require.NotContains(t, string(mustRead(t, p.Store("tenants.json"))), "slow")
	require.Contains(t, p.Must("status", "--json"), `"state": "behind"`)

	p.Must("tenant", "create", "--id", "fast", "--name", "fast", "--database-url", "postgres://h/fast")
	require.NoError(t, slow.Wait())
	require.Contains(t, string(mustRead(t, p.Store("tenants.json"))), "fast")
	require.Equal(t, p.Must("export", "-"), string(mustRead(t, p.Store("tenants.json"))))
}
