package registry

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// press is a publisher that writes down what happens to its files, and when.
type press struct {
	d       *desk
	log     []string
	files   []File
	trouble error             // of rendering
	late    func() error      // in place of putting the files in place
	inside  func(*View) error // while rendering
}

// mustPress makes a registry whose changes are published by a press.
func mustPress(t *testing.T) *press {
	t.Helper()
	p := &press{files: []File{{Path: "tenants.json", Previous: "", Current: "h1", TenantsRevision: 1}}}
	d := &desk{path: filepath.Join(t.TempDir(), "sp.db"), now: noon}
	options := d.options()
	options.Publish = p.publish
	r, err := Create(t.Context(), d.path, options)
	require.NoError(t, err)
	d.Registry, p.d = r, d
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return p
}

func (p *press) say(what string) { p.log = append(p.log, what) }

func (p *press) publish(ctx context.Context, v *View) (Publication, error) {
	state, err := v.State(ctx)
	if err != nil {
		return Publication{}, err
	}
	p.say("render")
	if p.inside != nil {
		if err := p.inside(v); err != nil {
			return Publication{}, err
		}
	}
	for i := range p.files {
		p.files[i].TenantsRevision = state.TenantsRevision
	}
	return Publication{
		Files: p.files,
		Place: func() error {
			p.say("place")
			if p.late != nil {
				return p.late()
			}
			return nil
		},
		Discard: func() error { p.say("discard"); return nil },
	}, p.trouble
}

func (p *press) create(ctx context.Context, id TenantID) error {
	_, err := p.d.CreateTenant(ctx, NewTenant{Tenant: local(id)})
	return err
}

func (p *press) mustFile(t *testing.T, path string) *File {
	t.Helper()
	r, err := Open(t.Context(), p.d.path, Options{Now: func() time.Time { return noon }, Wait: time.Second})
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	v, err := r.View(t.Context())
	require.NoError(t, err)
	defer v.Close()
	file, err := v.File(t.Context(), path)
	require.NoError(t, err)
	return file
}

func TestAChangeIsRenderedInsideAndPlacedAfterwards(t *testing.T) {
	t.Parallel()
	p := mustPress(t)
	p.inside = func(v *View) error {
		_, err := v.Tenant(t.Context(), "a")
		require.NoError(t, err, "the change shows")
		require.Empty(t, mustContents(t, p.d.path).Tenants, "but not yet to others")
		return nil
	}
	p.late = func() error {
		require.Equal(t, []string{"a"}, ids(mustContents(t, p.d.path)), "committed before the files are placed")
		return nil
	}
	require.NoError(t, p.create(t.Context(), "a"))
	require.Equal(t, []string{"render", "place"}, p.log)
	require.Equal(t, &File{Path: "tenants.json", Current: "h1", TenantsRevision: 1}, p.mustFile(t, "tenants.json"))
	require.Nil(t, p.mustFile(t, "other.json"))
}

func TestTheLockIsHeldUntilTheFilesAreInPlace(t *testing.T) {
	t.Parallel()
	p := mustPress(t)
	p.late = func() error {
		other, err := Open(t.Context(), p.d.path, Options{Now: func() time.Time { return noon }})
		require.NoError(t, err)
		_, err = other.SelectTenant(t.Context(), "a")
		require.ErrorContains(t, err, "busy: held by the test")
		return other.Close()
	}
	require.NoError(t, p.create(t.Context(), "a"))
}

func TestWhatCannotBeRenderedIsNotChanged(t *testing.T) {
	t.Parallel()
	p := mustPress(t)
	p.trouble = errTrouble
	before := mustContents(t, p.d.path)
	require.ErrorIs(t, p.create(t.Context(), "a"), errTrouble)
	require.Equal(t, []string{"render"}, p.log)
	require.Equal(t, before, mustContents(t, p.d.path))
}

func TestFilesAreDiscardedWhenTheyCannotBeRemembered(t *testing.T) {
	t.Parallel()
	for _, bad := range []File{{Path: "", Current: "h"}, {Path: "p", Current: ""}} {
		p := mustPress(t)
		p.files = append(p.files, bad)
		before := mustContents(t, p.d.path)
		require.Error(t, p.create(t.Context(), "a"))
		require.Equal(t, []string{"render", "discard"}, p.log)
		require.Equal(t, before, mustContents(t, p.d.path))
		require.Nil(t, p.mustFile(t, "tenants.json"))
	}
}

func TestFilesAreDiscardedWhenTheChangeIsCancelled(t *testing.T) {
	t.Parallel()
	p := mustPress(t)
	p.files = nil
	ctx, cancel := context.WithCancel(t.Context())
	p.inside = func(*View) error { cancel(); return nil }
	before := mustContents(t, p.d.path)
	require.ErrorIs(t, p.create(ctx, "a"), context.Canceled)
	require.Equal(t, []string{"render", "discard"}, p.log)
	require.Equal(t, before, mustContents(t, p.d.path))
	p.inside = nil
	require.NoError(t, p.create(t.Context(), "a"), "and nothing is locked")
}

func TestAFileThatCannotBePlacedLeavesTheChangeMade(t *testing.T) {
	t.Parallel()
	p := mustPress(t)
	p.late = func() error { return errTrouble }
	err := p.create(t.Context(), "a")
	require.ErrorIs(t, err, ErrIncomplete)
	require.ErrorIs(t, err, errTrouble)
	require.Equal(t, []string{"render", "place"}, p.log)
	require.Equal(t, []string{"a"}, ids(mustContents(t, p.d.path)))
	require.NotNil(t, p.mustFile(t, "tenants.json"), "what should stand there is remembered")
}

func TestNothingIsRenderedForWhatIsRefusedOrOnlyTried(t *testing.T) {
	t.Parallel()
	p := mustPress(t)
	require.ErrorIs(t, p.create(t.Context(), "-a"), ErrInvalid)
	_, err := p.d.SelectTenant(t.Context(), "a")
	require.ErrorIs(t, err, ErrNotFound)
	i := file(local("a"))
	i.DryRun = true
	p.d.mustImport(t, i)
	require.Empty(t, p.log)
}

func TestPublishRendersWithoutAChange(t *testing.T) {
	t.Parallel()
	p := mustPress(t)
	require.NoError(t, p.create(t.Context(), "a"))
	p.files[0] = File{Path: "tenants.json", Previous: "h1", Current: "h2"}
	before := mustContents(t, p.d.path)
	require.NoError(t, p.d.Publish(t.Context()))
	after := mustContents(t, p.d.path)
	require.Equal(t, before.TenantsRevision, after.TenantsRevision)
	require.Equal(t, before.Tenants, after.Tenants)
	require.Equal(t, &File{Path: "tenants.json", Previous: "h1", Current: "h2", TenantsRevision: 1}, p.mustFile(t, "tenants.json"))
	require.Equal(t, "render place render place", strings.Join(p.log, " "))
}

func TestAPanicInAChangeTakesItBack(t *testing.T) {
	t.Parallel()
	p := mustPress(t)
	p.inside = func(*View) error { panic("bug") }
	require.Panics(t, func() { _ = p.create(t.Context(), "a") })
	require.Empty(t, mustContents(t, p.d.path).Tenants)
	p.inside = nil
	require.NoError(t, p.create(t.Context(), "b"), "and the lock is free")
}
