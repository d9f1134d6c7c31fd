package registry

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
)

// mustBackup copies a registry that is closed.
func mustBackup(t *testing.T, d *desk) db.Source {
	t.Helper()
	content, err := os.ReadFile(d.path)
	require.NoError(t, err)
	return db.Source{Name: "the backup", Claim: db.Moved, Copy: func(side string, to io.Writer) (bool, error) {
		if side != "" {
			return false, nil
		}
		_, err := to.Write(content)
		return true, err
	}}
}

func (d *desk) mustTenant(t *testing.T, id TenantID) {
	t.Helper()
	_, err := d.CreateTenant(t.Context(), NewTenant{Tenant: local(id)})
	require.NoError(t, err)
}

func TestARestoredRegistryHasARevisionAboveBoth(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenant(t, "a")
	old := mustBackup(t, d) // revision 1
	d.mustTenant(t, "b")
	d.mustTenant(t, "c")
	latest := mustBackup(t, d) // revision 3

	done, err := restore(t, d.path, d.options(), old)
	require.NoError(t, err)
	require.Equal(t, int64(4), done.Revision)
	require.Equal(t, 1, done.Tenants)
	now := mustContents(t, d.path)
	require.Equal(t, []string{"a"}, ids(now))
	require.Equal(t, int64(4), now.Revision)
	require.Equal(t, int64(4), now.TenantsRevision, "what shows tenants is behind")

	other := mustDesk(t)
	done, err = restore(t, other.path, other.options(), latest)
	require.NoError(t, err)
	require.Equal(t, int64(4), done.Revision, "the backup's was higher")
	require.Equal(t, []string{"a", "b", "c"}, ids(mustContents(t, other.path)))

	require.NoError(t, os.Truncate(other.path, 5000))
	done, err = restore(t, other.path, other.options(), latest)
	require.NoError(t, err)
	require.Equal(t, int64(3+beyond+1), done.Revision, "what a damaged one had nobody knows")
	require.NoError(t, os.Remove(other.path))
	done, err = restore(t, other.path, other.options(), latest)
	require.NoError(t, err)
	require.Equal(t, int64(4), done.Revision)
	require.Empty(t, done.Kept)
}

func TestTheHistoryTellsOfARestoreAndCannotUndoIt(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenant(t, "a")
	source := mustBackup(t, d)
	d.mustTenant(t, "b")
	d.now = noon.Add(time.Hour)
	options := d.options()
	options.Command = "sp restore FILE"
	_, err := restore(t, d.path, options, source)
	require.NoError(t, err)
	d.mustReopen(t)

	view, err := d.View(t.Context())
	require.NoError(t, err)
	changes := mustAll(t, view.Changes(t.Context(), nil, Page{}))
	view.Close()
	require.Len(t, changes, 2)
	require.Equal(t, "change 3 (sp restore FILE)", changes[0].String())
	require.Equal(t, d.now.Truncate(time.Microsecond), changes[0].MadeAt)
	require.Equal(t, int64(1), changes[1].Sequence)

	before := mustContents(t, d.path)
	for _, sequence := range []*int64{nil, ptr(int64(3))} {
		_, err = d.Undo(t.Context(), Undo{Sequence: sequence})
		require.ErrorIs(t, err, ErrConflict)
		require.ErrorContains(t, err, "change 3 (sp restore FILE) can't be undone: it restored a backup")
	}
	require.Equal(t, before, mustContents(t, d.path))
	undone, err := d.Undo(t.Context(), Undo{Sequence: ptr(int64(1))})
	require.NoError(t, err, "what came before it can be")
	require.Equal(t, int64(1), undone.Change.Sequence)
	require.Empty(t, mustContents(t, d.path).Tenants)
}

func TestARestoreRemembersTheFilesAsTheyAreNow(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	d.mustRemember(t, File{Path: "tenants.json", Previous: "", Current: "h1"})
	source := mustBackup(t, d)
	d.mustRemember(t, File{Path: "tenants.json", Previous: "h1", Current: "h2"}, File{Path: "/a/copy", Current: "h3"})
	tx, _, err := Restore(t.Context(), d.path, d.options(), source)
	require.NoError(t, err)
	for path, hash := range map[string]string{"tenants.json": "h2", "/a/copy": "h3"} {
		file, err := tx.View().File(t.Context(), path)
		require.NoError(t, err)
		require.Equal(t, hash, file.Current)
	}
	_, err = tx.Commit()
	require.NoError(t, errors.Join(err, tx.Close()))
}

func TestARestoreThatIsNotCommittedIsNotMade(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	source := mustBackup(t, d)
	d.mustTenants(t, "b")
	before := mustContents(t, d.path)
	ctx, cancel := context.WithCancel(t.Context())
	for _, end := range []func(*Tx) error{
		func(*Tx) error { return nil },
		func(tx *Tx) error {
			cancel()
			made, err := tx.Commit()
			require.False(t, made)
			require.ErrorIs(t, err, context.Canceled)
			return nil
		},
	} {
		tx, _, err := Restore(ctx, d.path, d.options(), source)
		require.NoError(t, err)
		require.NoError(t, errors.Join(end(tx), tx.Close()))
		require.Equal(t, before, mustContents(t, d.path))
		require.NoFileExists(t, filepath.Join(filepath.Dir(d.path), "sp.db.new"))
	}
}

// restore puts a backup in the registry's place.
func restore(t *testing.T, path string, o Options, source db.Source) (done Restored, err error) {
	tx, done, err := Restore(t.Context(), path, o, source)
	if err != nil {
		return done, err
	}
	_, err = tx.Commit()
	return done, errors.Join(err, tx.Close())
}
