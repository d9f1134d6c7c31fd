package pgurl

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

// TestAURLThatLeadsToWhoeverConnectsIsKnown by any of its hosts.
func TestAURLThatLeadsToWhoeverConnectsIsKnown(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"postgres://u:p@127.0.0.1:5432/d":                           "127.0.0.1",
		"postgres://u:p@LOCALHOST./d":                               "LOCALHOST.",
		"postgres://u:p@[::1]/d":                                    "::1",
		"postgres://u:p@db.example.org,127.1/d":                     "127.1",
		"postgres://u:p@db.example.org/d?hostaddr=::ffff:127.0.0.2": "::ffff:127.0.0.2",
		"postgres://u:p@/d?host=/var/run/postgresql":                "/var/run/postgresql",
		"postgres://u:p@db.example.org/d":                           "",
		"postgres://u:p@10.0.0.1/d":                                 "",
	} {
		u, err := Parse(secret.New(text))
		require.NoError(t, err, text)
		require.Equal(t, want, u.LocalHost(), text)
	}
}
