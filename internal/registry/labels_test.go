package registry

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var badLabels = []string{
	"", " ", " a", "a ", "\ta", "a\n", "a\u00a0", strings.Repeat("x", 256), strings.Repeat("é", 128), "a\x00b", "a\tb", "a\nb", "a\rb", "a\x1b[31mb",
	"a\x7fb", "a\u0085b", "a\u009bb", "a\u202eb", "a\u2066b", "a\u200bb", "a\u200db", "a\ufeffb", "a\u2028b", "a\u2029b", "a\U000e0041b", "a\xffb", "a\xed\xa0\x80b",
	"a\u034fb", "a\u115fb", "a\u3164b", "a\uffa0b", "a\ufe0fb", "a\U000e0100b", "a\u061cb", "a\u180eb", "a\u00adb",
	"z" + strings.Repeat("\u0301", 5), "postgres://u:secret@h/d", "u:secret@h", "host=h Password=secret",
}

var goodLabels = []string{
	"a", "My Tenant", "Ünïcödé 名前", "a'b\"c\\d;--", "=1+1", "..", strings.Repeat("x", 255), "e\u0301", "🙂",
	"z\u0301\u0302\u0303\u0304", "བསྒྲུབས", "שָׁ֖לוֹם", "me@home", "8:30 @home", "a://b", "a=b",
}

func TestLabelsOfWhatSpCreates(t *testing.T) {
	t.Parallel()
	for _, text := range badLabels {
		require.ErrorIs(t, checkLabel("tenant name", text), ErrInvalid, "%q", text)
		require.ErrorIs(t, checkID(TenantID("x"+text+"x")), map[bool]error{true: ErrInvalid}[checkLabel("", "x"+text+"x") != nil], "%q", text)
	}
	for _, text := range goodLabels {
		require.NoError(t, checkLabel("tenant name", text), "%q", text)
		require.NoError(t, checkID(TenantID(text)), "%q", text)
	}
	require.NoError(t, checkLabel("tenant name", "-rf"))
	require.ErrorIs(t, checkID("-rf"), ErrInvalid)
	require.ErrorIs(t, checkID(""), ErrInvalid)
}

func TestProfileNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a", "Z", "0", "_", "a-b_c", "local-dev", "CON", strings.Repeat("x", 255)} {
		require.NoError(t, CheckProfileName(name), name)
	}
	for _, name := range []string{
		"", "-", "-rf", "--help", ".", "..", "a.b", "a/b", "/a", "a\\b", "a b", " a", "a ", "~", "é", "ａ", "a\x00", "a\n", "a:b", "$a", "\xff", strings.Repeat("x", 256),
	} {
		err := CheckProfileName(name)
		require.ErrorIs(t, err, ErrInvalid, "%q", name)
	}
}
