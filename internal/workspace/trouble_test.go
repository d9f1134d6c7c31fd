package workspace_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// obstruct is a publisher that finds, when it is to put its file in place, a
// directory there, as it may find a mount that it can't replace.
func obstruct(t *testing.T, h house, p workspace.Publisher) publish {
	return func(ctx context.Context, view *registry.View) (workspace.Publication, error) {
		publication, err := p.Publish(ctx, view)
		if err == nil {
			require.NoError(t, os.Rename(h.path(), h.path()+".aside"))
			require.NoError(t, os.Mkdir(h.path(), 0o700))
		}
		return publication, err
	}
}

func (h house) mustClear(t *testing.T) {
	t.Helper()
	require.NoError(t, os.Remove(h.path()))
	require.NoError(t, os.Rename(h.path()+".aside", h.path()))
}

func TestChangeIsDurableThoughTheFileCanNotBePlaced(t *testing.T) {
	t.Parallel()
	for _, force := range []bool{false, true} {
		for name := range repairs(house{}) {
			h := mustTrack(t)
			text := mustRead(t, h.path())
			p := h.follower()
			p.Force = force
			err := h.do(obstruct(t, h, p), create("b"))
			require.ErrorIs(t, err, registry.ErrIncomplete)
			require.NotContains(t, err.Error(), canary)
			require.Equal(t, []string{"a", "b"}, h.ids(t))
			row := h.remembered(t, workspace.TrackedName)
			require.Equal(t, hashOf(text), row.Previous)
			require.Equal(t, hashOf(h.encoded(t)), row.Current)

			before := h.everything(t)
			require.ErrorIs(t, h.do(h.follower().Publish, create("c")), place.ErrUnsafe)
			require.Equal(t, before, h.everything(t))
			h.must(t, h.follower().Publish, profile("y", "a")) // which is not the one to complain

			h.mustClear(t)
			require.Equal(t, workspace.Behind, h.standing(t))
			require.NoError(t, repairs(h)[name]())
			h.mustBeCurrent(t)
		}
	}
}

// However often it fails, what lies about does not grow.
func TestFilesThatCanNotBePlacedDoNotPileUp(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	for i := range 5 {
		require.ErrorIs(t, h.do(obstruct(t, h, h.follower()), create(fmt.Sprint(i))), registry.ErrIncomplete)
		h.mustClear(t)
		require.Len(t, names(t, h.dir), 5+1)
		require.Equal(t, workspace.Behind, h.standing(t))
	}
	h.must(t, h.follower().Publish, profile("x", "a"))
	h.mustBeCurrent(t)
}

// The directory is gone when the file is to be placed: there is nothing to do but
// to say so.
func TestVanishedTemporaryFileIsReported(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	err := h.do(meanwhile(h.follower(), func() {
		for _, name := range names(t, h.dir) {
			if strings.HasSuffix(name, ".tmp") {
				require.NoError(t, os.Remove(h.dir+"/"+name))
			}
		}
	}), create("b"))
	require.ErrorIs(t, err, registry.ErrIncomplete)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Equal(t, []string{"a", "b"}, h.ids(t))
}

func TestRowThatMakesNoSenseChangesNothing(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	h.must(t, h.follower().Publish, create("b"))
	h.mustMess(t, "INSERT INTO files (path, previous, current, tenants_revision, stamp) VALUES ('/large', '', hex(zeroblob(100000)), 0, '')", // else it is checked whole first
		"PRAGMA ignore_check_constraints = 1", "UPDATE tenants SET tenant_type = 'x' WHERE id = 'b'")
	before, file := append(names(t, h.dir), "sp.db-journal"), fingerprint(t, h.path(), false) // which the other program removed
	slices.Sort(before)
	for _, p := range []workspace.Publisher{h.follower(), h.wanted(), h.forced()} {
		err := h.do(p.Publish, rename("a", "new"))
		require.ErrorContains(t, err, "row does not make sense")
		require.NotErrorIs(t, err, registry.ErrIncomplete)
		require.Equal(t, before, names(t, h.dir))
		require.Equal(t, file, fingerprint(t, h.path(), false))
	}
	mustWrite(t, h.path(), foreign) // and not while it looks for the same bytes either
	require.ErrorContains(t, h.do(h.wanted().Publish, export), "row does not make sense")
	h.view(t, func(view *registry.View) {
		_, err := h.follower().IsCurrent(t.Context(), view)
		require.ErrorContains(t, err, "row does not make sense")
		tenant, err := view.Tenant(t.Context(), "a")
		require.NoError(t, err)
		require.Equal(t, "name of a", tenant.Name)
		state, err := view.State(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 4, state.Revision)
	})
}

// The registry takes the change back that it can't remember the file of.
func TestRenderingIsDiscardedWhenTheCommitFails(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	before := h.everything(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := h.doIn(ctx, meanwhile(h.follower(), cancel), create("b"))
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, registry.ErrIncomplete)
	require.Equal(t, before, h.everything(t))
}

// There is room for the registry but not for its file, which is many times larger
// because it gives each element of a list a line.
func TestFullDiskChangesNothing(t *testing.T) {
	t.Parallel()
	h := mustTrack(t)
	h.must(t, h.follower().Publish, imports(withTenant(`"x":`+"["+strings.Repeat("1,", 30_000)+"1]")))
	h.mustBeCurrent(t)
	limit := mustStat(t, h.registry()).Size() * 3 / 2
	require.Less(t, limit, mustStat(t, h.path()).Size())
	before := h.everything(t)
	h.mustRun(t, "small", fmt.Sprint(limit))
	require.Equal(t, before, h.everything(t))
	h.mustBeCurrent(t)

	h.must(t, nil, create("c")) // catching up fails as well
	before = h.everything(t)
	h.mustRun(t, "small", fmt.Sprint(limit))
	require.Equal(t, before, h.everything(t))
}

func TestDirectoryThatCanNotBeWrittenIsRefused(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("nothing is read-only to root")
	}
	h := mustTrack(t)
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o500))
	before := h.everything(t)
	err := h.do(h.copyTo(dir+"/copy.json").Publish, export)
	require.ErrorIs(t, err, syscall.EACCES)
	require.NotErrorIs(t, err, registry.ErrIncomplete)
	require.Equal(t, before, h.everything(t))

	require.NoError(t, os.Chmod(h.path(), 0))
	require.ErrorIs(t, h.do(h.follower().Publish, create("b")), syscall.EACCES)
	require.NoError(t, os.Chmod(h.path(), 0o600))
	require.Equal(t, before, h.everything(t))
}
