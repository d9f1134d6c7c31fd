package postgres

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

// newFakeCluster is one whose programs are scripts: initdb makes what one looks at, and
// the server says this and ends. What really runs is in live_test.go.
func newFakeCluster(t *testing.T, server string) Cluster {
	t.Helper()
	dir := t.TempDir()
	c := Cluster{Dir: filepath.Join(dir, "postgres"), Port: mustFreePort(t), Password: password, Programs: programsOf(t, filepath.Join(dir, "bin"), "98.1"), Env: []string{"PATH=" + os.Getenv("PATH")}}
	mustProgram(t, c.Programs.Program("initdb"), `
data=${1#--pgdata=}
cp "${3#--pwfile=}" "$data.asked"; stat -c %a "${3#--pwfile=}" >"$data.mode" 2>/dev/null
printf '%s\n' "$@" >"$data.args"
export -p >"$data.env"
mkdir -m 700 "$data" && echo 98 >"$data/PG_VERSION" && echo '# made' >"$data/postgresql.conf"`)
	mustProgram(t, c.Programs.Program("postgres"), server)
	return c
}

func (c Cluster) mustFail(t *testing.T) error {
	t.Helper()
	err := c.up(soon(t))
	require.Error(t, err)
	requireNoSecret(t, err)
	require.NoFileExists(t, c.passwordFile())
	require.NoDirExists(t, c.unfinished())
	return err
}

func TestAClusterIsMadeWholeAndSmall(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "echo FATAL: no >&2; exit 1")
	c.Env = append(c.Env, "PGDATA=/elsewhere", "PGPASSWORD=x", "LANG=de_DE", "LC_MESSAGES=de_DE", "TZ=UTC")
	c.mustFail(t)
	require.True(t, c.Exists())
	require.Equal(t, os.FileMode(0o700), modeOf(t, c.Dir))
	require.Equal(t, password.Reveal()+"\n", mustRead(t, c.unfinished()+".asked"))
	require.Contains(t, []string{"600\n", ""}, mustRead(t, c.unfinished()+".mode"))
	args := mustRead(t, c.unfinished()+".args")
	require.NotContains(t, args, password.Reveal())
	require.Contains(t, args, "--auth=scram-sha-256\n--encoding=UTF8\n")
	env := mustRead(t, c.unfinished()+".env")
	for _, not := range []string{"PGDATA", "PGPASSWORD", "de_DE", "HOME="} {
		require.NotContains(t, env, not)
	}
	require.Contains(t, env, "TZ=")
	conf := mustRead(t, filepath.Join(c.data(), "postgresql.conf"))
	require.True(t, strings.HasPrefix(conf, "# made\n"))
	require.Contains(t, conf, "listen_addresses = '127.0.0.1'\n")
}

func TestAClusterThatCannotBeMadeLeavesNothing(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "")
	mustProgram(t, c.Programs.Program("initdb"), `mkdir "${1#--pgdata=}"; echo creating >&2
echo 'initdb: error: could not write '"$(cat "${3#--pwfile=}")"': No space left on device' >&2; echo 'initdb: removing it' >&2; exit 1`)
	err := c.mustFail(t)
	require.ErrorIs(t, err, ErrUnusable)
	require.EqualError(t, err, "initdb: could not write [secret]: No space left on device: the server can't be run")
	require.Equal(t, "lock", entries(t, c.Dir))

	c.Password = secret.New("a\nb")
	require.ErrorIs(t, c.up(soon(t)), ErrUnusable)
	c.Dir = "relative"
	require.ErrorIs(t, c.up(soon(t)), ErrInvalid)
}

func TestWhatAKilledCommandLeftIsRemoved(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "echo FATAL: no >&2; exit 1")
	mustWrite(t, c.unfinished()+"/base/1", "half")
	mustWrite(t, c.passwordFile(), "old")
	c.mustFail(t)
	require.True(t, c.Exists())
	require.NoFileExists(t, c.data()+"/base/1")
}

