package pgurl

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

func TestVariablesLeadWhereTheURLLeads(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]map[string]string{
		"postgres://u:p%40w@h/d":                                       {"PGHOST": "h", "PGPORT": "5432", "PGDATABASE": "d", "PGUSER": "u", "PGPASSWORD": "p@w"},
		"postgres://h:6/d":                                             {"PGHOST": "h", "PGPORT": "6", "PGDATABASE": "d"},
		"postgres://u@h":                                               {"PGHOST": "h", "PGPORT": "5432", "PGDATABASE": "u", "PGUSER": "u"},
		"postgres://[::1]:6/d":                                         {"PGHOST": "::1", "PGPORT": "6", "PGDATABASE": "d"},
		"postgres://a:1,b/d":                                           {"PGHOST": "a,b", "PGPORT": "1,5432", "PGDATABASE": "d"},
		"postgres:///d?host=/run/pg&port=7":                            {"PGHOST": "/run/pg", "PGPORT": "7", "PGDATABASE": "d"},
		"postgres://u@%2Frun%2Fpg/d":                                   {"PGHOST": "/run/pg", "PGPORT": "5432", "PGDATABASE": "d", "PGUSER": "u"},
		"postgres://h/d?hostaddr=10.0.0.1":                             {"PGHOST": "h", "PGHOSTADDR": "10.0.0.1", "PGPORT": "5432", "PGDATABASE": "d"},
		"postgres:///d?host=a,/run&hostaddr=,::1":                      {"PGHOST": "a,/run", "PGHOSTADDR": ",::1", "PGPORT": "5432,5432", "PGDATABASE": "d"},
		"postgres://x:8/y?host=a,b&dbname=d&user=v":                    {"PGHOST": "a,b", "PGPORT": "8,8", "PGDATABASE": "d", "PGUSER": "v"},
		"postgres://h/d?sslmode=verify-full&options=-c%20x%3Dy%20&q=z": {"PGHOST": "h", "PGPORT": "5432", "PGDATABASE": "d", "PGSSLMODE": "verify-full", "PGOPTIONS": "-c x=y "},
		"postgres://h/d?ssl=true&keepalives=0&sslpassword=s":           {"PGHOST": "h", "PGPORT": "5432", "PGDATABASE": "d", "PGSSLMODE": "require"},
	} {
		u, err := Parse(secret.New(url))
		require.NoError(t, err, url)
		told := map[string]string{}
		for name, value := range u.Variables() {
			told[name] = value.Reveal()
		}
		require.Equal(t, want, told, url)
	}
}
