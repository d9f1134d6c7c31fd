package registry

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzNames holds what a name of ours can't be, whatever was given.
func FuzzNames(f *testing.F) {
	for _, text := range append(append([]string{"-rf", "--help", ".", "..", "a/b", "con"}, badLabels...), goodLabels...) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if err := CheckProfileName(text); err == nil {
			require.Regexp(t, `^[A-Za-z0-9_][A-Za-z0-9_-]{0,254}$`, text)
			require.NoError(t, checkLabel("name", text), "a profile's name would do for a tenant")
		} else {
			require.ErrorIs(t, err, ErrInvalid)
			requireNotQuoted(t, err, text)
		}
		err := checkLabel("name", text)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			requireNotQuoted(t, err, text)
			return
		}
		require.True(t, utf8.ValidString(text) && text != "" && len(text) <= 255 && strings.TrimSpace(text) == text)
		require.NotRegexp(t, `[\x00-\x1f\x7f-\x{9f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}\x{fe00}-\x{fe0f}\x{e0000}-\x{e0fff}]`, text)
		require.False(t, strings.Contains(text, "://") && strings.Contains(text[strings.Index(text, "://"):], "@"), text)
		require.Equal(t, strings.HasPrefix(text, "-"), checkID(TenantID(text)) != nil)
	})
}

// requireNotQuoted demands that a refusal holds nothing of what it refuses; a short
// text may stand in its words by chance.
func requireNotQuoted(t *testing.T, err error, text string) {
	t.Helper()
	if len(text) > 12 && !strings.Contains("profile name: only ASCII letters, digits, - and _ are allowed: not allowed", text) {
		require.NotContains(t, err.Error(), text)
	}
}
