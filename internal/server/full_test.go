package server

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/db"
	rows "github.com/sp-registry/sp/db/server"
	"github.com/sp-registry/sp/internal/harness"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
)

// TestAFullDiskKeepsNobodyFromReading: when a token was used can't be written, which the log has once.
func TestAFullDiskKeepsNobodyFromReading(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	anna := p.mustUser("anna", MemberRole)
	read := func() {
		for range 3 {
			anna.ask("GET", "/api/v1/auth/me", "").is(200)
		}
		p.clock.pass(2 * time.Minute)
	}
	told := func() int { return strings.Count(p.log.String(), "when tokens were used") }
	harness.Mess(t, p.storePath(), "CREATE TRIGGER full_tokens BEFORE UPDATE ON tokens BEGIN SELECT RAISE(ABORT, 'full'); END")
	read()
	read()
	require.Equal(t, 1, told())
	harness.Mess(t, p.storePath(), "DROP TRIGGER full_tokens")
	read()
	harness.Mess(t, p.storePath(), "CREATE TRIGGER full_tokens BEFORE UPDATE ON tokens BEGIN SELECT RAISE(ABORT, 'full'); END")
	read()
	require.Equal(t, 2, told())
}

// TestAFullDiskIsNoFaultOfARequest, which is good again later.
func TestAFullDiskIsNoFaultOfARequest(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	for _, full := range []error{db.ErrFull, rows.ErrFull} {
		var refused *Problem
		require.ErrorAs(t, p.refused(t.Context(), errors.Join(full)), &refused)
		require.Equal(t, 503, refused.Status)
		require.Equal(t, "2", refused.headers.Get("Retry-After"))
	}
	require.Contains(t, p.log.String(), "there is no room to write")
}

// TestWhyADatabaseServerCanNotBeUsedIsForTheLog: it names files and processes of the control plane's machine.
func TestWhyADatabaseServerCanNotBeUsedIsForTheLog(t *testing.T) {
	t.Parallel()
	p := mustPlane(t)
	full := fmt.Errorf("%w; its disk: %w", provision.ErrUnavailable, hosting.ErrNoRoom)
	for _, trouble := range []error{postgres.ErrFrozen, postgres.ErrUnended, postgres.ErrBusy, postgres.ErrUnusable, full} {
		var refused *Problem
		require.ErrorAs(t, p.refused(t.Context(), fmt.Errorf("/srv/data: process 77: %w", trouble)), &refused)
		require.Equal(t, []any{503, "unavailable"}, []any{refused.Status, refused.Err.Code})
		require.Equal(t, "2", refused.headers.Get("Retry-After"))
		require.NotRegexp(t, "srv|77", refused.Detail+refused.Err.Message)
		require.Contains(t, p.log.String(), trouble.Error())
	}
}
