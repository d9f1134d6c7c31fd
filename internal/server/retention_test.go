package server

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// mustServe has a region on a real server, and a tenant there that is ready.
func mustServe(t *testing.T) (p *plane, anna *client, path string, url secret.Secret) {
	t.Helper()
	admin := pgtest.Server(t)
	p = mustPlane(t)
	p.Random = rand.Reader // the server is the others', too, so names have to differ
	_, _, err := p.AddRegion(t.Context(), "iad", admin)
	require.NoError(t, err)
	anna = p.mustUser("anna", MemberRole)
	id := anna.mustTenant("shop").ID
	path = "/api/v1/tenants/" + id
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		anna.askIn(ctx, "DELETE", path, "").is(204)
		jobs, _, err := p.due(ctx)
		require.NoError(t, err)
		for _, j := range jobs {
			p.try(ctx, j)
		}
	})
	p.mustDo()
	var shown Credentials
	anna.ask("GET", path+"/credentials", "").is(200, &shown)
	return p, anna, path, secret.New(shown.InternalURL)
}

func idIn(path string) registry.TenantID {
	return registry.TenantID(strings.TrimPrefix(path, "/api/v1/tenants/"))
}

// TestALiveDatabaseIsNotDroppedByOldRows: the cancellation is from a backup, and was taken back since.
func TestALiveDatabaseIsNotDroppedByOldRows(t *testing.T) {
	t.Parallel()
	p, anna, path, url := mustServe(t)
	id := idIn(path)
	over := p.clock.Now().Add(-time.Hour).UnixMicro()
	require.NoError(t, p.db.Write(t.Context(), func(q *rows.Queries) error {
		return q.PutCancellation(t.Context(), rows.PutCancellationParams{TenantID: string(id), DeleteAt: &over, Applied: true})
	}))
	p.mustDo()
	_, err := provision.Check(t.Context(), url)
	require.NoError(t, err, "it is live")
	require.Contains(t, string(mustEvents(p, path)), "kept for 7 more days")
	acts, err := p.Acts(t.Context(), ActsAsked{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, "tenant.keep", acts[0].Action)
	var now data[Tenant]
	anna.ask("GET", path, "").is(200, &now)
	require.Equal(t, suspended, now.Data.Status)

	p.mustDo() // it is made read-only
	require.Equal(t, []string{"on"}, pgtest.Exec(t, url, "SHOW default_transaction_read_only"))
	pgtest.Exec(t, url, "SET default_transaction_read_only TO off", "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' RESET ALL'; END $$")
	p.clock.pass(7*24*time.Hour - time.Minute)
	p.mustRest(lookEvery)
	p.clock.pass(time.Minute)
	p.mustDo() // and then deleted, though the tenant has it be written: that keeps nothing
	anna.ask("GET", path, "").is(200, &now)
	require.Equal(t, deleted, now.Data.Status)
	anna.ask("POST", path+"/subscription/cancel", "").refuses(409, "conflict")
	anna.ask("DELETE", path, "").is(204)
}

// TestADatabaseThatWasNeverReadOnlyIsKept: its region did not answer for as long as it was retained. What
// is taken back is live again.
func TestADatabaseThatWasNeverReadOnlyIsKept(t *testing.T) {
	t.Parallel()
	p, anna, path, url := mustServe(t)
	anna.ask("POST", path+"/subscription/cancel", "").is(200)
	p.clock.pass(8 * 24 * time.Hour)
	p.mustDo()
	p.mustDo()
	anna.ask("PATCH", path, `{}`, "If-Match", "*").is(200)
	p.mustDo()
	pgtest.Exec(t, url, "CREATE TABLE t (n int)")
	p.mustRest(lookEvery)
	subject, err := p.on(t.Context(), idIn(path))
	require.NoError(t, err)
	live, err := p.machine(func(string) {}).IsLive(t.Context(), subject)
	require.NoError(t, err)
	require.True(t, live)
}

// TestACancellationThatWasLostIsTakenBack: both files are from a backup of before, and the database is
// read-only since. What edits something else asks no server.
func TestACancellationThatWasLostIsTakenBack(t *testing.T) {
	t.Parallel()
	p, anna, path, url := mustServe(t)
	anna.ask("POST", path+"/subscription/cancel", "").is(200)
	p.mustDo()
	require.Equal(t, []string{"on"}, pgtest.Exec(t, url, "SHOW default_transaction_read_only"))
	require.NoError(t, p.db.Write(t.Context(), func(q *rows.Queries) error { return q.DeleteCancellation(t.Context(), string(idIn(path))) }))
	anna.ask("PATCH", path, `{"name":"store"}`, "If-Match", "*").is(200)
	p.mustRest(lookEvery)
	undo := func() {
		anna.ask("PATCH", path, `{}`, "If-Match", "*").is(200)
		p.mustDo()
		require.Equal(t, []string{"off"}, pgtest.Exec(t, url, "SHOW default_transaction_read_only"))
		p.mustRest(lookEvery)
	}
	undo()
}
