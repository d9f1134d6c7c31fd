package registry

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// FuzzURL puts a password into URLs of any shape, and any text in the place of one:
// no error and no description shows the password, or the four characters it starts or
// ends with; and what is accepted, Go's parser reads with the same host.
func FuzzURL(f *testing.F) {
	for _, seed := range [][2]string{
		{"postgres://u:", "@h:5432/d"},
		{"postgresql://u:", "@[::1]/d?sslmode=require"},
		{"postgres://h1:1,h2:2/d?password=", "&x=y"},
		{"host=h password=", " user=u"},
		{"postgres://u:x", "@h@i/d"},
		{"postgres://u:a/", "?b#c"},
		{"postgres://", ""},
		{"", ""},
		{"mysql://u:***@h/", ""},
		{"postgres://u:%zz", "@h:0/d"},
		{"postgres://u:\x00", "\xff@h"},
		{"javascript:", ""},
		{"postgres:///d?host=/run&password=", ""},
		{"postgres://u:", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		const password = "9QzXsecretXzQ9"
		if strings.Contains(before+after, "9QzX") || strings.Contains(before+after, "XzQ9") {
			t.Skip()
		}
		text := before + password + after
		secret := secret.New(text)
		err := CheckURL(secret)
		shown := DescribeURL(secret)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			shown += err.Error()
		}
		// Behind the user, only a host and a database are shown, which hold no secret.
		if u, err := pgurl.Parse(text); err != nil || !strings.Contains(u.Said()["host"]+u.Said()["dbname"], password) {
			require.NotContains(t, shown, "9QzX", text)
			require.NotContains(t, shown, "XzQ9", text)
		}
		if err == nil {
			requireReadAlike(t, text)
		}
		_, _ = IsMasked(secret), HasPassword(secret)
		if strings.Contains(text, ":"+password+"@") || strings.Contains(text, "password="+password) {
			require.True(t, IsConnection(text), text)
		}
	})
}

// requireReadAlike compares our parts of an accepted URL with Go's, where Go reads
// it: several hosts it does not.
func requireReadAlike(t *testing.T, text string) {
	t.Helper()
	ours, err := pgurl.Parse(text)
	require.NoError(t, err, text)
	require.True(t, utf8.ValidString(text))
	require.False(t, strings.ContainsFunc(text, unicode.IsControl), text)
	theirs, err := url.Parse(text)
	if err != nil {
		return
	}
	if theirs.RawQuery != "" { // parameters override what Go's parser reads
		return
	}
	require.Equal(t, ours.Said()["user"], theirs.User.Username(), text)
	password, _ := theirs.User.Password()
	require.Equal(t, ours.Said()["password"], password, text)
	require.Equal(t, ours.Said()["dbname"], strings.TrimPrefix(theirs.Path, "/"), text)
	if servers := ours.Servers(); len(servers) == 1 {
		require.Equal(t, servers[0].Host, theirs.Hostname(), text)
		require.Equal(t, servers[0].Port, theirs.Port(), text)
	}
}

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
