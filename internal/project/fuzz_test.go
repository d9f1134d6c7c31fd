package project

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzEscapeName reads the rule for a file's name as gitignore(5) says git does: it
// has to match that name, and no other but where a line break can't be written.
func FuzzEscapeName(f *testing.F) {
	for _, name := range []string{
		"plain.json", "#hash", "!bang", "trailing ", "two  ", " leading", "*.json", "wh?t", "[abc]", `back\slash`, `end\`, `\ `, "new\nline", "cr\r", "tab\t", "\xff\xfe", "**", "~", "!", " ",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" || strings.ContainsAny(name, "/\x00") {
			t.Skip("no file is called so")
		}
		rule := "/" + escapeName(name)
		require.NotContains(t, rule, "\n")
		require.NotContains(t, rule, "\r")
		require.Equal(t, strings.NewReplacer("\n", "?", "\r", "?").Replace(name), readRule(t, rule))
		require.True(t, covers(rule+"\n", rule), "it is found again")
	})
}

// readRule takes the escapes of a rule away, and demands that nothing in it has a
// meaning of its own.
func readRule(t *testing.T, rule string) string {
	t.Helper()
	require.True(t, strings.HasPrefix(rule, "/"), "anchored, so that # and ! say nothing")
	var name strings.Builder
	for i := 1; i < len(rule); i++ {
		switch c := rule[i]; c {
		case '\\':
			i++
			require.Less(t, i, len(rule), "a backslash at the end matches nothing")
			name.WriteByte(rule[i])
		case '*', '[':
			t.Fatalf("%q: a bare %c", rule, c)
		default:
			require.False(t, c == ' ' && strings.TrimRight(rule[i:], " ") == "", "%q: git drops the last space", rule)
			name.WriteByte(c)
		}
	}
	return name.String()
}
