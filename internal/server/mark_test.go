package server

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/registry"
)

// mustEnd ends a process.
func (p *plane) mustEnd() {
	p.t.Helper()
	p.http.Close()
	require.NoError(p.t, p.Close())
}

// known are the tenants that serve.db has something of.
func known(t *testing.T, dir string) (ids []string) {
	t.Helper()
	d, err := rows.Open(t.Context(), filepath.Join(dir, "serve.db"))
	require.NoError(t, err)
	require.NoError(t, d.Read(t.Context(), func(q *rows.Queries) (err error) {
		ids, err = q.KnownTenants(t.Context())
		return err
	}))
	require.NoError(t, d.Close())
	return ids
}

func copyOf(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return text
}

// TestNothingIsForgottenBesideAnotherRegistry: one that is gone, a new one, and one from a backup.
func TestNothingIsForgottenBesideAnotherRegistry(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		put   func(t *testing.T, path string, older []byte)
		wants string
	}{
		"gone": {func(*testing.T, string, []byte) {}, " is gone"},
		"gone, with it": {func(t *testing.T, path string, _ []byte) {
			require.NoError(t, os.Remove(filepath.Join(filepath.Dir(path), ".place")))
		}, " is gone"},
		"new": {func(t *testing.T, path string, _ []byte) {
			r, _, err := registry.Create(t.Context(), path, registry.Options{Now: (&clock{}).Now})
			require.NoError(t, err)
			require.NoError(t, r.Close())
		}, " is not the registry"},
		"older": {func(t *testing.T, path string, older []byte) { require.NoError(t, os.WriteFile(path, older, 0o600)) }, " is older than "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := mustPlane(t)
			p.mustRegion("iad", "db.example.org")
			anna, path := p.mustUser("anna", MemberRole), filepath.Join(p.Dir, "sp.db")
			older := copyOf(t, path)
			made := anna.mustTenant("shop")
			p.mustEnd()
			require.NoError(t, os.Remove(path))
			one.put(t, path, older)

			_, err := Open(t.Context(), p.Options)
			require.ErrorIs(t, err, ErrOtherRegistry)
			for _, part := range []string{path, filepath.Join(p.Dir, "serve.db"), one.wants} {
				require.ErrorContains(t, err, part)
			}
			if one.wants == " is gone" {
				require.NoFileExists(t, path)
			}
			require.Equal(t, []string{made.ID}, known(t, p.Dir))

			options := p.Options
			options.AcceptRegistry = true
			accepted, err := Open(t.Context(), options)
			require.NoError(t, err)
			_, err = accepted.Handler(t.Context())
			require.NoError(t, err)
			acts, err := accepted.Acts(t.Context(), ActsAsked{Limit: 1})
			require.NoError(t, err)
			require.Equal(t, "registry.accept", acts[0].Action)
			require.NoError(t, accepted.Close())
			require.Empty(t, known(t, p.Dir))
			again, err := Open(t.Context(), p.Options)
			require.NoError(t, err)
			require.NoError(t, again.Close())
		})
	}
}

// TestARegistryThatIsAheadIsTaken: the process died before it remembered the change.
func TestARegistryThatIsAheadIsTaken(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	before := *mustMark(t, p)
	made := p.mustUser("anna", MemberRole).mustTenant("shop")
	require.NoError(t, p.db.Write(t.Context(), func(q *rows.Queries) error {
		if err := q.DeleteRegistryMark(t.Context()); err != nil {
			return err
		}
		return q.PutRegistryMark(t.Context(), rows.PutRegistryMarkParams{Registry: before.id, Revision: before.revision})
	}))
	p.mustEnd()
	next, err := Open(t.Context(), p.Options)
	require.NoError(t, err)
	require.NoError(t, next.Close())
	require.Equal(t, []string{made.ID}, known(t, p.Dir))
}

func mustMark(t *testing.T, p *plane) *mark {
	t.Helper()
	m, err := p.knownMark(t.Context())
	require.NoError(t, err)
	require.NotNil(t, m)
	return m
}

// TestTheMarkOnlyGoesOn, whatever order two processes write it in.
func TestTheMarkOnlyGoesOn(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	now := *mustMark(t, p)
	require.Equal(t, revisionOf(p), now.revision)
	require.NoError(t, p.putMark(t.Context(), mark{now.id, now.revision - 1}))
	require.Equal(t, now, *mustMark(t, p))
}

