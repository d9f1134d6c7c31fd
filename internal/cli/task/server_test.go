package task

import (
	"fmt"
	"testing"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/stretchr/testify/require"
)

// Root has the programs perhaps, and can't run them: to install them again is no way out.
func TestRootIsNotToldToInstallPrograms(t *testing.T) {
	t.Parallel()
	hints := func(why ...error) string { return nowhereHint("linux", why).String() }
	require.Contains(t, hints(postgres.ErrNone, postgres.ErrNone), "install PostgreSQL's programs")
	asRoot := hints(postgres.ErrNone, fmt.Errorf("local: %w", postgres.ErrRoot))
	require.NotContains(t, asRoot, "install")
	require.Contains(t, asRoot, "useradd --system postgres")
}

// TestAServerThatIsDumbIsNotToldToStart: it runs. Nor is one with what is wrong with all servers alike.
func TestAServerThatIsDumbIsNotToldToStart(t *testing.T) {
	t.Parallel()
	own := registry.Server{Name: "local", Provider: registry.LocalPrograms}
	hint := func(s registry.Server, err error) string {
		return serverHint(&hosting.ServerError{Server: s, Err: err}).String()
	}
	require.Contains(t, hint(own, provision.ErrUnavailable), "sp db restart ends all sessions")
	require.Equal(t, "sp db up", hint(own, fmt.Errorf("%w: %w", hosting.ErrStopped, provision.ErrUnavailable)))
	require.Empty(t, hint(registry.Server{Provider: registry.Elsewhere}, provision.ErrUnavailable))
	for _, alike := range []error{ErrOffline, provision.ErrCrowded, provision.ErrNoDisk, provision.ErrFull, hosting.ErrNoRoom} {
		require.Empty(t, hint(own, alike))
	}
}
