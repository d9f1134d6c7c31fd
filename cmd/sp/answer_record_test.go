package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAChangeAnswersTheRecordAsItIsThen compares the profile that a change answers with what
// profile show says right after it.
func TestAChangeAnswersTheRecordAsItIsThen(t *testing.T) {
	t.Parallel()
	s := newSandbox(t)
	s.must("tenant", "create", "--id", "a", "--name", "first", "--database-url", "postgres://h/a", "--no-check")
	s.must("tenant", "create", "--id", "b", "--name", "second", "--database-url", "postgres://h/b", "--no-check")
	read := func(text, inside string) map[string]any {
		var document map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &document))
		if inside != "" {
			return document[inside].(map[string]any)
		}
		return document
	}
	seen := map[bool]bool{}
	for _, line := range []string{
		"profile create one --tenant a -y", "profile create two --tenant b -y", "session switch one", "profile edit one --name uno", "session switch two",
		"profile edit uno --set server.port=8081", "profile edit two --set server.port=8081", "session switch uno",
	} {
		answer := read(s.must(append(strings.Fields(line), "--json")...).stdout, "")
		name, _ := answer["name"].(string)
		require.Equal(t, read(s.must("profile", "show", name, "--json").stdout, "profile"), answer, line)
		seen[answer["active"].(bool)] = true
		if line == "session switch one" {
			s.must("profile", "default", "one")
		}
	}
	require.Len(t, seen, 2, "both are tried")
}
