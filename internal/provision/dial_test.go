package provision

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// led is where a connection leads, and how.
type led struct {
	host, database, user, password string
	port                           uint16
	timeout                        time.Duration
	tls, picky                     bool
	others                         int
	settings                       [9]string
	parameters                     map[string]string
}

func mustLead(t *testing.T, url string) led {
	t.Helper()
	c, err := configOf(secret.New(url))
	require.NoError(t, err, url)
	return ledBy(c)
}

func ledBy(c *pgconn.Config) led {
	l := led{
		host: c.Host, port: c.Port, database: c.Database, user: c.User, password: c.Password, timeout: c.ConnectTimeout,
		tls: c.TLSConfig != nil, picky: c.ValidateConnect != nil, others: len(c.Fallbacks), parameters: c.RuntimeParams,
		settings: [9]string{c.SSLNegotiation, c.SSLCertMode, c.MinProtocolVersion, c.MaxProtocolVersion, c.ChannelBinding, c.RequireAuth, c.KerberosSpn, c.KerberosSrvName},
	}
	if l.tls {
		l.settings[8] = c.TLSConfig.ServerName
		if len(c.TLSConfig.Certificates) > 0 || c.TLSConfig.RootCAs != nil {
			l.settings[8] += " with certificates"
		}
	}
	return l
}