func TestACancelledInitEndsAtOnce(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "")
	mustProgram(t, c.Programs.Program("initdb"), `mkdir "${1#--pgdata=}"; sleep 600 & wait`)
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(200*time.Millisecond, func() { cancel(errors.New("Ctrl-C")) })
	require.ErrorContains(t, c.up(ctx), "Ctrl-C")
	require.Equal(t, "lock", entries(t, c.Dir))
	held, err := acquire(soon(t), c.Dir, c.say)
	require.NoError(t, err, "no child has it still")
	held.release()
}

func TestSomebodysDirectoriesAreNotTaken(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "")
	mustWrite(t, c.data()+"/notes.txt", "mine")
	require.ErrorIs(t, c.up(soon(t)), ErrUnusable)
	require.Equal(t, "mine", mustRead(t, c.data()+"/notes.txt"))

	c = newFakeCluster(t, "")
	mustWrite(t, c.Dir, "mine")
	require.ErrorIs(t, c.up(soon(t)), ErrUnusable)

	c = newFakeCluster(t, "")
	require.NoError(t, os.MkdirAll(c.data()+"/PG_VERSION", 0o700))
	require.ErrorContains(t, c.up(soon(t)), "PG_VERSION: is a directory")

	if os.Geteuid() != 0 {
		return // only root can give away
	}
	for _, dir := range []string{"", "data"} {
		c = newFakeCluster(t, "")
		mustWrite(t, c.data()+"/PG_VERSION", "98\n")
		at := filepath.Join(c.Dir, dir)
		require.NoError(t, os.Chown(at, 12345, -1))
		err := c.up(soon(t))
		require.ErrorIs(t, err, ErrUnusable)
		require.ErrorContains(t, err, "belongs to user 12345: the server can't be run (run as that user, or take it over: chown -R 0 "+at+")")
	}
}

func TestADirectoryThatOthersCanReadIsClosed(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "echo FATAL: no >&2; exit 1")
	require.NoError(t, os.Mkdir(c.Dir, 0o755))
	require.NoError(t, os.Chmod(c.Dir, 0o755))
	c.mustFail(t)
	require.Equal(t, os.FileMode(0o700), modeOf(t, c.Dir))
}

func TestDataOfAnotherVersionNamesBoth(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "")
	mustWrite(t, c.data()+"/PG_VERSION", "96\n")
	err := c.mustFail(t)
	require.ErrorIs(t, err, ErrVersion)
	require.ErrorContains(t, err, "made by PostgreSQL 96, and the programs in "+c.Programs.Dir+" are PostgreSQL 98")
	require.ErrorContains(t, err, "(install PostgreSQL 96 beside it, or ")
	require.Equal(t, "96\n", mustRead(t, c.data()+"/PG_VERSION"))
	require.Equal(t, "data lock", entries(t, c.Dir))
}

func TestAServerThatEndsSaysWhy(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]struct {
		is   error
		says string
	}{
		`echo '2026 [1] FATAL:  could not map shared memory' >&2; echo '2026 [1] LOG:  shut down' >&2; exit 1`: {ErrUnusable, "could not map shared memory"},
		`echo '[1] LOG:  could not bind IPv4 address "127.0.0.1": Address already in use' >&2
echo '[1] FATAL:  could not create any TCP/IP sockets' >&2; exit 1`: {ErrTaken, "another program listens"},
		`echo '2026 [1] FATAL:  role ` + password.Reveal() + `'; exit 1`: {ErrUnusable, "role [secret]"},
		`exit 3`: {ErrUnusable, "exit status 3"},
	} {
		c := newFakeCluster(t, said)
		err := c.mustFail(t)
		require.ErrorIs(t, err, want.is)
		require.ErrorContains(t, err, want.says)
		require.Equal(t, os.FileMode(0o600), modeOf(t, c.logFile()))
	}
}

