package session

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

func TestATokenEndsInAYearThatAFileCanHold(t *testing.T) {
	t.Parallel()
	require.Equal(t, "9999-12-31T23:59:59Z", registry.FormatTime(*instantOf(1e300)))
	require.Equal(t, "1970-01-01T00:00:00Z", registry.FormatTime(*instantOf(-1e300)))
}

// TestTheKindOfUserIsOneThatTheOriginalKnows (E1): it could not read a file with another.
func TestTheKindOfUserIsOneThatTheOriginalKnows(t *testing.T) {
	t.Parallel()
	for claim, want := range map[string]string{"": "admin", "admin": "admin", "a2a": "a2a", "mcp": "mcp", "anon": "anon", "Admin": "unknown", "root": "unknown"} {
		require.Equal(t, want, userTypeOf(claim), claim)
	}
}
