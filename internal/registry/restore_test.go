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

	done, err := Restore(t.Context(), d.path, d.options(), old)
	require.NoError(t, err)
	require.Equal(t, int64(4), done.Revision)
	require.Equal(t, 1, done.Tenants)
	now := mustContents(t, d.path)
	require.Equal(t, []string{"a"}, ids(now))
	require.Equal(t, int64(4), now.Revision)
	require.Equal(t, int64(4), now.TenantsRevision, "what shows tenants is behind")

	other := mustDesk(t)
	done, err = Restore(t.Context(), other.path, other.options(), latest)
	require.NoError(t, err)
	require.Equal(t, int64(4), done.Revision, "the backup's was higher")
	require.Equal(t, []string{"a", "b", "c"}, ids(mustContents(t, other.path)))

	require.NoError(t, os.Truncate(other.path, 5000))
	done, err = Restore(t.Context(), other.path, other.options(), latest)
	require.NoError(t, err)
	require.Equal(t, int64(3+beyond+1), done.Revision, "what a damaged one had nobody knows")
	require.NoError(t, os.Remove(other.path))
	done, err = Restore(t.Context(), other.path, other.options(), latest)
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
	_, err := Restore(t.Context(), d.path, options, source)
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
	p := mustPress(t)
	require.NoError(t, p.create(t.Context(), "a"))
	source := mustBackup(t, p.d)
	p.files = []File{{Path: "tenants.json", Previous: "h1", Current: "h2"}, {Path: "/a/copy", Current: "h3"}}
	require.NoError(t, p.create(t.Context(), "b"))

	options := p.d.options()
	seen := map[string]string{}
	options.Publish = func(ctx context.Context, v *View) (Publication, error) {
		for _, path := range []string{"tenants.json", "/a/copy"} {
			file, err := v.File(ctx, path)
			require.NoError(t, err)
			seen[path] = file.Current
		}
		p.log = nil
		p.files = []File{{Path: "tenants.json", Previous: "h2", Current: "h4"}}
		return p.publish(ctx, v)
	}
	_, err := Restore(t.Context(), p.d.path, options, source)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"tenants.json": "h2", "/a/copy": "h3"}, seen)
	require.Equal(t, []string{"render", "place"}, p.log)
	require.Equal(t, "h4", p.mustFile(t, "tenants.json").Current)
}

func TestARestoreLeavesWhatSomebodyElseWrote(t *testing.T) {
	t.Parallel()
	p := mustPress(t)
	require.NoError(t, p.create(t.Context(), "a"))
	source := mustBackup(t, p.d)
	require.NoError(t, p.create(t.Context(), "b"))
	options := p.d.options()
	foreign := errors.Join(ErrConflict, errors.New("somebody else's"))
	options.Publish = func(context.Context, *View) (Publication, error) { return Publication{}, foreign }
	done, err := Restore(t.Context(), p.d.path, options, source)
	require.ErrorIs(t, err, ErrIncomplete)
	require.ErrorIs(t, err, ErrConflict)
	require.Equal(t, 1, done.Tenants)
	require.Equal(t, []string{"a"}, ids(mustContents(t, p.d.path)))
}

func TestARestoreThatCannotBeFollowedIsNotMade(t *testing.T) {
	t.Parallel()
	p := mustPress(t)
	require.NoError(t, p.create(t.Context(), "a"))
	source := mustBackup(t, p.d)
	require.NoError(t, p.create(t.Context(), "b"))
	before := mustContents(t, p.d.path)
	options := p.d.options()
	options.Publish = func(context.Context, *View) (Publication, error) { return Publication{}, errTrouble }
	_, err := Restore(t.Context(), p.d.path, options, source)
	require.ErrorIs(t, err, errTrouble)
	require.Equal(t, before, mustContents(t, p.d.path))

	p.log, p.trouble = nil, nil
	ctx, cancel := context.WithCancel(t.Context())
	p.inside = func(*View) error { cancel(); return nil }
	options.Publish = p.publish
	_, err = Restore(ctx, p.d.path, options, source)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"render", "discard"}, p.log)
	require.Equal(t, before, mustContents(t, p.d.path))
	require.NoFileExists(t, filepath.Join(filepath.Dir(p.d.path), "sp.db.new"))

	p.inside, p.late = nil, func() error { return errTrouble }
	_, err = Restore(t.Context(), p.d.path, options, source)
	require.ErrorIs(t, err, ErrIncomplete)
	require.ErrorIs(t, err, errTrouble)
	require.Equal(t, []string{"a"}, ids(mustContents(t, p.d.path)))
}
