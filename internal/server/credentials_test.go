package server

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// TestAFileOfTheControlPlanesMachineIsInNoURL that is answered, where a region's URL names one.
func TestAFileOfTheControlPlanesMachineIsInNoURL(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustRegion("iad", "db.example.org")
	anna := p.mustUser("anna", MemberRole)
	made := anna.mustTenant("shop")
	url := secret.New("postgres://sp_x_a:canary-" + made.ID + "@db.example.org:5432/sp_x?sslmode=verify-full&sslrootcert=/etc/ca.pem")
	require.NoError(t, p.change(t.Context(), func(reg *registry.Registry) error {
		_, err := reg.PublishCredentials(t.Context(), registry.Credentials{Tenant: registry.TenantID(made.ID), URL: url, Login: registry.LoginA})
		return err
	}))
	var found Credentials
	anna.ask("GET", "/api/v1/tenants/"+made.ID+"/credentials", "").is(200, &found)
	require.True(t, strings.HasSuffix(found.InternalURL, "@db.example.org:5432/sp_x?sslmode=verify-full"))
}

// TestATenantThatIsBeingDeletedGetsNothingNew: it would only be found that nothing came of it. Its sync token
// is there still where a process died before it ended that.
func TestATenantThatIsBeingDeletedGetsNothingNew(t *testing.T) {
	t.Parallel()
	p, syncing, files, _ := mustSync(t)
	root, path := p.mustUser("root", AdminRole), strings.TrimSuffix(files, "/files")
	require.NoError(t, p.change(t.Context(), func(reg *registry.Registry) error { return reg.DropDatabase(t.Context(), idIn(path)) }))
	before := revisionOf(p)
	text, _ := mustArchive(t, "services/a", "a")
	syncing.ask("PUT", files, text, "Content-Type", archiveType, "If-Match", archive.Manifest{}.ETag()).refuses(409, "conflict")
	root.ask("POST", path+"/rotate-sync-token", "").refuses(409, "conflict")
	root.ask("POST", path+"/rotate-sync-token", "", "Idempotency-Key", "key-of-a-sync-token-01").refuses(409, "conflict")
	root.ask("PUT", path+"/external-db-access", `{"enabled":true}`).refuses(409, "conflict")
	root.ask("PATCH", path, `{"name":"store"}`, "If-Match", "*").refuses(409, "conflict")
	require.Equal(t, before, revisionOf(p))
	syncing.ask("GET", files, "").is(200)
	root.ask("DELETE", path, "").is(204)
	syncing.ask("GET", files, "").refuses(401, "unauthenticated")
}

// TestASyncTokenWhoseTenantGoesLeavesThoseOfOthers: two are made at once, and between the making of one and
// the look behind it much can happen.
func TestASyncTokenWhoseTenantGoesLeavesThoseOfOthers(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		meanwhile string // what somebody does to the registry
		wants     error
	}{
		"it goes":              {"UPDATE databases SET state = 'dropping'", errDeleted},
		"it stays, and no use": {"SELECT 1", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := mustPlane(t)
			p.mustRegion("iad", "db.example.org")
			mallory, id := p.mustGrant(p.mustUser("anna", MemberRole))
			who, err := p.admit(t.Context(), "Bearer "+mallory.token, bearerScheme, []string{"write", "secrets"})
			require.NoError(t, err)
			asked := context.WithValue(t.Context(), principalKey, who)
			store, other := harness.OpenSQLite(t, p.storePath()), harness.OpenSQLite(t, p.registryPath())
			kept := func() []string { // the hashes of the tenant's sync tokens
				hashes, err := harness.Column(store, "SELECT hash FROM tokens WHERE tenant_id IS NOT NULL")
				assert.NoError(t, err)
				return hashes
			}
			_, err = other.ExecContext(t.Context(), "BEGIN EXCLUSIVE")
			require.NoError(t, err)
			came := make(chan error, 1)
			go func() {
				_, err := p.newSyncToken(asked, id)
				came <- err
			}()
			require.Eventually(t, func() bool { return len(kept()) == 1 }, 10*time.Second, time.Millisecond)
			first := kept()
			_, row, err := p.newToken(secret.SyncToken)
			require.NoError(t, err)
			tenant := string(id)
			row.Kind, row.TenantID = syncKind, &tenant
			require.NoError(t, p.db.Write(t.Context(), func(q *rows.Queries) error {
				return errors.Join(q.RevokeUser(t.Context(), mallory.user.ID), q.DeleteSyncToken(t.Context(), &tenant), q.InsertToken(t.Context(), row))
			}))
			require.NotEqual(t, first, kept())
			_, err = other.ExecContext(t.Context(), one.meanwhile)
			require.NoError(t, err)
			_, err = other.ExecContext(t.Context(), "COMMIT")
			require.NoError(t, errors.Join(err, other.Close()))
			require.ErrorIs(t, <-came, one.wants)
			require.Equal(t, []string{row.Hash}, kept(), "somebody was just answered with it")
		})
	}
}
