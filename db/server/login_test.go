package server

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheSchemaOfALoginSaysNo to what no program may write.
func TestTheSchemaOfALoginSaysNo(t *testing.T) {
	t.Parallel()
	d := mustOpen(t, filepath.Join(t.TempDir(), "serve.db"))
	for name, statement := range map[string]string{
		"a short key":                    "INSERT INTO signing_keys VALUES ('k', x'00')",
		"a code without its challenge":   "INSERT INTO login_codes VALUES ('h', 'ann', NULL, 'r', '', 'read', '', 1, NULL)",
		"a code of nobody":               "INSERT INTO login_codes VALUES ('h', 'nobody', NULL, 'r', 'c', 'read', '', 1, NULL)",
		"a device allowed by nobody":     "INSERT INTO devices VALUES ('h', 'u', 'read', '', '', 1, 1, 0, 5, 0, 0, 'allowed', NULL, NULL, NULL)",
		"a device denied by somebody":    "INSERT INTO devices VALUES ('h', 'u', 'read', '', '', 1, 1, 0, 5, 0, 0, 'denied', 'ann', NULL, NULL)",
		"a refresh token without login":  "INSERT INTO refresh_tokens VALUES ('h', 'no session', 1, NULL)",
		"a login by a token that is not": "INSERT INTO logins VALUES ('s', 'ann', 'no token', 'read', '', 0, 1)",
	} {
		_, err := d.writer.ExecContext(t.Context(), "INSERT INTO users VALUES ('ann', 'ann', 'ann', 'ann@example.com', 'admin', 1, 1) ON CONFLICT DO NOTHING")
		require.NoError(t, err)
		_, err = d.writer.ExecContext(t.Context(), statement)
		require.ErrorContains(t, err, "constraint", name)
	}
}