// TestOnlyTheURLSaysWhereAConnectionLeads whatever the environment and the home directory say.
func TestOnlyTheURLSaysWhereAConnectionLeads(t *testing.T) { // it changes the environment
	urls := []string{
		"postgres://u:p@127.0.0.1:5/d", "postgres://u:p@h/d?sslmode=require", "postgres://u@h", "postgres://u@h:/d?", "postgres://u@a,b/d",
		"postgres://u@a:1,b/d?ssl=true&", "postgres://u@/d?host=/run/pg", "postgres://h/d", "postgres://u:p@h/d?application_name=x&target_session_attrs=primary",
		"postgres://u@[::1]/d", "postgres://h?user=u", "postgres://u@h/d?sslmode=verify-full&connect_timeout=7",
	}
	t.Setenv("HOME", t.TempDir())
	var want []led
	for _, url := range urls {
		want = append(want, mustLead(t, url))
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	require.NoError(t, os.Mkdir(filepath.Join(home, ".postgresql"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(home, ".pgpass"), []byte("*:*:*:*:other\n"), 0o600))
	service := filepath.Join(home, "service")
	require.NoError(t, os.WriteFile(service, []byte("[other]\nhost=other\nport=9\nsslmode=disable\ntarget_session_attrs=read-only\npassword=other\noptions=-c x=y\n"), 0o600))
	for _, name := range []string{"root.crt", "postgresql.crt", "postgresql.key"} {
		require.NoError(t, os.WriteFile(filepath.Join(home, ".postgresql", name), []byte("not one"), 0o600))
	}
	for name, value := range map[string]string{
		"PGHOST": "other", "PGPORT": "9", "PGDATABASE": "other", "PGUSER": "other", "PGHOSTADDR": "10.0.0.9", "PGPASSWORD": "other", "PGPASSFILE": filepath.Join(home, ".pgpass"),
		"PGAPPNAME": "other", "PGCONNECT_TIMEOUT": "9", "PGSSLMODE": "verify-full", "PGSSLKEY": service, "PGSSLCERT": service, "PGSSLCERTMODE": "require",
		"PGSSLSNI": "0", "PGSSLROOTCERT": service, "PGSSLPASSWORD": "other", "PGSSLNEGOTIATION": "direct", "PGTARGETSESSIONATTRS": "standby",
		"PGSERVICE": "other", "PGSERVICEFILE": service, "PGTZ": "Asia/Tokyo", "PGOPTIONS": "-c x=y", "PGMINPROTOCOLVERSION": "3.2",
		"PGMAXPROTOCOLVERSION": "3.2", "PGCHANNELBINDING": "require", "PGREQUIREAUTH": "md5",
	} {
		t.Setenv(name, value)
	}
	for i, url := range urls {
		require.Equal(t, want[i], mustLead(t, url), url)
	}
	t.Setenv("PGSERVICE", "missing") // what remains: the library looks for it first
	_, err := configOf(secret.New(urls[0]))
	require.ErrorIs(t, err, pgurl.ErrInvalid)
}

// TestParametersOfOtherClientsAreNotSentToTheServer which would refuse the login with 42704.
func TestParametersOfOtherClientsAreNotSentToTheServer(t *testing.T) {
	t.Parallel()
	l := mustLead(t, "postgres://u:p@h/d?keepalives=1&gssencmode=disable&statement-cache-capacity=0&search_path=x&schema=app&connection_limit=5&pgbouncer=true&pool_timeout=0&made_up=y&options=&application_name=mine")
	require.Equal(t, map[string]string{"search_path": "x", "application_name": "mine", "client_encoding": "UTF8"}, l.parameters)
	require.Equal(t, "UTF8", mustLead(t, "postgres://u@h/d?client_encoding=auto").parameters["client_encoding"])
	require.Equal(t, "sp", mustLead(t, "postgres://u@h").parameters["application_name"])

	c, err := configOf(secret.New("postgres://u@db.example/d?hostaddr=10.0.0.1"))
	require.NoError(t, err)
	require.NotContains(t, c.RuntimeParams, "hostaddr")
	addresses, err := c.LookupFunc(t.Context(), c.Host)
	require.NoError(t, err)
	require.Equal(t, []string{"10.0.0.1:5432"}, addresses)
	c, err = configOf(secret.New("postgres://u@/d?hostaddr=10.0.0.1"))
	require.NoError(t, err)
	require.Equal(t, "10.0.0.1", c.Host, "not a socket")
}

// TestTheLibraryGoesWhereTheURLIsSaidToLead whatever the library itself would make of its text.
func TestTheLibraryGoesWhereTheURLIsSaidToLead(t *testing.T) {
	t.Parallel()
	for url, want := range map[string][]string{
		"postgres://u@h/d": {"h:5432", "u", "d"},
		"postgres://u@h":   {"h:5432", "u", ""},
		"postgres://u@staging/x?host=prod&dbname=d&user=v":     {"prod:5432", "v", "d"},
		"postgres://u@staging:6/x?host=a,b&dbname=d":           {"a:6", "b:6", "u", "d"},
		"postgres://u@a:1,b,c:3/d":                             {"a:1", "b:5432", "c:3", "u", "d"},
		"postgres://u@a%2Cb/d?port=,7":                         {"a:5432", "b:7", "u", "d"},
		"postgres://u@h/d?host=x&host=y&port=1&port=2":         {"y:2", "u", "d"},
		"postgres://u@h/d?h%6Fst=y&p%6Frt=2":                   {"y:2", "u", "d"},
		"postgres://u@[::1]:5/a/b%3Fc":                         {"::1:5", "u", "a/b?c"},
		"postgres://u@staging/d?host=/run/pg":                  {"/run/pg:5432", "u", "d"},
		"postgres://u@%2Frun%2Fp'g%5C:6/d":                     {"/run/p'g\\:6", "u", "d"},
		"postgres://u@/d?host=/run/pg&hostaddr=10.0.0.1":       {"10.0.0.1:5432", "u", "d"},
		"postgres://u@a,/d?hostaddr=10.0.0.1,10.0.0.2&port=3,": {"a:3", "10.0.0.2:5432", "u", "d"},
		"postgres://u@h/?dbname=":                              {"h:5432", "u", ""},
		"postgres://u@h//d?sslmode=disable":                    {"h:5432", "u", "/d"},
		"postgres://u@h/d+e?options=-c%20a%3Db%5C'":            {"h:5432", "u", "d+e"},
	} {
		c, err := configOf(secret.New(url))
		require.NoError(t, err, url)
		at := func(host string, port uint16) string { return fmt.Sprintf("%s:%d", host, port) }
		led := []string{at(c.Host, c.Port)}
		for _, f := range c.Fallbacks {
			led = append(led, at(f.Host, f.Port))
		}
		require.Equal(t, want, append(slices.Compact(led), c.User, c.Database), url)
	}
}

func TestSecretsForOtherClientsAreNotSentToTheServer(t *testing.T) {
	t.Parallel()
	l := mustLead(t, "postgres://u:p@h/d?scram_client_key=k&scram_server_key=k&oauth_client_secret=k&sslpassword=k&password=k")
	require.Equal(t, map[string]string{"application_name": "sp", "client_encoding": "UTF8"}, l.parameters)
}

func TestURLsThatTheLibraryRefusesAreNotQuoted(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "postgres://u:s3cret@x@h/d", "postgres://u:s3cret@h/d?sslmode=s3cret", "postgres://u:s3cret@h/d?s3cret",
		"postgres://u:s3cret@h/d?sslcert=/nowhere/s3cret&sslkey=/nowhere", "postgres://u:s3cret@h/d?a=b=s3cret", "postgres://u:***@h/d",
		"postgres://u:s3cret@h/d?service=x&servicefile=/nowhere", "postgres://u:s3cret@h/d?database=x", "postgres://u:s3cret@/d", "postgres://u:s3cret@h/d?user=",
		"postgres://u:s3cret@/d?host=%40abstract", "postgres://u:s3cret@h/d?x%3D1%20host=y", "postgres://u:s3cret@/d?host=C:%5Cx",
		"postgres://u:pw@h/d?sslkey=-----BEGIN%20s3cret&sslcert=/dev/null", "postgres://u:pw@h/d?sslkey=s3cret%0A&sslcert=%0As3cret",
	} {
		_, err := Check(t.Context(), secret.New(url))
		require.ErrorIs(t, err, pgurl.ErrInvalid, url)
		require.NotContains(t, err.Error(), "s3cret")
		_, err = Connect(t.Context(), secret.New(url))
		require.ErrorIs(t, err, pgurl.ErrInvalid, url)
	}
}

// TestAFileThatAURLNamesIsNamed if it can't be read, before the library reads it: a stranger may have named a device.
func TestAFileThatAURLNamesIsNamed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe, pem := filepath.Join(dir, "pipe"), filepath.Join(dir, "no.pem")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	require.NoError(t, os.WriteFile(pem, []byte("not one"), 0o600))
	for parameters, why := range map[string]string{
		"sslrootcert=/none":                        "sslrootcert /none: no such file",
		"sslcert=" + pem + "&sslkey=/none":         "sslkey /none: no such file",
		"sslcert=" + dir + "&sslkey=" + pem:        "sslcert " + dir + ": no plain file",
		"sslrootcert=/dev/zero":                    "sslrootcert /dev/zero: no plain file",
		"sslrootcert=" + pipe:                      "sslrootcert " + pipe + ": no plain file",
		"sslrootcert=" + pem:                       "what is said by sslrootcert ",
		"sslcert=" + pem:                           "what is said by sslcert ",
		"sslcert=" + pem + "&sslkey=" + pem:        "what is said by sslcert, sslkey ",
		"sslkey=..%2Fengine.so:key&sslcert=" + pem: "sslkey with a colon",
	} {
		_, err := Check(t.Context(), secret.New("postgres://u:pw@127.0.0.1:1/d?"+parameters))
		require.ErrorIs(t, err, pgurl.ErrInvalid, parameters)
		require.ErrorContains(t, err, why)
	}
}
