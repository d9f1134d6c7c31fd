package registry

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func (d *desk) creation(t testing.TB, sequence *int64) Undo {
	t.Helper()
	view, err := d.View(t.Context())
	require.NoError(t, err)
	defer view.Close()
	c, err := view.UndoOf(t.Context(), sequence)
	require.NoError(t, err)
	return c
}

// TestAllOfACreationIsUndone by one call, each change by one, whichever of them is named.
func TestAllOfACreationIsUndone(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.Registry.options.Command = "sp tenant create --name A"
	mustBegin(t, d)
	created := d.revision(t)
	require.Len(t, d.creation(t, nil).Changes, 1, "it is stopped")
	d.mustEdit(t, TenantEdit{ID: "a", Set: values{"hostname": sealed("h")}})
	require.Nil(t, d.creation(t, nil).Database, "an edit is none")
	d.mustUndo(t)
	mustPublish(t, d, "postgres://u:x@h/sp_a")
	published := d.revision(t)
	for _, sequence := range []*int64{nil, &created, &published} {
		c := d.creation(t, sequence)
		require.Equal(t, []int64{published, created}, []int64{c.Changes[0].Sequence, c.Changes[1].Sequence})
		require.Equal(t, "sp_a", c.Database.Name)
	}
	undone, err := d.Undo(t.Context(), d.creation(t, nil))
	require.NoError(t, err)
	require.Equal(t, created, undone.Change.Sequence)
	tenant, database, servers := standing(t, d)
	require.Nil(t, tenant)
	require.Nil(t, database)
	require.Empty(t, servers)
	_, err = d.Undo(t.Context(), Undo{})
	require.ErrorIs(t, err, ErrNotFound, "nothing is left to undo")

	// The tenant can come back, its URL can't.
	require.Equal(t, undone.By.Sequence, d.mustUndo(t, undone.By.Sequence).Sequence)
	tenant, database, _ = standing(t, d)
	require.Nil(t, tenant.DatabaseURL)
	require.Nil(t, database)
	require.ErrorContains(t, d.undo(t, undone.By.Sequence-1), "it dropped the database of tenant a")
}

// TestACreationIsFoundAmongManyTenants that the same change made.
func TestACreationIsFoundAmongManyTenants(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	var tenants []Tenant
	for i := range maxEntries + 5 {
		tenants = append(tenants, with(local(TenantID(fmt.Sprintf("t%04d", i))), func(t *Tenant) { t.DatabaseURL = nil }))
	}
	d.mustImport(t, fileOf(Document{SyncedAt: noon}, tenants...))
	imported := d.revision(t)
	last := tenants[len(tenants)-1].ID
	require.NoError(t, d.setServer(t.Context(), theServer))
	require.NoError(t, d.PlanDatabase(t.Context(), last, PlannedDatabase{Server: theServer, Name: "sp_last"}))
	found := d.creation(t, &imported)
	require.NotNil(t, found.Database)
	require.Equal(t, last, found.Tenant.ID)
}

// TestACreationThatALaterChangeReliesOnIsNotUndone, nor is a part of it.
func TestACreationThatALaterChangeReliesOnIsNotUndone(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.Registry.options.Command = "sp tenant create --name A"
	mustBegin(t, d)
	mustPublish(t, d, "postgres://u:x@h/sp_a")
	published := d.revision(t)
	_, err := d.CreateProfile(t.Context(), NewProfile{Name: "p", Tenant: ptr(TenantID("a"))})
	require.NoError(t, err)
	require.Nil(t, d.creation(t, nil).Database)
	_, err = d.Undo(t.Context(), d.creation(t, &published))
	require.ErrorIs(t, err, ErrConflict)
	require.ErrorContains(t, err, "created profile p since")
	tenant, database, _ := standing(t, d)
	require.NotNil(t, tenant.DatabaseURL)
	require.Equal(t, Ready, database.State)
}
