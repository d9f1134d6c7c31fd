package registry

import (
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

var theServer = Server{Name: "h:5432", Provider: Elsewhere, Admin: secret.New("postgres://admin:pw@h/postgres")}

// mustBegin creates tenant a, whose database is begun.
func mustBegin(t *testing.T, d *desk) {
	t.Helper()
	require.NoError(t, d.setServer(t.Context(), theServer))
	_, err := d.CreateTenant(t.Context(), NewTenant{
		Tenant: Tenant{ID: "a", Name: "A", Kind: Local}, Database: &PlannedDatabase{Server: theServer, Name: "sp_a"},
	})
	require.NoError(t, err)
}

func mustPublish(t *testing.T, d *desk, url string) {
	t.Helper()
	_, err := d.PublishCredentials(t.Context(), Credentials{Tenant: "a", URL: secret.New(url), Login: LoginA})
	require.NoError(t, err)
}

// standing is what the registry knows of tenant a and its database, the file opened anew.
func standing(t *testing.T, d *desk) (*Tenant, *Database, []Server) {
	t.Helper()
	require.NoError(t, d.Close())
	reopened, err := Open(t.Context(), d.path, d.options())
	require.NoError(t, err)
	d.Registry = reopened
	view, err := d.View(t.Context())
	require.NoError(t, err)
	defer view.Close()
	database, err := view.Database(t.Context(), "a")
	require.NoError(t, err)
	servers, err := view.Servers(t.Context())
	require.NoError(t, err)
	tenant, err := view.Tenant(t.Context(), "a")
	if err != nil {
		require.ErrorIs(t, err, ErrNotFound)
		return nil, database, servers
	}
	return &tenant, database, servers
}

func TestADatabaseIsRecordedBeforeItIsMade(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	mustBegin(t, d)
	tenant, database, servers := standing(t, d)
	require.Nil(t, tenant.DatabaseURL)
	require.Equal(t, &Database{Tenant: "a", State: Provisioning, Server: "h:5432", Name: "sp_a", Login: LoginA}, database)
	require.Len(t, servers, 1)
	require.True(t, servers[0].Admin.Equal(theServer.Admin))

	mustPublish(t, d, "postgres://sp_a_a:x@h/sp_a")
	tenant, database, _ = standing(t, d)
	require.True(t, tenant.DatabaseURL.Equal(secret.New("postgres://sp_a_a:x@h/sp_a")))
	require.Equal(t, Ready, database.State)
}

func TestATenantHasOneDatabase(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	mustBegin(t, d)
	plan := func(id TenantID) error {
		return d.PlanDatabase(t.Context(), id, PlannedDatabase{Server: theServer, Name: "sp_other"})
	}
	require.ErrorIs(t, plan("a"), ErrExists)
	require.ErrorIs(t, plan("nobody"), ErrNotFound)
	for _, tenant := range []Tenant{
		NewLocal("has", "has", secret.New("postgres://u:p@h/d")),
		NewCloud(CloudParams{ID: "cloud", Name: "cloud", AppID: "x", Hostname: "x", Region: "iad"}),
		{ID: "pending", Name: "pending", Kind: Local},
	} {
		_, err := d.CreateTenant(t.Context(), NewTenant{Tenant: tenant})
		require.NoError(t, err)
	}
	require.ErrorIs(t, plan("has"), ErrExists)
	require.ErrorIs(t, plan("cloud"), ErrInvalid)
	require.NoError(t, plan("pending"))
}

func TestARotatedURLIsKeptNowhere(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	mustBegin(t, d)
	mustPublish(t, d, "postgres://sp_a_a:first@h/sp_a")
	at := noon.Add(10 * time.Minute).Truncate(time.Microsecond)
	_, err := d.PublishCredentials(t.Context(), Credentials{Tenant: "a", URL: secret.New("postgres://sp_a_b:second@h/sp_a"), Login: LoginB, RetireAt: &at})
	require.NoError(t, err)
	_, database, _ := standing(t, d)
	require.Equal(t, LoginB, database.Login)
	require.True(t, at.Equal(*database.RetireAt))

	_, err = d.Undo(t.Context(), Undo{})
	var revoked *irreversibleError
	require.ErrorAs(t, err, &revoked)
	requireNoTrace(t, d, "first")

	require.NoError(t, d.RetiredLogin(t.Context(), "a"))
	_, database, _ = standing(t, d)
	require.Nil(t, database.RetireAt)
}

// requireNoTrace holds that a text is nowhere in the file.
func requireNoTrace(t *testing.T, d *desk, text string) {
	t.Helper()
	view, err := d.View(t.Context())
	require.NoError(t, err)
	defer view.Close()
	kept, err := view.KeptSecrets(t.Context())
	require.NoError(t, err)
	require.Zero(t, kept.Secrets, "%s may be one of them", text)
}

func TestATenantIsNotDeletedBeforeItsDatabase(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	mustBegin(t, d)
	mustPublish(t, d, "postgres://sp_a_a:x@h/sp_a")
	require.NoError(t, d.DropDatabase(t.Context(), "a"))
	_, database, _ := standing(t, d)
	require.Equal(t, Dropping, database.State)
	_, err := d.PublishCredentials(t.Context(), Credentials{Tenant: "a", URL: secret.New("postgres://u:y@h/sp_a"), Login: LoginB})
	require.ErrorIs(t, err, ErrConflict, "a rotation meanwhile")

	_, err = d.DeleteTenant(t.Context(), Deletion{ID: "a"})
	require.ErrorIs(t, err, ErrInUse)
	_, err = d.DeleteTenant(t.Context(), Deletion{ID: "a", Dropped: true})
	require.NoError(t, err)
	tenant, database, servers := standing(t, d)
	require.Nil(t, tenant)
	require.Nil(t, database)
	require.Empty(t, servers, "nothing of it is needed any more")
	_, err = d.Undo(t.Context(), Undo{})
	var revoked *irreversibleError
	require.ErrorAs(t, err, &revoked, "the database is gone")
}

func TestADatabaseThatIsLeftCanBeHadBack(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	mustBegin(t, d)
	mustPublish(t, d, "postgres://sp_a_a:x@h/sp_a")
	_, err := d.DeleteTenant(t.Context(), Deletion{ID: "a", Left: true})
	require.NoError(t, err)
	_, err = d.Undo(t.Context(), Undo{})
	require.NoError(t, err)
	tenant, database, _ := standing(t, d)
	require.True(t, tenant.DatabaseURL.Equal(secret.New("postgres://sp_a_a:x@h/sp_a")))
	require.Nil(t, database, "it is adopted from here on")
}

func TestADatabaseIsRememberedWithoutItsTenant(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	mustBegin(t, d)
	_, err := d.Undo(t.Context(), Undo{})
	require.NoError(t, err)
	tenant, database, servers := standing(t, d)
	require.Nil(t, tenant)
	require.NotNil(t, database)
	require.Len(t, servers, 1)
	require.NoError(t, d.ForgetDatabase(t.Context(), "a"))
	_, database, servers = standing(t, d)
	require.Nil(t, database)
	require.Empty(t, servers)
}

func TestAServerIsKeptWhileItIsChosenOrOurs(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	own := Server{Name: "local", Provider: LocalPrograms, Admin: secret.New("postgres://sp_admin:pw@127.0.0.1:5433/postgres")}
	chosen, other := theServer, theServer
	chosen.Chosen, other.Chosen, other.Name = true, true, "other:5432"
	for _, s := range []Server{own, chosen, other} {
		require.NoError(t, d.setServer(t.Context(), s))
	}
	_, _, servers := standing(t, d)
	require.Equal(t, []bool{false, false, true}, []bool{servers[0].Chosen, servers[1].Chosen, servers[2].Chosen}, "one is chosen")
	require.NoError(t, d.ChooseNoServer(t.Context()))
	_, _, servers = standing(t, d)
	require.Len(t, servers, 1)
	require.Equal(t, "local", servers[0].Name)
	require.ErrorIs(t, d.setServer(t.Context(), Server{Name: "x", Provider: Elsewhere, Admin: secret.New("mysql://x")}), pgurl.ErrInvalid)
	at, err := ServerAt(secret.New("postgres://admin:pw@DB.example:6000/postgres"))
	require.NoError(t, err)
	require.Equal(t, "DB.example:6000", at.Name)
}

func TestAnAdoptedPasswordIsRecordedBeforeItIsChanged(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	_, err := d.CreateTenant(t.Context(), NewTenant{Tenant: NewLocal("a", "A", secret.New("postgres://u:first@h/d"))})
	require.NoError(t, err)
	next := map[TenantID]secret.Secret{"a": secret.New("postgres://u:second@h/d")}
	require.NoError(t, d.PlanRotation(t.Context(), next))
	require.ErrorIs(t, d.PlanRotation(t.Context(), next), ErrExists)
	planned := func() *secret.Secret {
		view, err := d.View(t.Context())
		require.NoError(t, err)
		defer view.Close()
		url, err := view.Rotation(t.Context(), "a")
		require.NoError(t, err)
		return url
	}
	require.True(t, planned().Equal(next["a"]))
	tenant, _, _ := standing(t, d)
	require.True(t, tenant.DatabaseURL.Equal(secret.New("postgres://u:first@h/d")), "until it is changed")

	require.NoError(t, d.EndRotation(t.Context(), []TenantID{"a"}, true))
	tenant, _, _ = standing(t, d)
	require.True(t, tenant.DatabaseURL.Equal(next["a"]))
	require.Nil(t, planned())
	requireNoTrace(t, d, "first")
	require.ErrorIs(t, d.EndRotation(t.Context(), []TenantID{"a"}, true), ErrConflict)

	require.NoError(t, d.PlanRotation(t.Context(), map[TenantID]secret.Secret{"a": secret.New("postgres://u:third@h/d")}))
	require.NoError(t, d.EndRotation(t.Context(), []TenantID{"a"}, false))
	tenant, _, _ = standing(t, d)
	require.True(t, tenant.DatabaseURL.Equal(next["a"]), "the server kept its password")
	require.NoError(t, d.PlanRotation(t.Context(), map[TenantID]secret.Secret{"a": secret.New("postgres://u:third@h/d")}))
	_, err = d.DeleteTenant(t.Context(), Deletion{ID: "a"})
	require.NoError(t, err, "a plan holds nobody")
}

// TestAPlannedPasswordFollowsItsRole to where its tenant's URL leads then: the server may have
// been told of it already.
func TestAPlannedPasswordFollowsItsRole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, planned string }{
		{"postgres://u:first@direct:6432/d?sslmode=disable", "postgres://u:planned@direct:6432/d?sslmode=disable"},
		{"postgres://u:other@h/d", "postgres://u:planned@h/d"},
		{"postgres://h/d?user=u&password=first", "postgres://:planned@h/d?user=u"},
		{"postgres://u:planned@h/d", ""},
		{"postgres://somebody:first@h/d", ""},
		{"", ""},
	} {
		t.Run(c.url, func(t *testing.T) {
			t.Parallel()
			d := mustDesk(t)
			_, err := d.CreateTenant(t.Context(), NewTenant{Tenant: NewLocal("a", "A", secret.New("postgres://u:first@h/d"))})
			require.NoError(t, err)
			require.NoError(t, d.PlanRotation(t.Context(), map[TenantID]secret.Secret{"a": secret.New("postgres://u:planned@h/d")}))
			url := sealed(c.url)
			if c.url == "" {
				url = nil
			}
			_, _, err = d.UpdateTenant(t.Context(), TenantEdit{ID: "a", Set: values{"database_url": url}})
			require.NoError(t, err)
			view, err := d.View(t.Context())
			require.NoError(t, err)
			defer view.Close()
			planned, err := view.Rotation(t.Context(), "a")
			require.NoError(t, err)
			if c.planned == "" {
				require.Nil(t, planned)
				return
			}
			require.NotNil(t, planned)
			require.Equal(t, c.planned, planned.Reveal())
		})
	}
}

