package pgurl

import (
	"testing"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
)

func TestAddressesOfAURLAreTheOnesThatClientsTry(t *testing.T) {
	t.Parallel()
	anywhere := []Address{{"unix", "/var/run/postgresql/.s.PGSQL.5432"}, {"unix", "/tmp/.s.PGSQL.5432"}, {"tcp", "localhost:5432"}}
	for url, want := range map[string][]Address{
		"postgres://u:p@h/d":                            {{"tcp", "h:5432"}},
		"postgres://u:p@h:99/d":                         {{"tcp", "h:99"}},
		"postgres://h:/d":                               {{"tcp", "h:5432"}},
		"postgresql://[::1]:5/d":                        {{"tcp", "[::1]:5"}},
		"postgresql://[fe80::1]/d":                      {{"tcp", "[fe80::1]:5432"}},
		"postgres://a:1,b:2/d":                          {{"tcp", "a:1"}, {"tcp", "b:2"}},
		"postgres://u@%2Frun%2Fpg:6/d":                  {{"unix", "/run/pg/.s.PGSQL.6"}},
		"postgres:///d":                                 anywhere,
		"postgres://":                                   anywhere,
		"postgres:///d?host=/run/pg&port=7":             {{"unix", "/run/pg/.s.PGSQL.7"}},
		"postgres://h/d?host=x&host=y":                  {{"tcp", "y:5432"}},
		"postgres://h:8/d?hostaddr=10.0.0.1":            {{"tcp", "10.0.0.1:8"}},
		"postgres:///d?host=a,b&port=1,2":               {{"tcp", "a:1"}, {"tcp", "b:2"}},
		"postgres:///d?host=a,b&port=3":                 {{"tcp", "a:3"}, {"tcp", "b:3"}},
		"postgres://x:8/d?host=a,b":                     {{"tcp", "a:8"}, {"tcp", "b:8"}},
		"postgres://x:1,y/d?host=a,b":                   {{"tcp", "a:1"}, {"tcp", "b:5432"}},
		"postgres://a%2Cb/d?port=,6":                    {{"tcp", "a:5432"}, {"tcp", "b:6"}},
		"postgres:///d?host=a,/run&hostaddr=,::1":       {{"tcp", "a:5432"}, {"tcp", "[::1]:5432"}},
		"postgres://u:***@masked/d":                     {{"tcp", "masked:5432"}},
		"postgres://h/d?application_name=x&port=&q=%41": {{"tcp", "h:5432"}},
	} {
		u, err := Parse(secret.New(url))
		require.NoError(t, err, url)
		require.Equal(t, want, u.Addresses(), url)
	}
	for _, url := range []string{"", "host=h", "postgres://u:p@x@h/d", "mysql://h/d", "postgres://h:0/d", "postgres://a,b/d?port=1,2,3", "postgres://a/d?host=a,b&hostaddr=::1", "postgres://h/d?hostaddr=elsewhere"} {
		_, err := Parse(secret.New(url))
		require.ErrorIs(t, err, ErrInvalid, url)
		_, ok := DatabaseOf(secret.New(url))
		require.False(t, ok, url)
	}
}

func TestURLsThatLeadToTheSameDatabase(t *testing.T) {
	t.Parallel()
	of := func(url string) string {
		database, ok := DatabaseOf(secret.New(url))
		require.True(t, ok, url)
		return database
	}
	for _, same := range [][]string{
		{"postgres://u:p@h/d", "postgresql://w:q@H:5432/d?sslmode=require", "postgres://h./d", "postgres:///x?host=h&dbname=d", "postgres://h/%64", "postgres://d:***@h"},
		{"postgres://localhost/d", "postgres://127.0.0.1/d", "postgres://[::1]:5432/d", "postgres://staging.example/x?dbname=d&hostaddr=0:0:0:0:0:0:0:1"},
	} {
		for _, url := range same {
			require.Equal(t, of(same[0]), of(url), url)
		}
	}
	for _, other := range []string{"postgres://h/e", "postgres://h:1/d", "postgres://g/d", "postgres://h,g/d", "postgres://h/D"} {
		require.NotEqual(t, of("postgres://h/d"), of(other), other)
	}
}
