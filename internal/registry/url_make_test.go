package registry

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

func TestURLForIsTheSameServerForAnotherLogin(t *testing.T) {
	t.Parallel()
	for admin, want := range map[string]string{
		"postgres://admin:pw@h:5/postgres": "postgres://u:p@h:5/d",
		"postgresql://h":                   "postgresql://u:p@h/d",
		"postgres://admin@h/":              "postgres://u:p@h/d",
		"postgres://admin:pw@a:1,b:2/x?sslmode=require&application_name=y":                                                   "postgres://u:p@a:1,b:2/d?sslmode=require&application_name=y",
		"postgres:///x?host=/run/pg&user=admin&password=pw&dbname=x":                                                         "postgres://u:p@/d?host=/run/pg",
		"postgres://h/x?passw%6Frd=pw&password=pw2&dbname=x&%75ser=me":                                                       "postgres://u:p@h/d",
		"postgres://a@h/x?sslkey=/k&sslcert=/c&sslpassword=s&sslmode=a&passfile=/p&scram_client_key=s&oauth_client_secret=s": "postgres://u:p@h/d?sslmode=a",
		"postgres://admin:pw@[::1]:5/x":                                                                                      "postgres://u:p@[::1]:5/d",
		"postgres://admin:pw@%2Frun%2Fpg/x?":                                                                                 "postgres://u:p@%2Frun%2Fpg/d",
	} {
		url, err := URLFor(secret.New(admin), "u", "d", secret.New("p"))
		require.NoError(t, err, admin)
		require.Equal(t, want, url.Reveal())
	}
	url, err := URLFor(secret.New("postgres://h"), `a:b@c/d`, `e?f#g%h ü`, secret.New(`i&j=k\l'm"n`))
	require.NoError(t, err)
	require.Equal(t, `postgres://a%3Ab%40c%2Fd:i%26j%3Dk%5Cl%27m%22n@h/e%3Ff%23g%25h%20%C3%BC`, url.Reveal())
}

func TestURLForRefusesWhatNoClientCouldUse(t *testing.T) {
	t.Parallel()
	for _, admin := range []string{"", "host=h", "postgres://u:p@x@h/d", "mysql://h/d"} {
		_, err := URLFor(secret.New(admin), "u", "d", secret.New("p"))
		require.ErrorIs(t, err, ErrInvalid, admin)
		_, _, err = WithoutSecrets(secret.New(admin))
		require.ErrorIs(t, err, ErrInvalid, admin)
		_, err = WithPassword(secret.New(admin), secret.New("p"))
		require.ErrorIs(t, err, ErrInvalid, admin)
		_, _, err = WithoutPassword(secret.New(admin))
		require.ErrorIs(t, err, ErrInvalid, admin)
	}
	for _, password := range []string{"***", "a\x00b"} {
		_, err := URLFor(secret.New("postgres://h"), "u", "d", secret.New(password))
		require.ErrorIs(t, err, ErrInvalid)
		_, err = WithPassword(secret.New("postgres://u@h"), secret.New(password))
		require.ErrorIs(t, err, ErrInvalid)
	}
}

func TestWithoutPasswordTakesItOutOfEveryPlace(t *testing.T) {
	t.Parallel()
	for url, want := range map[string][2]string{
		"postgres://u:pw@h:5/d?sslmode=require":      {"postgres://u@h:5/d?sslmode=require", "pw"},
		"postgres://u@h/d":                           {"postgres://u@h/d", ""},
		"postgres://u:@h/d":                          {"postgres://u@h/d", ""},
		"postgres://h/d":                             {"postgres://h/d", ""},
		"postgres://u:p%40w%2F@h/d":                  {"postgres://u@h/d", "p@w/"},
		"postgres://h/d?user=u&password=p%26w&x=y":   {"postgres://h/d?user=u&x=y", "p&w"},
		"postgres://u:one@h/d?password=two":          {"postgres://u@h/d", "two"},
		"postgres://u:one@h/d?p%61ssword=two":        {"postgres://u@h/d", "two"},
		"postgres://u:one@h/d?password=a&password=b": {"postgres://u@h/d", "b"},
	} {
		plain, password, err := WithoutPassword(secret.New(url))
		require.NoError(t, err, url)
		require.Equal(t, want, [2]string{plain, password.Reveal()}, url)
	}
}

func TestWithoutSecretsTakesAllOfThemOut(t *testing.T) {
	t.Parallel()
	plain, secrets, err := WithoutSecrets(secret.New("postgres://u:pw@h/d?sslkey=/k&sslpassword=a%26b&scram_client_key=c&scram%5Fserver_key=s&sslmode=on&oauth_client_secret=o"))
	require.NoError(t, err)
	require.Equal(t, "postgres://u@h/d?sslkey=/k&sslmode=on", plain)
	found := map[string]string{}
	for name, secret := range secrets {
		found[name] = secret.Reveal()
	}
	require.Equal(t, map[string]string{"password": "pw", "sslpassword": "a&b", "scram_client_key": "c", "scram_server_key": "s", "oauth_client_secret": "o"}, found)
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
		url, err := URLFor(admin, user, database, secret.New(password))
		require.NoError(t, err)
		require.NoError(t, CheckURL(url))
		u, err := pgurl.Parse(url.Reveal())
		require.NoError(t, err)
		said := u.Said()
		require.Equal(t, []string{user, password, database}, []string{said["user"], said["password"], said["dbname"]})
		before, err := Addresses(admin)
		require.NoError(t, err)
		after, err := Addresses(url)
		require.NoError(t, err)
		require.Equal(t, before, after)

		plain, taken, err := WithoutPassword(url)
		require.NoError(t, err)
		require.Equal(t, password, taken.Reveal())
		again, err := WithPassword(secret.New(plain), taken)
		require.NoError(t, err)
		require.True(t, again.Equal(url))
	})
}