// A backup is older than what has been made since; that must not be forgotten.
func TestARestoreForgetsNoDatabase(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	d.mustTenant(t, "b")
	require.NoError(t, d.Close())
	backup := mustBackup(t, d)
	standing(t, d) // opens it again
	mustBegin(t, d)
	require.NoError(t, d.Close())
	_, err := restore(t, d.path, d.options(), backup)
	require.NoError(t, err)
	reopened, err := Open(t.Context(), d.path, d.options())
	require.NoError(t, err)
	d.Registry = reopened
	tenant, database, servers := standing(t, d)
	require.Nil(t, tenant)
	require.Equal(t, "sp_a", database.Name)
	require.Len(t, servers, 1)
}

func TestTheServerThatIsPlannedFirstIsTheOneThatIsMade(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	first := Server{Name: "local", Provider: LocalPrograms, Admin: secret.New("postgres://sp_admin:one@127.0.0.1:5433/postgres")}
	second := first
	second.Admin = secret.New("postgres://sp_admin:two@127.0.0.1:5434/postgres")
	for _, s := range []Server{first, second} {
		planned, err := d.PlanServer(t.Context(), s)
		require.NoError(t, err)
		require.True(t, first.Admin.Equal(planned.Admin))
	}
	_, _, servers := standing(t, d)
	require.True(t, first.Admin.Equal(servers[0].Admin))
	_, err := d.PlanServer(t.Context(), Server{Name: "x", Provider: LocalPrograms, Admin: secret.New("mysql://x")})
	require.ErrorIs(t, err, pgurl.ErrInvalid)
}

