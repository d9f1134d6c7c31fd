package server

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// TestARotationIsDoneByNobodyElses: a call that failed is not done because another one took effect, which may
// leave the old login for a day; and one that took effect and could not say so does nothing more.
func TestARotationIsDoneByNobodyElses(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustClosedRegion("iad")
	anna := p.mustUser("anna", MemberRole)
	id := registry.TenantID(anna.mustTenant("shop").ID)
	p.mustReady(string(id))
	who, err := p.admit(t.Context(), "Bearer "+anna.token, bearerScheme, []string{"write", "secrets"})
	require.NoError(t, err)
	rotate := func(key string) *answer {
		return anna.ask("POST", "/api/v1/tenants/"+string(id)+"/rotate-credentials", `{"grace_seconds":0}`, "Idempotency-Key", key)
	}
	publish := func(login registry.DatabaseLogin, password string, grace time.Duration) func(*registry.Registry) error {
		at := p.Now().Add(grace)
		url := secret.New("postgres://sp_x_" + string(login) + ":" + password + "@db.example.org:5432/sp_x")
		return func(reg *registry.Registry) error {
			_, err := reg.PublishCredentials(t.Context(), registry.Credentials{Tenant: id, URL: url, Was: login.Other(), Login: login, RetireAt: &at})
			return err
		}
	}
	const his, mine = "key-of-one-rotation-01", "key-of-one-rotation-02"
	rotate(his).refuses(503, "unavailable")
	rotate(mine).refuses(503, "unavailable")
	require.NoError(t, p.change(t.Context(), publish(registry.LoginB, "of-a-colleague", 24*time.Hour)))
	rotate(his).refuses(503, "unavailable") // again, and not as though it were done

	ctx := context.WithValue(t.Context(), principalKey, who)
	own := call{operation: "credentials.rotate", key: mine, tenant: id}
	require.NoError(t, p.change(ctx, func(reg *registry.Registry) error {
		return p.changeLogin(ctx, reg, own, publish(registry.LoginA, "of-this-call", 0))
	}))
	require.NoError(t, p.change(ctx, func(reg *registry.Registry) error { // what changes no login is no effect
		return p.changeLogin(ctx, reg, call{operation: own.operation, key: his, tenant: id}, func(reg *registry.Registry) error { return nil })
	}))
	rotate(his).refuses(503, "unavailable")
	var done Rotated
	rotate(mine).is(200, &done)
	require.Contains(t, done.InternalURL, "of-this-call")
	require.NoError(t, p.change(t.Context(), publish(registry.LoginB, "of-another", time.Hour)))
	rotate(mine).is(200, &done)
	require.Contains(t, done.InternalURL, "of-another", "what is done is answered from what is there")
}

// TestARotationThatCouldNotSayThatItIsDoneIsDoneOnce, on a real server, and another time where another one came
// between: nobody's password works longer than was asked last.
func TestARotationThatCouldNotSayThatItIsDoneIsDoneOnce(t *testing.T) {
	t.Parallel()
	p, anna, path, _ := mustServe(t)
	rotate := func(body string, headers ...string) string {
		var done Rotated
		anna.ask("POST", path+"/rotate-credentials", body, headers...).is(200, &done)
		return done.InternalURL
	}
	now := []string{"Idempotency-Key", "key-of-a-rotation-0123"}
	forget := func() {
		harness.Mess(t, p.storePath(), "UPDATE calls SET done = 0 WHERE operation = 'credentials.rotate'")
	}
	first := rotate(`{"grace_seconds":0}`, now...)
	forget()
	require.True(t, first == rotate(`{"grace_seconds":0}`, now...), "it was rotated twice")
	colleagues := rotate(`{"grace_seconds":86400}`)
	forget()
	require.False(t, colleagues == rotate(`{"grace_seconds":0}`, now...), "nothing was done")
	for _, old := range []string{first, colleagues} {
		refused, err := provision.Refuses(t.Context(), secret.New(old))
		require.NoError(t, err)
		require.True(t, refused)
	}
}
