package provision

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUsesAreCountedAndNamed(t *testing.T) {
	t.Parallel()
	require.Equal(t, "no sessions", Uses(nil).String())
	require.Equal(t, "1 session (without a name 1)", Uses{{"", 1}}.String())
	require.Equal(t, "5 sessions (psql 1, shop 4)", Uses{{"psql", 1}, {"shop", 4}}.String())
	require.Equal(t, "7 sessions (a 1, b 1, c 1, d 1, e 1, and others)", Uses{{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}, {"f", 1}, {"g", 1}}.String())
}
