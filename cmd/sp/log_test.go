package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTheLogSpeaksInSentencesAtATerminal, in the names of the tenants, with what was before.
func TestTheLogSpeaksInSentencesAtATerminal(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("init")
	s.terminal = true
	require.Equal(t, "No change yet. sp tenant create makes a tenant.\n", s.must("log").stdout)
	s.terminal = false
	s.write("in.json", historyFile)
	for _, line := range historyBefore {
		s.must(strings.Fields(line)...)
	}
	s.now, s.terminal = s.now.Add(26*time.Hour), true
	require.Equal(t, `Log
  SEQ  WHEN               AGE  WHAT IT DID
  6    2026-02-01 12:00Z  26h  selected second, before: uno
  5    2026-02-01 12:00Z  26h  changed tenant uno, before: first (sync_token)
`, s.must("log", "--after", "7", "--limit", "2").stdout)
}
