package registry

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWhatTheSmallFilesHaveToShow lists, for every kind of change, which of them are due
// with it: the index of the sessions, and those of which profiles.
func TestWhatTheSmallFilesHaveToShow(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	edit := func(e TenantEdit) func(d *desk) error {
		return func(d *desk) error { _, _, err := d.UpdateTenant(ctx, e); return err }
	}
	profile := func(e ProfileEdit) func(d *desk) error {
		return func(d *desk) error { _, err := d.UpdateProfile(ctx, e); return err }
	}
	secrets := func(e SecretEdit) func(d *desk) error { return func(d *desk) error { return editSecrets(d, e) } }
	rename := profile(ProfileEdit{Name: "pa", NewName: ptr("na")})
	for name, c := range map[string]struct {
		do   func(d *desk) error
		want Due
	}{
		"create tenant": {do: func(d *desk) error { _, err := d.CreateTenant(ctx, NewTenant{Tenant: local("c")}); return err }},
		"its name":      {do: edit(TenantEdit{ID: "a", Set: values{"name": sealed("new")}})},
		"its hostname":  {do: edit(TenantEdit{ID: "a", Set: values{"hostname": sealed("h")}})},
		"its URL":       {edit(TenantEdit{ID: "a", Set: values{"database_url": sealed("postgres://u:9@h/d")}}), Due{Profiles: map[string]bool{"pa": true, "qa": true}}},
		"the same URL":  {do: edit(TenantEdit{ID: "a", Set: values{"database_url": local("a").DatabaseURL}})},
		"its token":     {edit(TenantEdit{ID: "b", Set: values{"sync_token": sealed("t")}}), Due{Profiles: map[string]bool{"pb": true}}},
		"rotated":       {func(d *desk) error { _, err := d.RotateSyncToken(ctx, "b"); return err }, Due{Profiles: map[string]bool{"pb": true}}},
		"imported URL": {func(d *desk) error {
			changed := local("b")
			changed.DatabaseURL = sealed("postgres://u:9@h/d")
			_, err := d.ImportTenants(ctx, file(changed))
			return err
		}, Due{Profiles: map[string]bool{"pb": true}}},
		"pruned": {func(d *desk) error {
			i := file(local("a"))
			i.Prune = true
			_, err := d.ImportTenants(ctx, i)
			return err
		}, Due{Profiles: map[string]bool{"pb": true}}},
		"delete tenant": {func(d *desk) error { _, err := d.DeleteTenant(ctx, Deletion{ID: "a"}); return err }, Due{Sessions: true, Profiles: map[string]bool{"pa": true, "qa": true}}},

		"create profile": {func(d *desk) error {
			_, err := d.CreateProfile(ctx, NewProfile{Name: "n", Tenant: ptr(TenantID("a"))})
			return err
		}, Due{Profiles: map[string]bool{"n": true}}},
		"rename":         {rename, Due{Sessions: true, Profiles: map[string]bool{"na": true, "pa": true}, Renamed: map[string]string{"pa": "na"}}},
		"rename, unused": {profile(ProfileEdit{Name: "qa", NewName: ptr("na")}), Due{Profiles: map[string]bool{"na": true, "qa": true}, Renamed: map[string]string{"qa": "na"}}},
		"relink":         {profile(ProfileEdit{Name: "qa", Tenant: ptr(TenantID("b"))}), Due{Profiles: map[string]bool{"qa": true}, Relinked: map[string]TenantID{"qa": "a"}}},
		"delete profile": {func(d *desk) error { _, err := d.DeleteProfile(ctx, "qa", false); return err }, Due{Profiles: map[string]bool{"qa": true}}},
		"set":            {secrets(SecretEdit{Profile: "qa", Put: put("k=2")}), Due{Profiles: map[string]bool{"qa": true}}},
		"set the same":   {do: secrets(SecretEdit{Profile: "pa", Put: put("k=1")})},
		"unset":          {secrets(SecretEdit{Profile: "pa", Unset: []string{"k"}}), Due{Profiles: map[string]bool{"pa": true}}},
		"default":        {func(d *desk) error { return d.SetDefaultProfile(ctx, ptr("qa")) }, Due{Sessions: true}}, // it is of the selection

		"select":          {func(d *desk) error { _, err := d.SelectTenant(ctx, "b"); return err }, Due{Sessions: true}},
		"select the same": {do: func(d *desk) error { _, err := d.SelectTenant(ctx, "a"); return err }},
		"use":             {func(d *desk) error { _, err := d.UseProfile(ctx, "qa"); return err }, Due{Sessions: true}},
		"log in": {func(d *desk) error {
			_, err := d.Authenticate(ctx, Login{Profile: "pa", Authentication: authenticated("n")})
			return err
		}, Due{Sessions: true}},
		"log out":          {func(d *desk) error { _, err := d.EndSession(ctx, "a"); return err }, Due{Sessions: true}},
		"log out, nothing": {do: func(d *desk) error { _, err := d.EndSession(ctx, "b"); return err }},
		"end all":          {func(d *desk) error { _, err := d.EndSessions(ctx); return err }, Due{Sessions: true}},
		"merge": {func(d *desk) error {
			_, err := d.ImportTenants(ctx, Import{Sessions: &SessionsEdit{Put: []Session{session("b", "pb", "t")}}})
			return err
		}, Due{Sessions: true}},
		"nothing": {do: func(d *desk) error { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := mustTwoDesk(t)
			d.mustPut(t, "pa", "k=1")
			d.mustLogin(t, "pa", "tok")
			require.Equal(t, c.want, d.mustDue(t, c.do))
		})
	}
	for name, c := range map[string]struct {
		do   func(d *desk) error
		want Due
	}{
		"set":    {secrets(SecretEdit{Profile: "qa", Put: put("k=2")}), Due{Profiles: map[string]bool{"qa": true}}},
		"URL":    {edit(TenantEdit{ID: "b", Set: values{"database_url": sealed("postgres://u:9@h/d")}}), Due{Profiles: map[string]bool{"pb": true}}},
		"rename": {profile(ProfileEdit{Name: "qa", NewName: ptr("na")}), Due{Profiles: map[string]bool{"na": true, "qa": true}, Renamed: map[string]string{"na": "qa"}}},
	} {
		t.Run("undo "+name, func(t *testing.T) {
			t.Parallel()
			d := mustTwoDesk(t)
			require.NoError(t, c.do(d))
			require.Equal(t, c.want, d.mustDue(t, func(d *desk) error { _, err := d.Undo(ctx, Undo{}); return err }))
		})
	}
}

// mustDue makes a change, and returns what the small files have to show of it.
func (d *desk) mustDue(t *testing.T, do func(d *desk) error) (due Due) {
	t.Helper()
	tx, err := d.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, tx.Do(t.Context(), func(bound *Registry) error { return do(&desk{Registry: bound, path: d.path}) }))
	due = tx.View().Due()
	_, err = tx.Commit()
	require.NoError(t, err)
	require.NoError(t, tx.Close())
	if len(due.Profiles) == 0 {
		due.Profiles = nil
	}
	if len(due.Renamed) == 0 {
		due.Renamed = nil
	}
	if len(due.Relinked) == 0 {
		due.Relinked = nil
	}
	return due
}
