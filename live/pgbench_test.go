package live

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

// load is what clients of a tenant do while its password is rotated.
type load struct {
	*scene
	pgbench, script string
	stop, atOnce    atomic.Bool // atOnce: from now on, open sessions may be ended
	runs            atomic.Int64
	clients         sync.WaitGroup
	mu              sync.Mutex
	failed          []error
}

const transactions = 10 // of a run of pgbench

// bench runs pgbench once; a transaction that fails is an error.
func (l *load) bench(url secret.Secret, options ...string) error {
	args := append(options, "--no-vacuum", "--file", l.script, url.Reveal())
	said, err := exec.CommandContext(l.T.Context(), l.pgbench, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("pgbench: %w: %s", err, said)
	}
	return nil
}

// resolved runs pgbench with what sp resolves now.
func (l *load) resolved() error {
	o, err := harness.Run(l.Command("resolve", "--tenant", "k"))
	if err != nil || o.Exit != 0 {
		return fmt.Errorf("sp resolve: %d: %s: %w", o.Exit, o.Stderr, err)
	}
	return l.bench(secret.New(o.Stdout[:len(o.Stdout)-1]), "--transactions", strconv.Itoa(transactions))
}

// work is a client that resolves again for each of its connections. If its session is ended, as --now says,
// it does so too.
func (l *load) work() {
	for !l.stop.Load() {
		err := l.resolved()
		if err != nil && l.atOnce.Load() {
			err = l.resolved()
		}
		if !l.met(err) {
			return
		}
		l.runs.Add(1)
	}
}

// workOn is a client that has what was resolved once, and connects for each transaction.
func (l *load) workOn(ctx context.Context, url secret.Secret) {
	for ctx.Err() == nil && l.met(l.bench(url, "--connect", "--transactions", strconv.Itoa(transactions))) {
	}
}

// met notes an error, and tells whether there was none.
func (l *load) met(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failed = append(l.failed, err)
	}
	return err == nil
}

// goOn waits until the clients have done some more.
func (l *load) goOn() {
	l.T.Helper()
	before := l.runs.Load()
	require.Eventually(l.T, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.runs.Load() > before+3 || l.failed != nil
	}, 30*time.Second, 10*time.Millisecond)
}

// TestRotationsUnderLoadFailNoTransaction of a client that resolves again, twice within the grace; nor of one
// that has the old login, until that was to end.
func TestRotationsUnderLoadFailNoTransaction(t *testing.T) {
	t.Parallel()
	pgbench, err := exec.LookPath("pgbench")
	if err != nil {
		t.Skip("without pgbench: ", err)
	}
	l := &load{scene: newScene(t, "pgbench").withAdmin("live_pgbench").begun(), pgbench: pgbench}
	l.script = filepath.Join(l.root, "script")
	require.NoError(t, os.WriteFile(l.script, []byte("INSERT INTO done VALUES (1);\n"), 0o600))
	l.must("tenant", "create", "--id", "k", "--name", "k")
	first := l.url("k")
	pgtest.Exec(t, first, "CREATE TABLE done (n int)")
	for range 2 {
		l.clients.Go(l.work)
	}
	until, over := context.WithCancel(t.Context())
	var old sync.WaitGroup
	old.Go(func() { l.workOn(until, first) })
	l.goOn()
	l.must("tenant", "rotate-credentials", "k", "-y")
	l.goOn()
	o := l.Run("tenant", "rotate-credentials", "k", "-y")
	require.Equal(t, 4, o.Exit, o.Stderr)
	l.goOn()
	over()
	old.Wait()
	l.atOnce.Store(true)
	l.must("tenant", "rotate-credentials", "k", "-y", "--now")
	require.False(t, opens(first))
	l.goOn()
	l.stop.Store(true)
	l.clients.Wait()
	require.Empty(t, l.failed)
	rows, err := strconv.ParseInt(pgtest.Exec(t, l.url("k"), "SELECT count(*) FROM done")[0], 10, 64)
	require.NoError(t, err)
	require.GreaterOrEqual(t, rows, l.runs.Load()*transactions)
	t.Logf("%d transactions", rows)
	l.must("tenant", "delete", "k", "-y")
}
