package pgurl

import (
	"fmt"
	"testing"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

// What libpq says of these (PQconninfoParse), of which internal/provision asks psql again.
func TestParseReadsWhatLibpqDoes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[string]string{
		"postgres://":                              {},
		"postgresql://u:p:w@h:1/d":                 {"user": "u", "password": "p:w", "host": "h", "port": "1", "dbname": "d"},
		"postgres://u:@h:/":                        {"user": "u", "host": "h"},
		"postgres://:p@/":                          {"password": "p"},
		"postgres://u+v:%2Bp@h/d+e%2F/f":           {"user": "u+v", "password": "+p", "host": "h", "dbname": "d+e//f"},
		"postgres://a,b:2,[::1],":                  {"host": "a,b,::1,", "port": ",2,,"},
		"postgres://a%2Cb/":                        {"host": "a,b"},
		"postgres://staging/a?host=prod&dbname=b":  {"host": "prod", "dbname": "b"},
		"postgres://h?dbname=d":                    {"host": "h", "dbname": "d"},
		"postgres://h/d?host=&port=&":              {"host": "", "port": "", "dbname": "d"},
		"postgres://h/d?h%6Fst=%2Frun&host=x":      {"host": "x", "dbname": "d"},
		"postgres:///d?ssl=true&hostaddr=10.0.0.1": {"dbname": "d", "sslmode": "require", "hostaddr": "10.0.0.1"},
		"postgres:///d?ssl=false&password=a%26b":   {"dbname": "d", "sslmode": "disable", "password": "a&b"},
	} {
		u, err := Parse(secret.New(text))
		require.NoError(t, err, text)
		require.Equal(t, want, u.Said(), text)
	}
}

func TestDescribeSaysWhereAURLLeads(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"postgres://app:pw@staging.example:5432/app?host=prod.example&dbname=payments":        "postgres://***:***@prod.example:5432/payments",
		"postgres://app:pw@localhost/orders?host=/cloudsql/acme-prod:europe-west1:main":       "postgres://***:***@/orders?host=/cloudsql/acme-prod:europe-west1:main",
		"postgres://app@staging.example/app?hostaddr=10.0.0.9&sslmode=verify-full":            "postgres://***:***@/app?host=staging.example&hostaddr=10.0.0.9",
		"postgres://app@/app?hostaddr=::1&port=6":                                             "postgres://***:***@[::1]:6/app",
		"postgres://%2Frun%2Fpg:6,b/d":                                                        "postgres:///d?host=/run/pg,b&port=6,",
		"postgres://a,b/d?port=1,2":                                                           "postgres://a:1,b:2/d",
		"postgres://h/%64%3Fx%20%E2%80%AEy%ff":                                                "postgres://h/d%3Fx%20%E2%80%AEy%FF",
		"postgres:///d?host=/a%26hostaddr=x%1B":                                               "",
		"postgres:///d?host=/a%26hostaddr%3Dx":                                                "postgres:///d?host=/a%26hostaddr%3Dx",
		"postgresql://h?user=u&password=pw&application_name=x&sslpassword=s&oauth_scope=o%20": "postgresql://***:***@h",
	} {
		u, err := Parse(secret.New(text))
		if want == "" {
			require.Error(t, err, text)
			continue
		}
		require.NoError(t, err, text)
		require.Equal(t, want, u.describe(), text)
		require.Equal(t, want, fmt.Sprintf("%v", u), "however it is printed")
		require.Equal(t, want, fmt.Sprintf("%#v", u))
		again, err := Parse(secret.New(want))
		require.NoError(t, err, text)
		require.Equal(t, u.place(), again.place(), text)
		require.Equal(t, u.Said()["dbname"], again.Said()["dbname"], text)
	}
}

// A secret of a version of libpq that came later is to be put into the table.
func TestSecretsAreThoseOfLibpq18(t *testing.T) {
	t.Parallel()
	admin := secret.New("postgres://u:1@h/d?sslpassword=2&scram_client_key=3&scram_server_key=4&oauth_client_secret=5&passfile=/p&sslkey=/k&oauth_client_id=i&sslcrl=/l")
	u, err := Parse(admin)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"password": "1", "sslpassword": "2", "scram_client_key": "3", "scram_server_key": "4", "oauth_client_secret": "5"}, revealed(u))
	require.Equal(t, "postgres://u@h/d?passfile=/p&sslkey=/k&oauth_client_id=i&sslcrl=/l", u.WithoutSecrets())
	made, err := For(admin, "v", "e", secret.New("w"))
	require.NoError(t, err)
	require.Equal(t, "postgres://v:w@h/e?sslcrl=/l", made.Reveal())
}

func revealed(u URL) map[string]string {
	found := map[string]string{}
	for name, value := range u.Secrets() {
		found[name] = value.Reveal()
	}
	return found
}
