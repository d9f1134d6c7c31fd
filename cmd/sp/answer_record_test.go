package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAChangeOfAProfileOrSessionAnswersLikeShow compares the profile or session that a change answers with what
// show says right after it.
func TestAChangeOfAProfileOrSessionAnswersLikeShow(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("tenant", "create", "--id", "a", "--name", "first", "--database-url", "postgres://h/a", "--no-check")
	s.must("tenant", "create", "--id", "b", "--name", "second", "--database-url", "postgres://h/b", "--no-check")
	read := func(text string) (document map[string]any) {
		require.NoError(t, json.Unmarshal([]byte(text), &document))
		return document
	}
	seen := map[bool]bool{}
	for _, line := range []string{
		"profile create one --tenant a -y", "profile create two --tenant b -y", "session switch one", "profile edit one --name uno", "session switch two",
		"profile edit uno --set server.port=8081", "profile edit two --set server.port=8081", "session switch uno",
	} {
		answer := read(s.must(append(strings.Fields(line), "--json")...).stdout)
		show := []string{"session", "show", "--json"}
		if name, is := answer["name"].(string); is {
			show = []string{"profile", "show", name, "--json"}
		}
		require.Equal(t, read(s.must(show...).stdout), answer, line)
		seen[answer["active"].(bool)] = true
		if line == "session switch one" {
			s.must("profile", "default", "one")
		}
	}
	require.Len(t, seen, 2, "both are tried")
}
