package pgurl

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sp-registry/sp/internal/secret"
)

func TestForIsTheSameServerForAnotherLogin(t *testing.T) {
	t.Parallel()
	for admin, want := range map[string]string{
		"postgres://admin:pw@h:5/postgres": "postgres://u:p@h:5/d",
		"postgresql://h":                   "postgresql://u:p@h/d",
		"postgres://admin@h/":              "postgres://u:p@h/d",
		"postgres://admin:pw@a:1,b:2/x?sslmode=require&application_name=y":                                                       "postgres://u:p@a:1,b:2/d?sslmode=require&application_name=y",
		"postgres:///x?host=/run/pg&user=admin&password=pw&dbname=x":                                                             "postgres://u:p@/d?host=/run/pg",
		"postgres://h/x?passw%6Frd=pw&password=pw2&dbname=x&%75ser=me":                                                           "postgres://u:p@h/d",
		"postgres://a@h/x?sslkey=/k&sslcert=/c&sslpassword=s&sslmode=allow&passfile=/p&scram_client_key=s&oauth_client_secret=s": "postgres://u:p@h/d?sslmode=allow",
		"postgres://admin:pw@[::1]:5/x":                                                                                          "postgres://u:p@[::1]:5/d",
		"postgres://admin:pw@%2Frun%2Fpg/x?":                                                                                     "postgres://u:p@%2Frun%2Fpg/d",
	} {
		url, err := For(secret.New(admin), "u", "d", secret.New("p"))
		require.NoError(t, err, admin)
		require.Equal(t, want, url.Reveal())
	}
	url, err := For(secret.New("postgres://h"), `a:b@c/d`, `e?f#g%h ü`, secret.New(`i&j=k\l'm"n`))
	require.NoError(t, err)
	require.Equal(t, `postgres://a%3Ab%40c%2Fd:i%26j%3Dk%5Cl%27m%22n@h/e%3Ff%23g%25h%20%C3%BC`, url.Reveal())
}

func TestWithDatabaseIsTheSameLogin(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://u:p@h:5/d?sslmode=require&dbname=e":        "postgres://u:p@h:5/n%2Fa?sslmode=require",
		"postgres:///?host=/run/pg&user=u&password=p&sslkey=k": "postgres:///n%2Fa?host=/run/pg&user=u&password=p&sslkey=k",
	} {
		got, err := WithDatabase(secret.New(url), "n/a")
		require.NoError(t, err, url)
		require.Equal(t, want, got.Reveal())
	}
	_, err := WithDatabase(secret.New("mysql://h/d"), "d")
	require.ErrorIs(t, err, ErrInvalid)
}

func TestForRefusesWhatNoClientCouldUse(t *testing.T) {
	t.Parallel()
	for _, admin := range []string{"", "host=h", "postgres://u:p@x@h/d", "mysql://h/d"} {
		_, err := For(secret.New(admin), "u", "d", secret.New("p"))
		require.ErrorIs(t, err, ErrInvalid, admin)
		_, err = WithPassword(secret.New(admin), secret.New("p"))
		require.ErrorIs(t, err, ErrInvalid, admin)
		_, err = PasswordOf(secret.New(admin))
		require.ErrorIs(t, err, ErrInvalid, admin)
	}
	for _, password := range []string{"***", "a\x00b"} {
		_, err := For(secret.New("postgres://h"), "u", "d", secret.New(password))
		require.ErrorIs(t, err, ErrInvalid)
		_, err = WithPassword(secret.New("postgres://u@h"), secret.New(password))
		require.ErrorIs(t, err, ErrInvalid)
	}
}

func TestWithoutPasswordTakesItOutOfEveryPlace(t *testing.T) {
	t.Parallel()
	for url, want := range map[string][2]string{
		"postgres://u:pw@h:5/d?sslmode=require":       {"postgres://u@h:5/d?sslmode=require", "pw"},
		"postgres://u@h/d":                            {"postgres://u@h/d", ""},
		"postgres://u:@h/d":                           {"postgres://u@h/d", ""},
		"postgres://h/d":                              {"postgres://h/d", ""},
		"postgres://u:p%40w%2F@h/d":                   {"postgres://u@h/d", "p@w/"},
		"postgres://h/d?user=u&password=p%26w&port=6": {"postgres://h/d?user=u&port=6", "p&w"},
		"postgres://u:one@h/d?password=two":           {"postgres://u@h/d", "two"},
		"postgres://u:one@h/d?p%61ssword=two":         {"postgres://u@h/d", "two"},
		"postgres://u:one@h/d?password=a&password=b":  {"postgres://u@h/d", "b"},
	} {
		u, err := Parse(secret.New(url))
		require.NoError(t, err, url)
		password, err := PasswordOf(secret.New(url))
		require.NoError(t, err, url)
		require.Equal(t, want, [2]string{u.WithoutSecrets(), password.Reveal()}, url)
	}
}

func TestWithoutSecretsTakesAllOfThemOut(t *testing.T) {
	t.Parallel()
	u, err := Parse(secret.New("postgres://u:pw@h/d?sslkey=/k&sslpassword=a%26b&scram_client_key=c&scram%5Fserver_key=s&sslmode=on&oauth_client_secret=o"))
	require.NoError(t, err)
	require.Equal(t, "postgres://u@h/d?sslkey=/k&sslmode=on", u.WithoutSecrets())
	require.Equal(t, map[string]string{"password": "pw", "sslpassword": "a&b", "scram_client_key": "c", "scram_server_key": "s", "oauth_client_secret": "o"}, revealed(u))
}

func TestWithPasswordReplacesIt(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgres://u:pw@h:5/d?sslmode=require":    "postgres://u:n%2Fw@h:5/d?sslmode=require",
		"postgres://u@h/d":                         "postgres://u:n%2Fw@h/d",
		"postgres://u:***@h/d":                     "postgres://u:n%2Fw@h/d",
		"postgres://h/d?user=u&password=pw&x=y":    "postgres://:n%2Fw@h/d?user=u&x=y",
		"postgres://u:pw@h/d?pass%77ord=other&x=y": "postgres://u:n%2Fw@h/d?x=y",
	} {
		with, err := WithPassword(secret.New(url), secret.New("n/w"))
		require.NoError(t, err, url)
		require.Equal(t, want, with.Reveal())
	}
}

// TestURLsThatAreMadeReadBack whatever the login is called.
func TestURLsThatAreMadeReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Filter(func(s string) bool { return s != "" && !strings.ContainsRune(s, 0) })
		user, database := text.Draw(t, "user"), text.Draw(t, "database")
		password := text.Filter(func(s string) bool { return strings.Trim(s, "*") != "" }).Draw(t, "password")
		admin := secret.New(rapid.SampledFrom([]string{
			"postgres://admin:pw@h:5/x?sslmode=require", "postgresql://a:1,b", "postgres:///x?host=/run/pg&user=y&password=z&dbname=w",
		}).Draw(t, "admin"))
		url, err := For(admin, user, database, secret.New(password))
		require.NoError(t, err)
		require.NoError(t, Check(url))
		u, err := Parse(url)
		require.NoError(t, err)
		said := u.Said()
		require.Equal(t, []string{user, password, database}, []string{said["user"], said["password"], said["dbname"]})
		before, err := Parse(admin)
		require.NoError(t, err)
		require.Equal(t, before.Addresses(), u.Addresses())

		require.Equal(t, password, u.Secrets()["password"].Reveal())
		again, err := WithPassword(secret.New(u.WithoutSecrets()), u.Secrets()["password"])
		require.NoError(t, err)
		require.True(t, again.Equal(url))
	})
}
