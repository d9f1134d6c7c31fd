package registry

import (
	"testing"
	"time"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

// The T numbers are those of the original's test cases; cmd/sp has a list of those that
// are proved nowhere. What is bytes is in the exporter.

const (
	plain  = "postgres://u:pw@h:5432/d"
	masked = "postgres://u:***@h:5432/d"
)

func cloud(url, token *secret.Secret) Tenant {
	return NewCloud(CloudParams{
		ID: "c", Name: "Cloud", AppID: "app", Hostname: "h.example", Region: "iad",
		InternalDatabaseURL: url, SyncToken: token,
	})
}

func TestT4ToT8T26ConstructorsFillWhatTheySay(t *testing.T) {
	t.Parallel()
	requireTenants(t, []Tenant{ // T6, T26; T4 and T5 have no constructor here: a tenant without a URL is a literal
		{ID: "i", Name: "n", Kind: Local, DatabaseURL: sealed(plain)},
		{ID: "i", Name: "n", Kind: Local, DatabaseURL: sealed(plain), SharedContainerDB: ptr("shared")},
	}, []Tenant{
		NewLocal("i", "n", secret.New(plain)),
		NewLocalShared("i", "n", secret.New(plain), "shared"),
	})
	requireTenants(t, []Tenant{{ // T7
		ID: "c", Name: "Cloud", Kind: Cloud, AppID: ptr("app"), Hostname: ptr("h.example"), Region: ptr("iad"),
		InternalDatabaseURL: sealed(plain), SyncToken: sealed("token"),
	}}, []Tenant{cloud(sealed(plain), sealed("token"))})
	// T8 differs on purpose: as the playbook prints it, new_cloud demands app_id,
	// hostname and region; only the URL and the token may be absent.
	bare := NewCloud(CloudParams{ID: "c", Name: "n"})
	requireTenants(t, []Tenant{{ID: "c", Name: "n", Kind: Cloud, AppID: ptr(""), Hostname: ptr(""), Region: ptr("")}}, []Tenant{bare})
	// T5: what is empty is constructed; it is refused where it would be stored.
	require.Empty(t, NewLocal("", "", secret.Secret{}).Name)
}

func TestT10T36HasDatabaseURLByType(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		tenant Tenant
		want   bool
	}{
		"T10 local with":                {NewLocal("i", "n", secret.New(plain)), true},
		"T10 local without":             {Tenant{Kind: Local}, false},
		"T10 local empty":               {NewLocal("i", "n", secret.New("")), false},
		"T36 cloud internal":            {cloud(sealed(plain), nil), true},
		"T36 cloud internal empty":      {cloud(sealed(""), nil), false},
		"cloud without":                 {cloud(nil, nil), false},
		"cloud with database_url only":  {Tenant{Kind: Cloud, DatabaseURL: sealed(plain)}, false},
		"local with internal only":      {Tenant{Kind: Local, InternalDatabaseURL: sealed(plain)}, false},
		"local masked is a URL as well": {NewLocal("i", "n", secret.New(masked)), true},
	} {
		require.Equal(t, c.want, c.tenant.HasDatabaseURL(), what)
	}
}

func TestT20T21StaleIsStrictlyOlder(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for what, c := range map[string]struct {
		age, limit time.Duration
		want       bool
	}{
		"T20 fresh":           {0, time.Hour, false},
		"T20 2 h":             {2 * time.Hour, time.Hour, true},
		"T20 59 min":          {59 * time.Minute, time.Hour, false},
		"T21 7 days, 1 day":   {7 * day, day, true},
		"T21 7 days, 30 days": {7 * day, 30 * day, false},
		"exactly the limit":   {day, day, false},
		"1 ns more":           {day + 1, day, true},
		"in the future":       {-365 * day, time.Hour, false},
		"no limit left":       {1, 0, true},
	} {
		doc := Document{SyncedAt: noon}
		require.Equal(t, c.want, doc.IsStale(noon.Add(c.age), c.limit), what)
		require.Equal(t, c.want, doc.IsStale(noon.Add(c.age).In(time.FixedZone("", 7200)), c.limit), what)
	}
}

