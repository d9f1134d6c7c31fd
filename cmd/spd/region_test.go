package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
)

// TestARegionThatOthersCannotReachIsToldOf when it is added, and when spd serves others: sp refuses its
// tenants' URLs on other machines. For users on this one it works, and is as good as any.
func TestARegionThatOthersCannotReachIsToldOf(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	admin := pgtest.Server(t)
	s.stdin = admin.Reveal()
	added := s.must("region", "add", "iad", "--server-stdin").stderr
	require.Contains(t, added, "spd: region iad added\nspd: region iad is at 127.0.0.1, which only programs on this machine reach: if ")
	for url, told := range map[string]int{"https://cloud.example": 1, "http://localhost:8787": 0, "http://127.0.0.1:8787": 0, "": 0} {
		line := []string{"--listen", "127.0.0.1:0"}
		if url != "" {
			line = append(line, "--url", url)
		}
		served := s.must(line...).stderr
		require.Equal(t, told, strings.Count(served, "region iad is at 127.0.0.1, which users of https://cloud.example on other machines can't reach: "), served)
		require.Equal(t, told, strings.Count(served, "region iad"), served)
	}
}
