package cloud

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

const loginText = `{
  "api_token": "jwt",
  "api_url": "https://api.systemprompt.io",
  "authenticated_at": "2026-02-01T10:00:00Z",
  "user_email": "a@b.cd",
  "last_validated_at": null,
  "new": 1
}`

// P5, P6 and P9.
func TestALoginIsReadByTheOriginalsRules(t *testing.T) {
	t.Parallel()
	l, err := ParseLogin([]byte(loginText))
	require.NoError(t, err)
	require.Equal(t, "jwt https://api.systemprompt.io a@b.cd 2026-02-01T10:00:00Z",
		strings.Join([]string{l.Token.Reveal(), l.URL, l.Email, registry.FormatTime(l.AuthenticatedAt)}, " "))
	require.Nil(t, l.ValidatedAt)
	require.Nil(t, l.Refresh)
	l, err = ParseLogin([]byte(strings.Replace(loginText, "null", `"2026-02-01T11:00:00Z"`, 1)))
	require.NoError(t, err)
	require.Equal(t, 11, l.ValidatedAt.Hour())
	for _, replace := range []struct{ old, new, why string }{
		{`"jwt"`, `""`, "api_token is empty"},
		{`"jwt"`, `5`, "api_token is not a string"},
		{"\n  \"api_token\": \"jwt\",", ``, "it has no api_token"},
		{`"api_token"`, `"API_TOKEN"`, "it has no api_token"},
		{`"api_token": "jwt"`, `"api_token": "jwt", "api_token": "jwt"`, "api_token twice"},
		{"https://api.systemprompt.io", "not-a-url", "api_url is not a URL"}, // P6
		{"a@b.cd", "a@b", "user_email is not"},
		{"a@b.cd", "a@b@b.cd", "user_email is not"},
		{"a@b.cd", "a..a@b.cd", "user_email is not"},
		{"a@b.cd", "@b.cd", "user_email is not"},
		{"a@b.cd", "a@b.c", "user_email is not"},
		{"2026-02-01T10:00:00Z", "canary", "authenticated_at is not a time"},
		{"null", "true", "last_validated_at is not a string"},
		{"{", "", "line 1 column 1: the text ends too early"}, // P5
		{`"new": 1`, `"refresh_token": 1`, "refresh_token is not a string"},
	} {
		text := strings.Replace(loginText, replace.old, replace.new, 1)
		if replace.old == "{" {
			text = ""
		}
		_, err := ParseLogin([]byte(text))
		require.ErrorIs(t, err, ErrUnusable, replace.why)
		require.ErrorContains(t, err, replace.why)
		require.NotContains(t, err.Error(), "canary")
	}
}

func TestALoginIsWrittenAsTheOriginalDoes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		loginText,
		strings.Replace(loginText, "null", `"2026-02-01T10:00:00.120Z"`, 1),
		strings.Replace(loginText, "10:00:00Z", "10:00:00.000001Z", 1),
		strings.Replace(loginText, "10:00:00Z", "10:00:00.000000001Z", 1),
		strings.Replace(loginText, `"new": 1`, "\"refresh_token\": \"r\",\n  \"new\": {\n    \"a\": [\n      1.0\n    ]\n  }", 1),
	} {
		l, err := ParseLogin([]byte(text))
		require.NoError(t, err)
		require.Equal(t, text, string(l.Text()))
	}
}

// P7, P10 and P11.
func TestALoginSaysWhenItExpires(t *testing.T) {
	t.Parallel()
	encode := base64.RawURLEncoding.EncodeToString
	jwt := func(claims string) string { return "a." + encode([]byte(claims)) + ".c" }
	for _, row := range []struct {
		token         string
		expired, soon bool // within an hour
	}{
		{newJWT("x", noon.Add(2*time.Hour)), false, false},
		{newJWT("x", noon.Add(time.Hour)), false, false}, // exactly then: not within
		{newJWT("x", noon.Add(time.Hour-time.Second)), false, true},
		{newJWT("x", noon), false, true}, // in its last second it holds
		{newJWT("x", noon.Add(-time.Second)), true, true},
		{"", true, true},
		{"x", true, true},
		{"a.b", true, true},
		{"a.b.c.d", true, true},
		{"..", true, true},
		{"a.!!.c", true, true},
		{jwt("not json"), true, true},
		{jwt(`{}`), true, true},
		{jwt(`{"exp":"x"}`), true, true},
		{jwt(`{"exp":-1e300}`), true, true},
		{jwt(`{"exp":1e300}`), false, false},
		{"sp_pat_anything", false, false},
	} {
		l := Login{Token: secret.New(row.token)}
		require.Equal(t, row.expired, l.IsExpired(noon.Add(999*time.Millisecond)), row.token)
		require.Equal(t, row.soon, l.expiresWithin(noon, time.Hour), row.token)
	}
	require.Nil(t, Login{Token: secret.New("sp_pat_x")}.ExpiresAt())
}

