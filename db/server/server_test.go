package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func mustOpen(t *testing.T, path string) *DB {
	t.Helper()
	d, err := Open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func countOf(t *testing.T, d *DB) (n int64) {
	t.Helper()
	require.NoError(t, d.Read(t.Context(), func(q *Queries) (err error) {
		n, err = q.Grants(t.Context())
		return err
	}))
	return n
}

func TestTheFileIsItsOwnersAloneFromBirth(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "serve.db")
	d := mustOpen(t, path)
	require.NoError(t, d.Write(t.Context(), func(q *Queries) error { return q.BumpGrants(t.Context()) }))
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	for _, entry := range entries {
		info, err := entry.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, entry.Name())
	}
}

func TestAFileThatOthersCanReadIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "serve.db")
	require.NoError(t, mustOpen(t, path).Write(t.Context(), func(q *Queries) error { return nil }))
	require.NoError(t, os.Chmod(path, 0o644))
	_, err := Open(t.Context(), path)
	require.ErrorIs(t, err, ErrExposed)
}

func TestManyOpenANewFileAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "serve.db")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			d, err := Open(t.Context(), path)
			if err == nil {
				err = errors.Join(d.Write(t.Context(), func(q *Queries) error { return q.BumpGrants(t.Context()) }), d.Close())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	require.EqualValues(t, 8, countOf(t, mustOpen(t, path)))
}

func TestAChangeThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	d := mustOpen(t, filepath.Join(t.TempDir(), "serve.db"))
	broken := errors.New("broken")
	require.ErrorIs(t, d.Write(t.Context(), func(q *Queries) error {
		return errors.Join(q.BumpGrants(t.Context()), broken)
	}), broken)
	require.Zero(t, countOf(t, d))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, d.Write(ended, func(q *Queries) error { return q.BumpGrants(ended) }), context.Canceled)
	require.Zero(t, countOf(t, d))
}

func TestAFileOfANewerProgramIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "serve.db")
	d := mustOpen(t, path)
	_, err := d.writer.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	require.NoError(t, err)
	_, err = Open(t.Context(), path)
	require.ErrorIs(t, err, ErrNewer)
}

func TestAFullDiskIsSaidToBe(t *testing.T) {
	t.Parallel()
	d := mustOpen(t, filepath.Join(t.TempDir(), "serve.db"))
	_, err := d.writer.ExecContext(t.Context(), "PRAGMA max_page_count = 1")
	require.NoError(t, err)
	err = d.Write(t.Context(), func(q *Queries) error {
		return q.InsertAudit(t.Context(), InsertAuditParams{Target: strings.Repeat("x", 1<<20)})
	})
	require.ErrorIs(t, err, ErrFull)
	require.Zero(t, countOf(t, d), "it can be read")
}
