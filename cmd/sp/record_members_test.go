package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/registry"
)

// TestEveryMemberIsShownAndEdited takes each member of the record through the commands
// that list them.
func TestEveryMemberIsShownAndEdited(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, m := range registry.RecordMembers {
		if m.Fixed {
			continue
		}
		tried++
		member := m.Name
		s := newSandbox(t)
		s.mustImport("2026-02-01T12:00:00Z", `{"id": "a", "name": "a", "tenant_type": "cloud", "x": 1}`)
		value, flag := "new-"+strings.ReplaceAll(member, "_", "-"), "--"+strings.ReplaceAll(member, "_", "-")
		var shown any = value
		switch {
		case m.Truth:
			value, shown = "yes", true
			s.must("tenant", "edit", "a", flag)
		case m.URL:
			value = "postgres://u:p@h/" + member
			shown = value
			s.must("tenant", "edit", "a", flag, value)
		default:
			s.must("tenant", "edit", "a", flag, value)
		}
		require.Equal(t, shown, s.member(member), "sp tenant show --json")
		require.Contains(t, s.must("tenant", "show", "a", "--reveal").stdout, "\t"+value+"\n", "sp tenant show")
		require.Contains(t, s.must("export", "-").stdout, fmt.Sprintf("%q: %s", member, mustMarshal(t, shown)), "sp export")
		if m.Optional {
			s.must("tenant", "edit", "a", "--clear", strings.TrimPrefix(flag, "--"))
			require.Nil(t, s.member(member), "sp tenant edit --clear")
			s.must("undo")
			require.Equal(t, shown, s.member(member), "sp undo")
			continue
		}
		s.must("undo")
		require.NotEqual(t, shown, s.member(member), "sp undo")
	}
	require.Equal(t, 9, tried)
}

// member is what sp tenant show says of a member of a.
func (s *sandbox) member(name string) any {
	s.t.Helper()
	var shown map[string]any
	require.NoError(s.t, json.Unmarshal([]byte(s.must("tenant", "show", "a", "--json", "--reveal").stdout), &shown))
	return shown[name]
}

func mustMarshal(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}