func goodLogin(url string) Login {
	return Login{Token: secret.New(newJWT("0", noon.Add(-time.Hour))), URL: url, Email: "a@b.cd", AuthenticatedAt: noon, Refresh: new(secret.New("refresh-0"))}
}

func mustStore(t *testing.T, f LoginFile, l Login) {
	t.Helper()
	require.NoError(t, f.Locked(t.Context(), func() error { return f.Replace(l) }))
}

// P4, P6 and I6: what can't be saved leaves no file.
func TestALoginIsStoredForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	f := LoginFile{t.TempDir()}
	there, err := f.Read()
	require.NoError(t, err)
	require.Nil(t, there)

	for _, spoil := range []func(*Login){
		func(l *Login) { l.URL = "not-a-url" }, func(l *Login) { l.Email = "x" }, func(l *Login) { l.Token = secret.New("") },
	} {
		l := goodLogin("https://a.example")
		spoil(&l)
		require.ErrorIs(t, f.Replace(l), ErrInvalid)
		_, err := os.Lstat(f.Path())
		require.ErrorIs(t, err, os.ErrNotExist)
	}

	mustStore(t, f, goodLogin("https://a.example"))
	info, err := os.Stat(f.Path())
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	there, err = f.Read()
	require.NoError(t, err)
	require.Equal(t, "https://a.example", there.URL)
	require.True(t, there.Refresh.Equal(secret.New("refresh-0")))

	require.NoError(t, os.WriteFile(filepath.Join(f.Dir, ".credentials.json.7.tmp"), []byte("half"), 0o600)) // of one that was killed
	mustStore(t, f, goodLogin("https://b.example"))
	require.Equal(t, []string{".login.lock", "credentials.json"}, namesIn(t, f.Dir))
	require.NoError(t, f.Remove(t.Context()))
	require.NoError(t, f.Remove(t.Context()))
	require.Equal(t, []string{".login.lock"}, namesIn(t, f.Dir))
}

func namesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func TestALoginThatOthersCanReachOrPlantedIsNotUsed(t *testing.T) {
	t.Parallel()
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o602, 0o644, 0o660} {
		f := LoginFile{t.TempDir()}
		mustStore(t, f, goodLogin("https://a.example"))
		require.NoError(t, os.Chmod(f.Path(), mode))
		l, err := f.Read()
		require.ErrorIs(t, err, ErrExposed)
		require.NotNil(t, l, "for a logout, which revokes it")
		_, _, err = Open(f, Options{Now: func() time.Time { return noon }})
		require.ErrorIs(t, err, ErrExposed)
	}

	f := LoginFile{t.TempDir()}
	elsewhere := filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.WriteFile(elsewhere, []byte(loginText), 0o600))
	require.NoError(t, os.Symlink(elsewhere, f.Path()))
	_, err := f.Read()
	require.ErrorIs(t, err, place.ErrUnsafe)
	require.ErrorIs(t, f.Replace(goodLogin("https://a.example")), place.ErrUnsafe)

	f = LoginFile{t.TempDir()}
	require.NoError(t, os.Mkdir(f.Path(), 0o700))
	_, err = f.Read()
	require.ErrorIs(t, err, place.ErrUnsafe)
	lock := filepath.Join(f.Dir, lockName)
	require.NoError(t, os.Symlink(elsewhere, lock))
	require.ErrorIs(t, f.Locked(t.Context(), func() error { return nil }), place.ErrUnsafe)
	require.NoError(t, os.Remove(lock))
	require.NoError(t, unix.Mkfifo(lock, 0o600))
	require.ErrorIs(t, f.Locked(t.Context(), func() error { return nil }), place.ErrUnsafe)
}
