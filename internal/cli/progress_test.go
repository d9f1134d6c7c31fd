package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAStepStaysInOneRow(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "screen") // which does not say how wide it is
	screen, err := os.Create(path)
	require.NoError(t, err)
	c := &Context{Command: "tenant create", program: &Program{Name: "sp"}}
	c.Stderr, c.Terminal = screen, func(int) bool { return true }
	c.LookupEnv = func(string) (string, bool) { return "", false }
	c.Step("making the database " + strings.Repeat("テナント", 20))
	c.Step("short")
	c.clearProgress()
	require.NoError(t, screen.Close())
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	parts := strings.Split(string(written), "\r")
	require.Len(t, parts, 5)
	for _, part := range parts {
		require.Less(t, Width(part), 80)
	}
	require.True(t, strings.HasSuffix(parts[1], "…"))
	require.Equal(t, "sp: tenant create: short", strings.TrimRight(parts[2], " "))
	require.Equal(t, Width(parts[1]), Width(parts[2]))
	require.Equal(t, Width(parts[1]), Width(parts[3]))
}
