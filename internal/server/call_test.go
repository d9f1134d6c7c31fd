package server

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/registry"
)

// TestAKeyWhoseEndWasNotWrittenIsFreeAgain: the disk was full, and is not any more.
func TestAKeyWhoseEndWasNotWrittenIsFreeAgain(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustClosedRegion("iad")
	anna := p.mustUser("anna", MemberRole)
	id := anna.mustTenant("shop").ID
	p.mustReady(id)
	for range atOnce {
		p.rotating <- struct{}{}
	}
	const key = "key-of-a-rotation-0123"
	rotate := func() *answer {
		return anna.ask("POST", "/api/v1/tenants/"+id+"/rotate-credentials", "", "Idempotency-Key", key)
	}
	came := make(chan *answer, 1)
	go func() { came <- rotate() }()
	anna.inHand(key)
	rotate().refuses(409, "busy")
	p.mustBeFull(true)
	for range atOnce {
		<-p.rotating
	}
	(<-came).refuses(503, "unavailable") // its region does not answer
	p.mustBeFull(false)
	rotate().refuses(503, "unavailable")
}

// mustBeFull has no call be written from now on, as on a full disk, or ends that.
func (p *plane) mustBeFull(full bool) {
	p.t.Helper()
	statements := []string{"DROP TRIGGER IF EXISTS full_calls", "DROP TRIGGER IF EXISTS full_audit"}
	if full {
		statements = []string{
			"CREATE TRIGGER full_calls BEFORE UPDATE ON calls BEGIN SELECT RAISE(ABORT, 'full'); END",
			"CREATE TRIGGER full_audit BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END",
		}
	}
	harness.Mess(p.t, p.storePath(), statements...)
}

// TestRotationsOfOneTenantKeepNobodyElseWaiting, and who has gone waits no more.
func TestRotationsOfOneTenantKeepNobodyElseWaiting(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	p.mustClosedRegion("iad")
	anna := p.mustUser("anna", MemberRole)
	shop, blog := registry.TenantID(anna.mustTenant("shop").ID), registry.TenantID(anna.mustTenant("blog").ID)
	p.mustReady(string(shop))
	p.mustReady(string(blog))
	who, err := p.admit(t.Context(), "Bearer "+anna.token, bearerScheme, []string{"write", "secrets"})
	require.NoError(t, err)
	require.NoError(t, p.rotations.wait(t.Context(), shop)) // one of it is under way
	came := make(chan error)
	ctx, leave := context.WithCancel(context.WithValue(t.Context(), principalKey, who))
	for range 2 * atOnce {
		go func() {
			_, err := p.rotate(ctx, shop, "", 0)
			came <- err
		}()
	}
	anna.ask("POST", "/api/v1/tenants/"+string(blog)+"/rotate-credentials", "").refuses(503, "unavailable")
	require.Empty(t, p.rotating)
	leave()
	for range 2 * atOnce {
		require.ErrorIs(t, <-came, context.Canceled)
	}
	p.rotations.release(shop)
	anna.ask("POST", "/api/v1/tenants/"+string(shop)+"/rotate-credentials", "").refuses(503, "unavailable")
}