// TestARegistryThatIsExchangedMeanwhileIsLeftAlone by a spd that runs.
func TestARegistryThatIsExchangedMeanwhileIsLeftAlone(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna, path := p.mustUser("anna", MemberRole), filepath.Join(p.Dir, "sp.db")
	older := copyOf(t, path)
	made := anna.mustTenant("shop")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, older, 0o600))

	require.ErrorIs(t, p.forget(t.Context(), registry.TenantID(made.ID)), ErrOtherRegistry)
	_, _, err := p.due(t.Context())
	require.ErrorIs(t, err, ErrOtherRegistry)
	require.ErrorIs(t, p.change(t.Context(), func(*registry.Registry) error { return nil }), ErrOtherRegistry)
	anna.ask("GET", "/readyz", "").refuses(503, "unavailable")
	require.Equal(t, []string{made.ID}, known(t, p.Dir))
}

// TestTheCopyOfAControlPlaneIsLeftAlone while the original is there: the databases are that one's. Without it,
// the copy takes its place.
func TestTheCopyOfAControlPlaneIsLeftAlone(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	made := p.mustUser("anna", MemberRole).mustTenant("shop")
	p.mustReady(made.ID)
	p.mustEnd()
	options := p.Options
	options.Dir = filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.CopyFS(options.Dir, os.DirFS(p.Dir)))
	require.NoError(t, os.Chmod(options.Dir, 0o700))
	for _, name := range []string{"sp.db", "sp.db-journal", "serve.db", ".place"} { // as cp -a
		require.NoError(t, os.Chmod(filepath.Join(options.Dir, name), 0o600))
	}
	for _, options.AcceptRegistry = range []bool{false, true} {
		_, err := Open(t.Context(), options)
		require.ErrorIs(t, err, ErrCopy)
		require.ErrorContains(t, err, p.Dir)
	}
	options.AcceptRegistry = false
	require.NoError(t, os.Rename(p.Dir, p.Dir+".gone"))
	moved, err := Open(t.Context(), options)
	require.NoError(t, err)
	require.NoError(t, moved.change(t.Context(), func(*registry.Registry) error { return nil }))
	require.NoError(t, moved.read(t.Context(), func(view *registry.View) error {
		d, err := view.Database(t.Context(), registry.TenantID(made.ID))
		require.NotNil(t, d)
		return err
	}))
	require.NoError(t, moved.Close())
}

// TestARegistryWhoseStoreIsGoneIsLeftAlone: its users would be new without a word.
func TestARegistryWhoseStoreIsGoneIsLeftAlone(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	p.mustUser("anna", MemberRole)
	p.mustEnd()
	path := filepath.Join(p.Dir, "serve.db")
	require.NoError(t, os.Remove(path))
	_, err := Open(t.Context(), p.Options)
	require.ErrorIs(t, err, ErrNoStore)
	require.NoFileExists(t, path)

	options := p.Options
	options.AcceptRegistry = true
	accepted, err := Open(t.Context(), options)
	require.NoError(t, err)
	users, err := accepted.Users(t.Context())
	require.NoError(t, err)
	require.Empty(t, users)
	require.NoError(t, accepted.Close())
}

// TestAStoreThatWasReplacedIsNotUsed, as when a backup is put back while spd runs: neither read nor written.
func TestAStoreThatWasReplacedIsNotUsed(t *testing.T) {
	t.Parallel()
	for name, replace := range map[string]func(path string) error{
		"replaced": func(path string) error {
			return errors.Join(os.WriteFile(path+".other", copyOf(t, path), 0o600), os.Rename(path+".other", path))
		},
		"gone": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := mustPlane(t)
			p.mustRegion("iad", "db.example.org")
			anna := p.mustUser("anna", MemberRole)
			before := revisionOf(p)
			require.NoError(t, replace(p.storePath()))
			anna.ask("POST", "/api/v1/tenants", `{"name":"shop","region":"iad"}`).refuses(500, "internal")
			anna.ask("POST", "/api/v1/tokens", `{"name":"ci","scopes":["read"]}`).refuses(500, "internal")
			_, _, err := p.due(t.Context())
			require.ErrorIs(t, err, rows.ErrReplaced)
			require.Equal(t, before, revisionOf(p))
		})
	}
}
