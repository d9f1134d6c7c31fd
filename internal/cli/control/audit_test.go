package control

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/server"
)

// TestAnEntryFitsInEightyColumns with two ids and the longest address of IPv4, and says what it is about.
func TestAnEntryFitsInEightyColumns(t *testing.T) {
	t.Parallel()
	a := server.Act{
		At: time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC), User: "anna", Address: "127.0.0.1", Action: "credentials.rotate",
		Tenant: "7c8e722d-4321-48af-be5b-c42d2192ea79", Outcome: "denied", Token: "0dbc782d-8755-47f3-9441-4131604c5220",
	}
	require.Equal(t, []string{"2026-02-01 12:00", "anna", "127.0.0.1", "credentials.rotate", "7c8e722d…", "denied"}, brief(a))
	require.LessOrEqual(t, len([]rune("  "+strings.Join(brief(a), "  "))), 80)
	require.Equal(t, []string{
		"2026-02-01T12:00:00Z", "anna", "127.0.0.1", "credentials.rotate", "7c8e722d-4321-48af-be5b-c42d2192ea79", "", "denied",
	}, all(a))
	a.User = "the sync token of tenant 7c8e722d-4321-48af-be5b-c42d2192ea79"
	require.Equal(t, "sync token", brief(a)[1])
	a.Target = "rita"
	require.Equal(t, "7c8e722d… rita", brief(a)[4])
}
