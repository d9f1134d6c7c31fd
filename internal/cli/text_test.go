package cli

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/harness"
)

var texts = []string{
	"", "plain", "a\x1b[31mb", "\u009b", "\x9b", "e\u0301", "z" + strings.Repeat("\u0301", 9), "\u202e", "\ufeff", "🙂", "\U000e0041", "\xed\xa0\x80",
	"a\nb\tc", `\u001b`, "\ufffd", "'", "it's", `"$(touch x)"`, "`x`", "-rf", "a b", "\\", "!", "*", "~", "é", "\n", "a=b", "#", "&&", "\u00a0",
}

// FuzzPrintable holds that nothing harmful comes out, that what is harmless comes out
// as it is, and that doing it twice is doing it once.
func FuzzPrintable(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown := Printable(text)
		require.Empty(t, harness.Harm(shown, false), "%q", text)
		require.NotContains(t, shown, "\n")
		require.Equal(t, shown, Printable(shown))
		if !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
			require.Equal(t, text, shown)
		}
		lines := PrintableLines(text)
		require.Empty(t, harness.Harm(lines, false), "%q", text)
		require.Equal(t, strings.Count(text, "\n"), strings.Count(lines, "\n"))
		if document, err := Marshal(text, 0); utf8.ValidString(text) {
			require.NoError(t, err)
			require.True(t, json.Valid([]byte(document)))
			require.Empty(t, harness.Harm(document, false), "%q", text)
		}
	})
}

// FuzzQuoted reads a quoted word as POSIX says a shell does (2.2 Quoting): what is
// not in single quotes has no meaning of its own, and the whole is the word.
func FuzzQuoted(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, word string) {
		var read strings.Builder
		inside := false
		quote := Quoted(word)
		for i := 0; i < len(quote); i++ {
			switch c := quote[i]; {
			case c == '\'':
				inside = !inside
			case inside:
				read.WriteByte(c)
			case c == '\\':
				i++
				read.WriteByte(quote[i])
			default:
				require.Contains(t, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+,-", string(c))
				read.WriteByte(c)
			}
		}
		require.False(t, inside)
		require.NotEmpty(t, quote, "an empty word is a word")
		require.Equal(t, word, read.String())
	})
}

// TestAShellTakesAQuotedWordLiterally asks the shell itself.
func TestAShellTakesAQuotedWordLiterally(t *testing.T) {
	t.Parallel()
	words := append([]string{"\r", "$HOME", "a;b", "a|b", ">x", "(", "{a,b}", "\xff\x9b", "a'b'c", "''", "\t", "%s", "\x01"}, texts...)
	for _, word := range words {
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+Quoted(word)).Output()
		require.NoError(t, err, "%q", word)
		require.Equal(t, word, string(out), "%q", word)
	}
}

// TestNamesThatDifferAtTheirEndsAreCutInTheMiddle.
func TestNamesThatDifferAtTheirEndsAreCutInTheMiddle(t *testing.T) {
	t.Parallel()
	require.Equal(t, "sp_my_…_3wmg68", cutMiddle("sp_my_shop_backend_3wmg68", 14))
	require.Equal(t, "sp_my_shop", cutMiddle("sp_my_shop", 10))
	require.Equal(t, "s…8", cutMiddle("sp_my_shop_3wmg68", 3))
	require.Equal(t, "東…京", cutMiddle("東東東京", 5))
}
