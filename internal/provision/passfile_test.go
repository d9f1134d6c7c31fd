package provision

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgtest"
	"github.com/sp-registry/sp/internal/secret"
)

func TestAPasswordFileIsReadAsLibpqDoes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":               "",
		"h:5:d:u:pw":     "pw",
		"h:5:d:u:pw\r\n": "pw",
		"#h:5:d:u:no\nx:5:d:u:no\nh:5:d:u:pw\n*:*:*:*:no": "pw",
		"*:*:*:*:all":            "all",
		"h:6:d:u:no\nh:*:d:u:pw": "pw",
		`h:5:d:u:a\:b\\c d `:     `a:b\c d `,
		"h:5:d:u:a:b":            "a",
		"h:5:d:u:ends\\":         `ends\`,
		"h:5:d:u":                "",
		"H:5:d:u:no":             "",
		"*h:5:d:u:no":            "",
		`\h:5:\d:u:pw`:           "pw",
	} {
		require.Equal(t, want, passwordIn(text, "h", "5", "d", "u"), text)
	}
	require.Equal(t, "pw", passwordIn(`\:\:1:5:a\\b:u:pw`, "::1", "5", `a\b`, "u"))
}

func TestAPasswordIsLookedForWhereTheURLHasNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		require.NoError(t, os.Chmod(path, mode))
		return path
	}
	usual := write("pgpass", "h:5432:d:u:one\nh:7:u:u:two\nlocalhost:5432:d:u:three\n/run/x:5432:d:u:four\n10.0.0.1:5432:d:u:five\nb:5432:d:u:six\n", 0o600)
	own, open := write("own", "*:*:*:*:own", 0o600), write("open", "*:*:*:*:open", 0o640)
	for url, want := range map[string]string{
		"postgres://u@h/d":                           "one",
		"postgres://u:pw@h/d":                        "pw",
		"postgres://u@h:7":                           "two",
		"postgres://u@/d?host=/var/run/postgresql":   "three",
		"postgres://u@/d?host=/run/x":                "four",
		"postgres://u@/d?hostaddr=10.0.0.1":          "five",
		"postgres://u@h/d?hostaddr=10.0.0.1":         "one",
		"postgres://u@h,b/d":                         "one",
		"postgres://v@h/d":                           "",
		"postgres://u@h/d?passfile=" + own:           "own",
		"postgres://u@h/d?passfile=" + dir + "/none": "",
	} {
		config, err := configOf(secret.New(url))
		require.NoError(t, err, url)
		require.NoError(t, usePassfile(WithPassfile(t.Context(), usual), secret.New(url), config), url)
		require.Equal(t, want, config.Password, url)
	}
	none, pipe := &pgconn.Config{Host: "h"}, filepath.Join(dir, "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for path, why := range map[string]string{open: "others can read it", dir: "no plain file", pipe: "no plain file"} {
		require.ErrorContains(t, usePassfile(WithPassfile(t.Context(), path), secret.New("postgres://u@h/d"), none), why)
		require.Empty(t, none.Password)
	}
	require.NoError(t, usePassfile(t.Context(), secret.New("postgres://u@h/d"), none), "spd has none")
	require.Empty(t, none.Password)

	// A login that fails says why the file was of no use, and the library reads none by itself.
	host := pgtest.Listen(t, pgtest.Says("28P01", "password authentication failed"))
	_, err := Check(WithPassfile(t.Context(), open), secret.New("postgres://u@"+host+"/d"))
	require.ErrorIs(t, err, ErrDenied)
	require.ErrorContains(t, err, "others can read it (chmod 0600")
	require.NotContains(t, mustLead(t, "postgres://u@h/d?passfile="+own).password, "own")
}

// TestALoginWithoutAPasswordIsNotToldThatItIsWrong.
func TestALoginWithoutAPasswordIsNotToldThatItIsWrong(t *testing.T) {
	t.Parallel()
	host := pgtest.Listen(t, pgtest.Says("28P01", `password authentication failed for user "u"`))
	_, err := Connect(t.Context(), secret.New("postgres://u@"+host+"/d?sslmode=disable"))
	require.ErrorIs(t, err, ErrDenied)
	require.ErrorContains(t, err, "no password: the URL has none")
	_, err = Connect(t.Context(), secret.New("postgres://u:s3cret@"+host+"/d?sslmode=disable"))
	require.ErrorContains(t, err, "password authentication failed")
}