func TestT33Masked(t *testing.T) {
	t.Parallel()
	// T33: three stars, eight, none, no URL
	require.True(t, cloud(sealed("postgres://u:***@h/d"), nil).IsDatabaseURLMasked())
	require.True(t, cloud(sealed("postgres://u:********@h/d"), nil).IsDatabaseURLMasked())
	require.False(t, cloud(sealed(plain), nil).IsDatabaseURLMasked())
	require.False(t, cloud(nil, nil).IsDatabaseURLMasked())
	require.True(t, NewLocal("i", "n", secret.New(masked)).IsDatabaseURLMasked(), "a local tenant's own URL")
	require.False(t, Tenant{Kind: Cloud, DatabaseURL: sealed(masked)}.IsDatabaseURLMasked(), "not a cloud tenant's own URL")
}

func TestT34MissingCredentials(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		tenant Tenant
		want   bool
	}{
		"T34 cloud masked":           {cloud(sealed(masked), sealed("token")), true},
		"T34 cloud real":             {cloud(sealed(plain), sealed("token")), false},
		"T34 local masked":           {NewLocal("i", "n", secret.New(masked)), false},
		"T34 cloud without token":    {cloud(sealed(plain), nil), true},
		"empty token is a token":     {cloud(sealed(plain), sealed("")), false},
		"cloud, neither":             {cloud(nil, nil), true},
		"local, neither":             {Tenant{Kind: Local}, false},
		"database_url masked is not": {Tenant{Kind: Cloud, DatabaseURL: sealed(masked), InternalDatabaseURL: sealed(plain), SyncToken: sealed("t")}, false},
		// Differs on purpose: without any internal URL nothing can be resolved, so the
		// credentials are missing (DESIGN.md, section 2); the original says false.
		"T34 cloud without URL": {cloud(nil, sealed("token")), true},
	} {
		require.Equal(t, c.want, c.tenant.HasMissingCredentials(), what)
	}
	require.True(t, cloud(sealed(plain), nil).IsSyncTokenMissing())
	require.False(t, cloud(sealed(plain), sealed("")).IsSyncTokenMissing())
	require.False(t, Tenant{Kind: Local}.IsSyncTokenMissing())
}

// T35, and what is neither is none of both.
func TestT35KindsExcludeEachOther(t *testing.T) {
	t.Parallel()
	for kind, is := range map[Kind][2]bool{Local: {true, false}, Cloud: {false, true}, "Local": {false, false}, "": {false, false}} {
		require.Equal(t, is, [2]bool{Tenant{Kind: kind}.IsLocal(), Tenant{Kind: kind}.IsCloud()}, kind)
	}
}

func TestOwnURLIsTheOneOfTheType(t *testing.T) {
	t.Parallel()
	both := Tenant{Kind: Local, DatabaseURL: sealed("local"), InternalDatabaseURL: sealed("internal")}
	require.Equal(t, "local", both.OwnURL().Reveal())
	both.Kind = Cloud
	require.Equal(t, "internal", both.OwnURL().Reveal())
	require.Nil(t, Tenant{Kind: Cloud, DatabaseURL: sealed("x")}.OwnURL())
}

func TestDifferingNamesTheMembersInTheirOrder(t *testing.T) {
	t.Parallel()
	a := Tenant{ID: "i", Name: "n", Kind: Local}
	b := Tenant{
		ID: "j", Name: "m", Kind: Cloud, AppID: ptr(""), Hostname: ptr(""), Region: ptr(""), DatabaseURL: sealed(""),
		InternalDatabaseURL: sealed(""), ExternalDBAccess: true, SyncToken: sealed(""), SharedContainerDB: ptr(""), Unknown: NewUnknown(`"x":1`),
	}
	all := []string{
		"id", "name", "app_id", "hostname", "region", "database_url", "internal_database_url",
		"tenant_type", "external_db_access", "sync_token", "shared_container_db", "x",
	}
	require.Equal(t, all, a.Differing(b))
	require.Equal(t, all, b.Differing(a))
	require.Empty(t, a.Differing(a))
	require.True(t, b.Equal(b))
	require.False(t, a.Equal(b))
	require.Equal(t, "i (n)", a.String())
}
