package pgurl

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
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
		given := secret.New(text)
		err := Check(given)
		shown := Describe(given)
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			shown += err.Error()
		}
		// Behind the user, only a host and a database are shown, which hold no secret.
		if u, err := Parse(secret.New(text)); err != nil || !strings.Contains(u.Said()["host"]+u.Said()["dbname"], password) {
			require.NotContains(t, shown, "9QzX", text)
			require.NotContains(t, shown, "XzQ9", text)
		}
		if err == nil {
			requireReadAlike(t, text)
		}
		_, _ = IsMasked(given), HasSecret(given)
		if strings.Contains(text, ":"+password+"@") || strings.Contains(text, "password="+password) {
			require.True(t, IsConnection(text), text)
		}
	})
}

// requireReadAlike compares our parts of an accepted URL with Go's, where Go reads
// it: several hosts it does not.
func requireReadAlike(t *testing.T, text string) {
	t.Helper()
	ours, err := Parse(secret.New(text))
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
