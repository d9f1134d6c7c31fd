package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSecretVariablesAreThoseOfSp(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]bool{
		"SP_TOKEN": true, "SP_POSTGRES_ADMIN_URL": true, "SP_SYNC_TOKEN": true, "SP_DB_PASSWORD": true, "SP_SECRET": true,
		"SP_DIR": false, "SP_LOCK_TIMEOUT": false, "SYSTEMPROMPT_PROFILE": false, "SP_CURLY": false,
		"TOKEN": false, "PGPASSWORD": false, "DATABASE_URL": false, "SYSTEMPROMPT_DATABASE_URL": false, "": false,
	} {
		require.Equal(t, secret, isSecretVariable(name), name)
	}
}
