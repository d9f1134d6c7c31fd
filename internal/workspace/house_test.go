package workspace_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/exporter"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// house is a directory with a registry and the file that follows it, once a test has that written.
// It is changed as commands change it: each opens the registry, makes one change and closes it.
type house struct{ dir string }

const at10 = `"synced_at":"2026-02-01T10:00:00Z"`

// canary is a secret in every tenant; nothing but a file of tenants may show it.
const canary = "c4n4ry-in-the-mine"

func newHouse(dir string) (house, error) {
	h := house{dir: dir}
	reg, _, err := registry.Create(context.Background(), h.registry(), h.options())
	if err != nil {
		return h, err
	}
	if err := reg.Close(); err != nil {
		return h, err
	}
	return h, h.untrack()
}

// untrack has the registry know no file, as sp export --stop does.
func (h house) untrack() error {
	db, err := sql.Open("sqlite", h.registry())
	if err == nil {
		_, err = db.Exec("DELETE FROM files")
		err = errors.Join(err, db.Close())
	}
	return err
}

func mustHouse(t testing.TB) house {
	t.Helper()
	h, err := newHouse(t.TempDir())
	require.NoError(t, err)
	return h
}

// mustTrack is a house with one tenant, a, one profile, p, and a tracked file.
func mustTrack(t testing.TB) house {
	t.Helper()
	h := mustHouse(t)
	h.must(t, nil, create("a"))
	h.must(t, nil, profile("p", "a"))
	h.must(t, h.wanted().Publish, export)
	h.mustBeCurrent(t)
	return h
}

func (h house) registry() string { return filepath.Join(h.dir, "sp.db") }
func (h house) path() string     { return filepath.Join(h.dir, workspace.TrackedName) }

// follower is the publisher of commands that change something.
func (h house) follower() workspace.Publisher {
	return workspace.Publisher{Path: h.path(), Name: workspace.TrackedName}
}

// wanted is the publisher of an export.
func (h house) wanted() workspace.Publisher {
	p := h.follower()
	p.Wanted = true
	return p
}

func (h house) forced() workspace.Publisher {
	p := h.wanted()
	p.Force = true
	return p
}

// copyTo is the publisher of an export to elsewhere.
func (h house) copyTo(path string) workspace.Publisher {
	return workspace.Publisher{Path: path, Name: path, Registry: h.dir, Wanted: true}
}

type publish = func(context.Context, *registry.View) (workspace.Publication, error)

func (h house) options() registry.Options {
	return registry.Options{
		Now:    func() time.Time { return time.Date(2026, 2, 1, 10, 0, 0, 0, time.UTC) },
		Wait:   30 * time.Second,
		Holder: "the test",
	}
}

// sweeping publishes what p does and, as every command, sweeps what was left outside.
func (h house) sweeping(p publish) publish {
	if p == nil {
		return func(context.Context, *registry.View) (workspace.Publication, error) {
			return workspace.Publication{}, nil
		}
	}
	return func(ctx context.Context, view *registry.View) (workspace.Publication, error) {
		published, err := p(ctx, view)
		if err != nil {
			return published, err
		}
		swept, err := workspace.SweepOutside(ctx, nil, h.dir, view)
		if err != nil {
			return workspace.Publication{}, err
		}
		if published.Place == nil {
			return swept, nil
		}
		place, discard := published.Place, published.Discard
		published.Files = append(swept.Files, published.Files...)
		published.Place = func() error { return errors.Join(swept.Place(), place()) }
		published.Discard = func() error { return errors.Join(swept.Discard(), discard()) }
		return published, nil
	}
}

// view hands one instant of the registry to fn.
func (h house) view(t testing.TB, fn func(view *registry.View)) {
	t.Helper()
	reg, err := registry.Open(t.Context(), h.registry(), h.options())
	require.NoError(t, err)
	view, err := reg.View(t.Context())
	require.NoError(t, err)
	fn(view)
	view.Close()
	require.NoError(t, reg.Close())
}

// encoded is what a file of the registry would hold now.
func (h house) encoded(t testing.TB) string {
	t.Helper()
	var text bytes.Buffer
	h.view(t, func(view *registry.View) {
		state, err := view.State(t.Context())
		require.NoError(t, err)
		require.NoError(t, exporter.Encode(&text, state.Document, view.Tenants(t.Context(), registry.Page{})))
	})
	return text.String()
}

func (h house) remembered(t testing.TB, name string) (file *registry.File) {
	t.Helper()
	h.view(t, func(view *registry.View) {
		var err error
		file, err = view.File(t.Context(), name)
		require.NoError(t, err)
	})
	return file
}

func (h house) standing(t testing.TB) (s workspace.Standing) {
	t.Helper()
	h.view(t, func(view *registry.View) {
		var err error
		s, err = h.follower().Standing(t.Context(), view)
		require.NoError(t, err)
	})
	return s
}

func (h house) isCurrent(t testing.TB, p workspace.Publisher) (current bool) {
	t.Helper()
	h.view(t, func(view *registry.View) {
		var err error
		current, err = p.IsCurrent(t.Context(), view)
		require.NoError(t, err)
	})
	return current
}

func (h house) ids(t testing.TB) []string {
	t.Helper()
	ids := []string{}
	h.view(t, func(view *registry.View) {
		for tenant, err := range view.Tenants(t.Context(), registry.Page{}) {
			require.NoError(t, err)
			ids = append(ids, string(tenant.ID))
		}
	})
	return ids
}

// mustBeCurrent checks all that holds when nothing is left to do.
func (h house) mustBeCurrent(t testing.TB) {
	t.Helper()
	text := mustRead(t, h.path())
	require.Equal(t, h.encoded(t), text)
	require.Equal(t, hashOf(text), h.remembered(t, workspace.TrackedName).Current)
	require.Equal(t, workspace.Current, h.standing(t))
	require.True(t, h.isCurrent(t, h.follower()))
	require.Equal(t, os.FileMode(0o600), mustStat(t, h.path()).Mode())
	require.Equal(t, []string{".lock", ".place", "sp.db", "sp.db-journal", workspace.TrackedName}, names(t, h.dir))
}
