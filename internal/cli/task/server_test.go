package task

import (
	"fmt"
	"testing"

	"github.com/sp-registry/sp/internal/postgres"
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
