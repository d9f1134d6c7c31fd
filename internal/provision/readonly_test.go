package provision

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
)

// TestWhatWasMadeReadOnlyIsKnownAgain whatever the tenant does, and by an administrator who is no superuser.
func TestWhatWasMadeReadOnlyIsKnownAgain(t *testing.T) {
	t.Parallel()
	s := mustConnect(t, pgtest.Admin(t, "sp_test_readonly", "secret"))
	d := newDatabase(t, s, "readonly")
	requireLive := func(want bool) {
		t.Helper()
		live, err := s.IsLive(within(t), d)
		require.NoError(t, err)
		require.Equal(t, want, live)
	}
	requireLive(false) // it is not there
	url := mustCreate(t, s, d)
	requireLive(true)
	for range 2 {
		require.NoError(t, s.SetReadOnly(within(t), d, true))
		requireLive(false)
		require.Equal(t, []string{"on"}, pgtest.Exec(t, url, "SHOW default_transaction_read_only"))
	}
	pgtest.Exec(t, url, "SET default_transaction_read_only TO off", replaced("ALTER DATABASE %[1]s RESET default_transaction_read_only", d))
	requireLive(false)
	require.NoError(t, s.SetReadOnly(within(t), d, false))
	requireLive(true)
	requireWhole(t, d, url)
}
