package exporter_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// TestTheRecordIsWrittenAsTheOriginalsTestsHaveIt: T2, T11, T12 and T15, without the
// white space, which the corpus holds to the byte.
func TestTheRecordIsWrittenAsTheOriginalsTestsHaveIt(t *testing.T) {
	t.Parallel()
	url := func(text string) *secret.Secret { return new(secret.New(text)) }
	cloud := registry.NewCloud(registry.CloudParams{ID: "tenant-42", Name: "Acme", AppID: "app-7", Hostname: "acme.fly.dev", Region: "lhr", InternalDatabaseURL: url("postgres://int")})
	cloud.DatabaseURL, cloud.ExternalDBAccess = url("postgres://ext"), true
	for number, c := range map[string]struct {
		tenant registry.Tenant
		want   string
	}{
		"T2 T11": {
			registry.NewLocal("ser-123", "Serialize Me", secret.New("u")),
			`{"id":"ser-123","name":"Serialize Me","database_url":"u","tenant_type":"local","external_db_access":false}`,
		},
		"T12": {
			registry.Tenant{ID: "i", Name: "n", Kind: registry.Local},
			`{"id":"i","name":"n","tenant_type":"local","external_db_access":false}`,
		},
		"T2 T15": {
			cloud, `{"id":"tenant-42","name":"Acme","app_id":"app-7","hostname":"acme.fly.dev","region":"lhr","database_url":"postgres://ext",` +
				`"internal_database_url":"postgres://int","tenant_type":"cloud","external_db_access":true}`,
		},
	} {
		text := mustEncode(t, file{tenants: []registry.Tenant{c.tenant}})
		var compact bytes.Buffer
		require.NoError(t, json.Compact(&compact, []byte(text)))
		require.Contains(t, compact.String(), `{"tenants":[`+c.want+`],"synced_at":"`, number)
		back := mustDecode(t, text)
		require.Len(t, back.tenants, 1, number)
		require.True(t, c.tenant.Equal(back.tenants[0]), number)
	}
}

// TestTheRecordIsReadAsTheOriginalsTestsHaveIt: T1, T3, T13 and T14.
func TestTheRecordIsReadAsTheOriginalsTestsHaveIt(t *testing.T) {
	t.Parallel()
	for number, c := range map[string]struct {
		members string
		want    registry.Tenant
	}{
		"T1 default":   {`"app_id":null`, registry.Tenant{Kind: registry.Local}},
		"T3 local":     {`"tenant_type":"local"`, registry.Tenant{Kind: registry.Local}},
		"T3 T13 cloud": {`"tenant_type":"cloud"`, registry.Tenant{Kind: registry.Cloud}},
		"T14 optionals": {
			`"tenant_type":"cloud","app_id":"app","hostname":"h","region":"fra","database_url":"u"`,
			registry.Tenant{Kind: registry.Cloud, AppID: new("app"), Hostname: new("h"), Region: new("fra"), DatabaseURL: new(secret.New("u"))},
		},
	} {
		c.want.ID, c.want.Name = "a", "n"
		f := mustDecode(t, withTenant(c.members))
		require.Len(t, f.tenants, 1, number)
		require.Empty(t, c.want.Differing(f.tenants[0]), number)
	}
	require.Contains(t, refusal(t, withTenant(`"tenant_type":"Cloud"`)).Problem, "tenant_type", "T3 is exact")
}

// TestAStoreGoesRound: T23, T24 and T25.
func TestAStoreGoesRound(t *testing.T) {
	t.Parallel()
	one := mustEncode(t, mustDecode(t, `{"tenants":[{"id":"t1","name":"n"}],`+at10+`}`))
	for _, part := range []string{`"tenants": [`, `"synced_at": "2026-02-01T10:00:00Z"`, `"id": "t1"`} {
		require.Contains(t, one, part, "T23")
	}
	two := mustDecode(t, `{"synced_at":"2024-01-15T12:00:00Z","tenants":[{"id":"t1","name":"a"},{"id":"t2","name":"b","tenant_type":"cloud"}]}`)
	require.Equal(t, registry.TenantID("t1"), two.tenants[0].ID, "T24")
	require.Equal(t, registry.TenantID("t2"), two.tenants[1].ID)
	require.Equal(t, "2024-01-15T12:00:00Z", registry.FormatTime(two.doc.SyncedAt))
	again := mustDecode(t, mustEncode(t, two))
	require.Len(t, again.tenants, 2, "T25")
	for i := range two.tenants {
		require.True(t, two.tenants[i].Equal(again.tenants[i]), "T25")
	}
	require.True(t, two.doc.SyncedAt.Equal(again.doc.SyncedAt))
}