func TestAServerThatWouldRunTwiceIsTriedAgain(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, `echo . >>"$2/tries"
[ "$(wc -l <"$2/tries")" -gt 2 ] || { echo 'FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use' >&2; exit 1; }
echo 'FATAL:  at last' >&2; exit 1`)
	err := c.mustFail(t)
	require.ErrorContains(t, err, "at last")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mustProgram(t, c.Programs.Program("postgres"), `echo . >>"$2/again"; echo 'FATAL:  lock file "postmaster.pid" already exists' >&2; exit 1`)
	go func() {
		for tries := []byte(nil); len(tries) < 3*len(".\n"); time.Sleep(time.Millisecond) {
			tries, _ = os.ReadFile(filepath.Join(c.data(), "again"))
		}
		cancel()
	}()
	err = c.up(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "already exists")
}

// TestAKilledServersPortIsWaitedFor a moment: what it had just begun may have it still.
func TestAKilledServersPortIsWaitedFor(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "echo FATAL: at last >&2; exit 1")
	c.mustFail(t)
	l, err := net.Listen("tcp4", address(c.Port))
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	since := time.Now()
	require.ErrorIs(t, c.mustFail(t), ErrTaken)
	require.Less(t, time.Since(since), time.Second, "no server was killed")
	mustWrite(t, c.PIDFile(), staleOf(99999999))
	require.ErrorIs(t, c.mustFail(t), ErrTaken)
	time.AfterFunc(300*time.Millisecond, func() { _ = l.Close() })
	require.ErrorContains(t, c.mustFail(t), "at last")
}

func TestALargeLogIsPutAside(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "echo FATAL: no >&2; exit 1")
	c.mustFail(t)
	mustWrite(t, c.logFile(), strings.Repeat("FATAL: an old one\n", maxLog/10))
	require.NotContains(t, c.mustFail(t).Error(), "old one")
	require.Less(t, len(mustRead(t, c.logFile())), 100)
	require.Equal(t, os.FileMode(0o600), modeOf(t, c.logFile()+".old"))
}

func TestACommandWaitsForAnother(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "echo FATAL: no >&2; exit 1")
	require.NoError(t, makeDir(c.Dir, Account{}))
	held, err := acquire(soon(t), c.Dir, c.say)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, c.up(ctx), context.DeadlineExceeded)
	require.ErrorIs(t, c.Down(ctx), context.DeadlineExceeded)
	time.AfterFunc(100*time.Millisecond, held.release)
	c.mustFail(t)
}

func TestWhatDoesNotRunIsDown(t *testing.T) {
	t.Parallel()
	c := newFakeCluster(t, "")
	for _, text := range []string{"none", "", "x", "1\n", "99999999\n/data\n1\n5432\n\n\n\nready\n", staleOf(os.Getpid())} {
		if text != "none" {
			mustWrite(t, c.PIDFile(), text)
		}
		runs, err := c.Running(soon(t))
		require.NoError(t, err)
		require.False(t, runs, text)
		require.NoError(t, c.Down(soon(t)))
	}
}

// TestTheLastWordsOfAnotherServersBackendsDoNotHideWhy: they write into the same log.
func TestTheLastWordsOfAnotherServersBackendsDoNotHideWhy(t *testing.T) {
	t.Parallel()
	c := Cluster{Dir: t.TempDir(), Password: password}
	mustWrite(t, c.logFile(), "FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use\n"+
		"FATAL:  terminating connection due to unexpected postmaster exit\n")
	said, err := c.openLog()
	require.NoError(t, err)
	defer func() { _ = said.Close() }()
	require.ErrorIs(t, c.explain(said, 0, errors.New("exit status 1")), errAgain)
	require.NotErrorIs(t, c.explain(said, int64(len("FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use\n")), errors.New("exit status 1")), errAgain)
}
