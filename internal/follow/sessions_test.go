package follow

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

func TestTheIndexIsMadeForTheFirstSession(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.must(func(ctx context.Context) error { _, err := o.reg.SelectTenant(ctx, "b"); return err })
	require.NoFileExists(t, o.Full(IndexPath))
	o.must(o.use("p"))
	require.Contains(t, mustRead(t, o.Full(IndexPath)), `"active_key": "tenant_a"`)
	require.Contains(t, mustRead(t, o.Full(IndexPath)), `"active_profile_name": "p"`)
	require.Equal(t, os.FileMode(0o600), modeOf(t, o.Full(IndexPath)))
	o.must(o.rename("p", "z"))
	require.Contains(t, mustRead(t, o.Full(IndexPath)), `"active_profile_name": "z"`)
	o.must(func(ctx context.Context) error { _, err := o.reg.EndSessions(ctx); return err })
	require.NotContains(t, mustRead(t, o.Full(IndexPath)), "active_profile_name")
}

func TestAnIndexThatSomebodyChangedStopsAChangeOfSessions(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.must(o.use("p"))
	theirs := strings.Replace(mustRead(t, o.Full(IndexPath)), "tenant_a", "tenant_b", 1)
	o.write(IndexPath, theirs)
	require.Equal(t, &ChangedError{Path: o.Full(IndexPath)}, o.change(o.use("q")))
	require.Equal(t, theirs, mustRead(t, o.Full(IndexPath)))
	o.must(o.setSecret("p", "openai", "key")) // which is not for the index
	require.Equal(t, theirs, mustRead(t, o.Full(IndexPath)))
	o.options.Taken = hashOf([]byte(theirs))
	o.must(o.use("q"))
	require.Contains(t, mustRead(t, o.Full(IndexPath)), `"active_profile_name": "q"`)
}

// TestAMovedProjectHasItsOwnPaths has the next change, of whatever, rewrite the paths of an
// index that was written for another directory, and a look tell of it before.
func TestAMovedProjectHasItsOwnPaths(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.logIn("p")
	o.logIn("q")
	before := mustRead(t, o.Full(IndexPath))
	require.Equal(t, 2, strings.Count(before, o.Path()+"/profiles/"))
	o.settled()

	was := o.Path()
	moved := filepath.Join(filepath.Dir(filepath.Dir(was)), "moved", project.Name)
	require.NoError(t, os.CopyFS(filepath.Dir(moved), os.DirFS(filepath.Dir(was)))) // as cp -a does
	require.NoError(t, o.reg.Close())
	tighten(t, moved)
	var err error
	o.Dir, err = project.At(moved)
	require.NoError(t, err)
	reg, err := registry.Open(t.Context(), o.Registry(), registry.Options{
		Now: midday, Wait: time.Second, Trust: db.Trust{Named: true},
	})
	require.NoError(t, err)
	o.store, o.reg = reg, reg
	t.Cleanup(func() { _ = reg.Close() })

	state, err := o.state()
	require.NoError(t, err)
	require.Equal(t, []string{IndexPath}, state.Behind)
	o.must(o.url("a", "postgres://u:second@h/a"))
	require.Equal(t, withoutUpdated(strings.ReplaceAll(before, was, moved)), withoutUpdated(mustRead(t, o.Full(IndexPath))))
	require.Equal(t, before, mustRead(t, filepath.Join(was, IndexPath)), "the other one's")
	o.settled()
}

func withoutUpdated(index string) string {
	return regexp.MustCompile(`"updated_at": "[^"]*"`).ReplaceAllString(index, "")
}

// tighten makes a copied directory as it was: CopyFS takes the umask.
func tighten(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	}))
}
