package db

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	flags "flag"
	"fmt"
	"io"
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

var update = flags.Bool("update", false, "write the golden files anew")

// roles are what this test binary does when a test starts it again as another process.
var roles = harness.Roles{}

func TestMain(m *testing.M) {
	if err := Harden(); err != nil {
		panic(err)
	}
	roles.Play()
	os.Exit(m.Run())
}

// process is this test binary in a role; it says "ready" when it has done its part.
type process struct {
	*exec.Cmd
	out    *bufio.Reader
	errors strings.Builder
}

func mustStart(t *testing.T, role string, args ...string) *process {
	t.Helper()
	return mustStartWith(t, nil, role, args...)
}

func mustStartWith(t *testing.T, in *os.File, role string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: harness.InRole(t.Context(), role, args...)}
	if in != nil {
		p.Stdin = in
	}
	p.Stderr = &p.errors
	out, err := p.StdoutPipe()
	require.NoError(t, err)
	p.out = bufio.NewReader(out)
	require.NoError(t, p.Start())
	t.Cleanup(func() { _ = p.Process.Kill(); _ = p.Wait() })
	return p
}

func (p *process) mustBeReady(t *testing.T) {
	t.Helper()
	line, err := p.out.ReadString('\n')
	require.NoError(t, err, p.errors.String())
	require.Equal(t, "ready\n", line)
}

func (p *process) mustEnd(t *testing.T) {
	t.Helper()
	_, _ = io.Copy(io.Discard, p.out)
	require.NoError(t, p.Wait(), p.errors.String())
}

func (p *process) mustKill(t *testing.T) {
	t.Helper()
	require.NoError(t, p.Process.Signal(syscall.SIGKILL))
	require.Error(t, p.Wait())
}

// ready tells the test that started this process, and waits to be killed.
func ready() error {
	fmt.Println("ready")
	time.Sleep(time.Minute)
	return nil
}

// seed puts in the least that a registry holds.
func seed(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO registry_meta VALUES (1, '', 0, 0, 'then', '', '', '', 0, 0)")
	return err
}

// today is when the tests take place.
var today = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

func clock() time.Time { return today }

// patient waits long enough on a busy machine; hasty fails at once.
var (
	patient = Options{Now: clock, Wait: 20 * time.Second, Holder: "pid 1 (the test)"}
	hasty   = Options{Now: clock, Holder: "pid 2 (in a hurry)"}
)

func mustCreateAt(t *testing.T, path string) {
	t.Helper()
	d, _, err := Create(t.Context(), path, patient, seed)
	require.NoError(t, err)
	require.NoError(t, d.Close())
}

func mustCreate(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sp.db")
	mustCreateAt(t, path)
	return path
}

func mustOpen(t *testing.T, path string, o Options) *DB {
	t.Helper()
	d, err := Open(t.Context(), path, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func mustExec(t *testing.T, conn *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		_, err := conn.ExecContext(context.Background(), s)
		require.NoError(t, err, s)
	}
}

// trusting has the environment vouch for what a test has put there.
func trusting(o Options) Options {
	o.Trust.Named = true
	return o
}

// mustClaim has .place say what is at path now, as if sp had put it there.
func mustClaim(t *testing.T, path string) {
	t.Helper()
	here, err := placeOf(path, path)
	require.NoError(t, err)
	conn := harness.OpenSQLite(t, path)
	if err := conn.QueryRow("SELECT registry_id FROM registry_meta").Scan(&here.id); err != nil {
		here.id = "" // an older schema
	}
	require.NoError(t, conn.Close())
	require.NoError(t, writePlace(path, here))
}

// mustRevision reads a registry, also one that is not where it was made, such as a backup.
func mustRevision(t *testing.T, path string) (revision int) {
	t.Helper()
	read, err := mustOpen(t, path, trusting(patient)).Read(t.Context())
	require.NoError(t, err)
	defer read.Close()
	require.NoError(t, read.QueryRowContext(t.Context(), "SELECT revision FROM registry_meta").Scan(&revision))
	return revision
}

func mustVersion(t *testing.T, path string) (version int) {
	t.Helper()
	conn := harness.OpenSQLite(t, path)
	require.NoError(t, conn.QueryRow("PRAGMA user_version").Scan(&version))
	require.NoError(t, conn.Close())
	return version
}

func addOne(ctx context.Context, d *DB) error {
	w, err := d.Write(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	if _, err := w.ExecContext(ctx, "UPDATE registry_meta SET revision = revision + 1"); err != nil {
		return err
	}
	return w.Commit()
}

// fingerprint tells all that must not change: each name in the directory of
// path, its mode, time and content.
func fingerprint(t *testing.T, path string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	var text strings.Builder
	for _, e := range entries {
		info, err := e.Info()
		require.NoError(t, err)
		var content []byte
		if info.Mode().IsRegular() {
			content, err = os.ReadFile(filepath.Join(filepath.Dir(path), e.Name()))
			require.NoError(t, err)
		}
		fmt.Fprintf(&text, "%s %v %v %x\n", e.Name(), info.Mode(), info.ModTime(), sha256.Sum256(content))
	}
	return text.String()
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func mustLock(t *testing.T, dir string, how int, holder string) *Lock {
	t.Helper()
	lock, err := Options{Holder: holder}.acquire(t.Context(), dir, how, in(20*time.Second))
	require.NoError(t, err)
	return lock
}

func mustBeFree(t *testing.T, dir string) {
	t.Helper()
	mustLock(t, dir, unix.LOCK_EX, "").Unlock()
}

// mustSeeWaiter returns when somebody waits for the lock of dir.
func mustSeeWaiter(t *testing.T, dir string) {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, lockName))
	require.NoError(t, err)
	inode := fmt.Sprintf(":%d ", info.Sys().(*syscall.Stat_t).Ino)
	waits := func() bool {
		locks, err := os.ReadFile("/proc/locks")
		if err != nil {
			return true // not told here; the test is weaker then, not wrong
		}
		for line := range strings.Lines(string(locks)) {
			if strings.Contains(line, "->") && strings.Contains(line, inode) {
				return true
			}
		}
		return false
	}
	require.Eventually(t, waits, 20*time.Second, time.Millisecond)
}
