package registry

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mustBegin begins a change that creates a tenant.
func (d *desk) mustBegin(t *testing.T, ctx context.Context, id TenantID) *Tx {
	t.Helper()
	tx, err := d.Begin(ctx)
	require.NoError(t, err)
	require.NoError(t, tx.Do(ctx, func(r *Registry) error {
		_, err := r.CreateTenant(ctx, NewTenant{Tenant: local(id)})
		return err
	}))
	return tx
}

// mustRemember makes a change that files follow.
func (d *desk) mustRemember(t *testing.T, files ...File) {
	t.Helper()
	tx, err := d.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, tx.Remember(t.Context(), Followed{Files: files}))
	_, err = tx.Commit()
	require.NoError(t, errors.Join(err, tx.Close()))
}

func TestAChangeShowsToOthersWhenItIsCommitted(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	tx := d.mustBegin(t, t.Context(), "a")
	_, err := tx.View().Tenant(t.Context(), "a")
	require.NoError(t, err)
	require.Empty(t, mustContents(t, d.path).Tenants)
	file := File{Path: "tenants.json", Current: "h1", TenantsRevision: 1}
	require.NoError(t, tx.Remember(t.Context(), Followed{Files: []File{file}}))
	made, err := tx.Commit()
	require.True(t, made)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, ids(mustContents(t, d.path)), "and before the lock is free")

	hasty, err := Open(t.Context(), d.path, Options{Now: func() time.Time { return noon }})
	require.NoError(t, err)
	_, err = hasty.SelectTenant(t.Context(), "a")
	require.ErrorContains(t, err, "busy: held by the test")
	require.NoError(t, errors.Join(tx.Close(), hasty.Close()))
	other, err := Open(t.Context(), d.path, d.options()) // which waits until the other is sure to have let go
	require.NoError(t, err)
	_, err = other.SelectTenant(t.Context(), "a")
	require.NoError(t, errors.Join(err, other.Close()))
	require.Equal(t, &file, look(t, d, func(ctx context.Context, v *View) (*File, error) { return v.File(ctx, "tenants.json") }))
}

// TestPartsOfAChangeAreOneChange: one revision, one line of the history, and what one part says
// of itself the next does not inherit.
func TestPartsOfAChangeAreOneChange(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a", "b")
	before := d.mustRevision(t)
	tx, err := d.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, tx.Do(t.Context(), func(r *Registry) error {
		_, _, first := r.UpdateTenant(t.Context(), TenantEdit{ID: "a", Set: values{"database_url": sealed("postgres://u:2@h/a")}, Purge: true})
		_, _, second := r.UpdateTenant(t.Context(), TenantEdit{ID: "b", Set: values{"database_url": sealed("postgres://u:2@h/b")}})
		return errors.Join(first, second)
	}))
	_, err = tx.Commit()
	require.NoError(t, errors.Join(err, tx.Close()))
	require.Equal(t, before+1, d.mustRevision(t))
	require.Equal(t, 1, look(t, d, func(ctx context.Context, v *View) (Kept, error) { return v.KeptSecrets(ctx) }).Secrets, "that of b")
}

func TestAChangeThatIsNotCommittedIsTakenBack(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenants(t, "a")
	before := mustContents(t, d.path)
	for name, end := range map[string]func(tx *Tx, cancel func()){
		"closed": func(*Tx, func()) {},
		"a file that can't be remembered": func(tx *Tx, _ func()) {
			require.Error(t, tx.Remember(t.Context(), Followed{Files: []File{{Path: "", Current: "h"}}}))
		},
		"cancelled": func(tx *Tx, cancel func()) {
			cancel()
			made, err := tx.Commit()
			require.False(t, made)
			require.ErrorIs(t, err, context.Canceled)
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		tx := d.mustBegin(t, ctx, "b")
		end(tx, cancel)
		require.NoError(t, tx.Close(), name)
		require.Equal(t, before, mustContents(t, d.path), name)
		cancel()
	}
	d.mustTenants(t, "b") // and nothing is locked
}

func TestAPanicInAChangeTakesItBack(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	require.Panics(t, func() { _ = d.write(t.Context(), func(*change) error { panic("bug") }) })
	require.Empty(t, mustContents(t, d.path).Tenants)
	d.mustTenants(t, "b")
}
