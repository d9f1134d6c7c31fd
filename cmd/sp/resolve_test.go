package main

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/stretchr/testify/require"
	"modernc.org/sqlite"
)

// TestResolveOpensOnceAndReadsInOneTransaction counts, through the driver's hooks,
// the connections to one registry and the transactions that ended on them; a
// transaction that only reads ends in a rollback.
func TestResolveOpensOnceAndReadsInOneTransaction(t *testing.T) {
	dir := filepath.Join(t.TempDir(), ".systemprompt")
	at := []string{"sp", "--dir", dir}
	mustRunIn(t, append(at, "tenant", "create", "--id", "local_1", "--name", "one", "--database-url", "postgres://h/one")...)
	mustRunIn(t, append(at, "profile", "create", "one", "--tenant", "local_1")...)
	mustRunIn(t, append(at, "session", "switch", "one")...)

	var connections, ended atomic.Int32
	sqlite.RegisterConnectionHook(func(conn sqlite.ExecQuerierContext, dsn string) error {
		if strings.Contains(dsn, dir) {
			connections.Add(1)
			conn.(sqlite.HookRegisterer).RegisterRollbackHook(func() { ended.Add(1) })
		}
		return nil
	})
	answer := mustRunIn(t, append(at, "resolve")...)

	require.Equal(t, "postgres://h/one\n", answer)
	require.EqualValues(t, 1, connections.Load(), "connections")
	require.EqualValues(t, 1, ended.Load(), "transactions")
}

// mustRunIn runs the program in this process and returns what it answers.
func mustRunIn(t *testing.T, args ...string) string {
	t.Helper()
	file := func(name string) *os.File {
		f, err := os.Create(filepath.Join(t.TempDir(), name))
		require.NoError(t, err)
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	stdout := file("stdout")
	code := program().Run(context.Background(), args, cli.World{
		Random:           rand.Reader,
		Stdin:            file("stdin"),
		Stdout:           stdout,
		Stderr:           file("stderr"),
		LookupEnv:        func(string) (string, bool) { return "", false },
		WorkingDirectory: func() (string, error) { return t.TempDir(), nil },
		Now:              func() time.Time { return time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC) },
		Terminal:         func(int) bool { return false },
		Git:              func() string { return "" },
		UntilSignal:      func(ctx context.Context) (context.Context, func()) { return ctx, func() {} },
		Environ:          func() []string { return nil },
	})
	require.Zero(t, code, "%v", args)
	text, err := os.ReadFile(stdout.Name())
	require.NoError(t, err)
	return string(text)
}