func TestAServerThatMovesTakesItsTenantsAlong(t *testing.T) {
	t.Parallel()
	d := mustDesk(t)
	own := Server{Name: "local", Provider: LocalPrograms, Admin: secret.New("postgres://sp_admin:pw@127.0.0.1:5433/postgres")}
	require.NoError(t, d.setServer(t.Context(), own))
	for id, url := range map[TenantID]string{
		"a": "postgres://sp_a_a:x@127.0.0.1:5433/sp_a", "edited": "postgres://other:y@elsewhere/sp_edited", "pending": "",
	} {
		_, err := d.CreateTenant(t.Context(), NewTenant{
			Tenant: Tenant{ID: id, Name: string(id), Kind: Local}, Database: &PlannedDatabase{Server: own, Name: "sp_" + string(id)},
		})
		require.NoError(t, err)
		if url != "" {
			_, err = d.PublishCredentials(t.Context(), Credentials{Tenant: id, URL: secret.New(url), Login: LoginA})
			require.NoError(t, err)
		}
	}
	there := secret.New("postgres://sp_admin:pw@127.0.0.1:6000/postgres")
	moved, err := d.MoveServer(t.Context(), "local", there)
	require.NoError(t, err)
	require.Equal(t, []TenantID{"a"}, moved)
	tenant, _, servers := standing(t, d)
	require.True(t, tenant.DatabaseURL.Equal(secret.New("postgres://sp_a_a:x@127.0.0.1:6000/sp_a")))
	require.True(t, servers[0].Admin.Equal(there))
	view, err := d.View(t.Context())
	require.NoError(t, err)
	defer view.Close()
	edited, err := view.Tenant(t.Context(), "edited")
	require.NoError(t, err)
	require.True(t, edited.DatabaseURL.Equal(secret.New("postgres://other:y@elsewhere/sp_edited")), "it leads elsewhere")
	_, err = d.MoveServer(t.Context(), "docker", there)
	require.ErrorIs(t, err, ErrNotFound)
}
