package pgurl

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

func mustParse(t *testing.T, url string) URL {
	t.Helper()
	u, err := Parse(secret.New(url))
	require.NoError(t, err, url)
	return u
}

func TestTheTablesOfParametersAgree(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, name := range slices.Concat(ofLibpq, ofSession) {
		require.Empty(t, seen[name], name)
		seen[name] = "known"
	}
	for _, d := range drivers {
		require.NotEmpty(t, d.source, d.name)
		for name := range strings.FieldsSeq(d.parameters) {
			require.Equal(t, strings.ToLower(name), name)
			require.NoError(t, checkName(name), name)
			require.Empty(t, misspelt(name), name)
			require.False(t, isOfSession(name), name)
		}
	}
	for _, name := range slices.Concat(secrets, ofLogin, portable, numbers, leading) {
		require.Contains(t, ofLibpq, name)
	}
	hasWords := func(name string) bool { return wordsOf(name) != nil }
	require.Len(t, slices.DeleteFunc(slices.Clone(ofLibpq), func(name string) bool { return !hasWords(name) }), 11)
}

// lib/pq takes the text of a private key, which is to be in nobody's arguments.
func TestAnInlineKeyIsLeftOutForLibpq(t *testing.T) {
	t.Parallel()
	u := mustParse(t, "postgres://u:pw@h/d?sslmode=verify-full&sslinline=true&sslkey=-----BEGIN%20K&sslcert=c&sslrootcert=r")
	require.Equal(t, "postgres://u@h/d?sslmode=verify-full", u.WithoutSecrets())
	require.NotContains(t, u.Variables(), "PGSSLKEY")
	known, unknown := u.ForDrivers()
	require.Equal(t, []string{"sslcert", "sslinline", "sslkey", "sslrootcert"}, known)
	require.Zero(t, unknown)
	require.Contains(t, mustParse(t, "postgres://h/d?sslinline=false&sslkey=/k").WithoutSecrets(), "sslkey=/k")
}

// What drivers alone know stays in the URL, and libpq is not told.
func TestDriversParametersAreLeftOutForLibpq(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"postgresql://u:pw@h/d?schema=app&connection_limit=5&sslmode=require&pgbouncer=true&pool_timeout=0": "postgresql://u@h/d?sslmode=require",
		"postgresql+asyncpg://u:pw@h/d?ssl=require":                                                         "postgresql://u@h/d?sslmode=require",
		"postgresql+psycopg2://h/d":                                                                         "postgresql://h/d",
		"postgres://h/d?ssl=no-verify&uselibpqcompat=true":                                                  "postgres://h/d?sslmode=require",
		"postgres://h/d?sslmode=no-verify":                                                                  "postgres://h/d?sslmode=require",
		"postgres://h/d?requiressl=1&ssl=true":                                                              "postgres://h/d?sslmode=require&sslmode=require",
		"postgres://h/d?ssl=0&":                                                                             "postgres://h/d?sslmode=disable",
		"postgres://h/d?pool_max_conns=3&x-migrations-table=m&prepareThreshold=0&serverVersion=16":          "postgres://h/d",
		"postgres://h/d?search_path=a%20b&connect_timeout=3":                                                `postgres://h/d?connect_timeout=3&options=-c%20search_path%3Da%5C%20b`,
		"postgres://h/d?default_transaction_read_only=on&options=-c%20jit%3Doff":                            `postgres://h/d?options=-c%20jit%3Doff%20-c%20default_transaction_read_only%3Don`,
		"postgres://h/d?h%6Fst=x&made_up=y":                                                                 "postgres://h/d?h%6Fst=x",
	} {
		require.NoError(t, Check(secret.New(url)), url)
		require.Equal(t, want, mustParse(t, url).WithoutSecrets(), url)
	}
	known, unknown := mustParse(t, "postgres://h/d?schema=a&ApplicationName=b&sslmode=require&made_up=c&search_path=d").ForDrivers()
	require.Equal(t, []string{"ApplicationName", "schema"}, known)
	require.Equal(t, 1, unknown)
}

// A URL that no client can use is refused where it is given. It can be kept and shown.
func TestURLsThatNoClientCanUse(t *testing.T) {
	t.Parallel()
	for query, why := range unusable {
		url := "postgres://u:pw@h/d?" + query
		err := Check(secret.New(url))
		require.ErrorIs(t, err, ErrInvalid, url)
		require.ErrorContains(t, err, why, url)
		require.Equal(t, "postgres://***:***@h/d", Describe(secret.New(url)), url)
	}
	long := "postgres://u@/d?host=/" + strings.Repeat("x", 100)
	require.ErrorContains(t, Check(secret.New(long)), "longer than 107 bytes")
	for _, query := range usable {
		require.NoError(t, Check(secret.New("postgres://u:pw@h/d?"+query)), query)
	}
	for scheme, why := range map[string]string{"jdbc:postgresql": "jdbc:", "prisma+postgres": "postgres://", "ecto": "postgres://", "postgis": "postgres://", "postgresql+a:b": "postgres://"} {
		require.ErrorContains(t, Check(secret.New(scheme+"://u:pw@h/d")), why)
	}
}

// unusable are parameters that libpq refuses before it goes anywhere, and what sp says of them.
var unusable = map[string]string{
	"sslmode=on":                   "sslmode that is none of disable, allow",
	"sslmode=":                     "sslmode that is none",
	"sslmode=Require":              "sslmode that is none",
	"ssl=perhaps":                  "ssl that says nothing",
	"channel_binding=x":            "channel_binding that is none of disable, prefer, require",
	"gssencmode=on":                "gssencmode that is none",
	"target_session_attrs=master":  "target_session_attrs that is none of any, read-write",
	"connect_timeout=soon":         "connect_timeout that is no whole number",
	"connect_timeout=":             "connect_timeout that is no whole number",
	"keepalives=yes":               "keepalives that is no whole number",
	"keepalives_idle=1.5":          "keepalives_idle that is no whole number",
	"tcp_user_timeout=99999999999": "tcp_user_timeout that is no whole number",
	"ssl_min_protocol_version=1.2": "ssl_min_protocol_version that is none of TLSv1",
	"ssl_min_protocol_version=TLSv1.3&ssl_max_protocol_version=TLSv1.2": "above its ssl_max",
	"load_balance_hosts=yes":                            "load_balance_hosts that is none of disable, random",
	"sslnegotiation=now":                                "sslnegotiation that is none of postgres, direct",
	"sslnegotiation=direct":                             "sslnegotiation=direct, which demands",
	"sslnegotiation=direct&sslmode=prefer":              "sslnegotiation=direct, which demands",
	"sslcertmode=no":                                    "sslcertmode that is none of disable, allow, require",
	"sslrootcert=system&sslmode=require":                "sslrootcert=system, which demands sslmode=verify-full",
	"require_auth=scram":                                "require_auth that is no list",
	"require_auth=md5,!none":                            "require_auth that is no list",
	"min_protocol_version=3.2&max_protocol_version=3.0": "above its max_protocol_version",
	"min_protocol_version=4":                            "min_protocol_version that is none of 3.0, 3.2, latest",
	"sslmod=require":                                    "is sslmode meant?",
	"ssl_mode=require":                                  "is sslmode meant?",
	"SSLMODE=require":                                   "is sslmode meant?",
	"sslmdoe=require":                                   "is sslmode meant?",
	"tls=true":                                          "is sslmode meant?",
	"pasword=x":                                         "is password meant?",
	"hots=x":                                            "is host meant?",
	"sslrootcrt=/x":                                     "is sslrootcert meant?",
	"requireauth=none":                                  "is require_auth meant?",
	"application-name=x&ssl.mode=require":               "meant?",
	// These a client sends, and every server refuses.
	"options=-c":            "options with a -c",
	"options=-csearch_path": "options with a -c",
	"options=-c%20search_path%20-c%20jit%3Doff": "options with a -c",
	"sslmode=disable&channel_binding=require":   "channel_binding=require",
	"replication=database":                      "replication",
	"client_encoding=bogus":                     "client_encoding",
}

var usable = []string{
	"sslmode=verify-full&sslrootcert=system", "sslrootcert=system", "require_auth=!password,!md5", "require_auth=scram-sha-256,none", "require_auth=",
	"connect_timeout=10&keepalives=0", "ssl_min_protocol_version=tlsv1.2", "ssl_max_protocol_version=", "sslnegotiation=direct&sslmode=verify-ca",
	"options=endpoint%3Dep-1", "options=-c%20search_path%3Da%20--jit%3Doff", "target_session_attrs=prefer-standby", "options=", "x-tls=1", "client_encoding=auto", "client_encoding=UTF-8", "client_encoding=", "replication=off",
}

// psql, which is the newest libpq that this machine has, refuses the same before it goes anywhere, and takes
// the same. What came later than it, it can't judge; and what only a server refuses, it sends.
func TestPsqlRefusesWhatNoClientCanUse(t *testing.T) {
	t.Parallel()
	psql, err := exec.LookPath("psql")
	if err != nil {
		t.Skip("there is no psql")
	}
	said := func(url string) string {
		cmd := exec.Command(psql, "-X", "-c", "", url)
		cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent"}
		out, err := cmd.CombinedOutput()
		require.Error(t, err, url)
		return string(out)
	}
	const nobody = "postgres://u:pw@127.0.0.1:1/d?"
	for query, why := range unusable {
		if strings.HasPrefix(why, "options") || why == "replication" || why == "client_encoding" || strings.HasPrefix(why, "channel_binding=require") || strings.HasPrefix(query, "sslrootcert=system") { // psql 16 knows system
			continue
		}
		require.NotContains(t, said(nobody+query), "refused", query)
	}
	for _, query := range usable {
		out := said(mustParse(t, nobody+query).WithoutSecrets())
		if strings.Contains(out, "invalid URI query parameter") || strings.Contains(query, "sslrootcert=system") { // of a later libpq
			continue
		}
		require.Contains(t, out, "refused", query)
	}
	for _, url := range []string{
		"postgres://u@127.0.0.1:70000/d", "postgres://u@127.0.0.1:0/d", "postgres://u:%00@127.0.0.1:1/d", "postgres://u@127.0.0.1:1,127.0.0.1:2/d?port=1,2,3",
		"postgres://u@127.0.0.1:1/d?hostaddr=127.0.0.1,127.0.0.2", "postgres://u@/d?host=/" + strings.Repeat("x", 100), "postgres://u@[::1/d", "postgres://u@127.0.0.1:1/d?a",
		"postgres://u@127.0.0.1:1/d?hostaddr=nowhere", "jdbc:postgresql://127.0.0.1:1/d?user=u",
	} {
		require.NotContains(t, said(url), "refused", url)
		require.Error(t, Check(secret.New(url)), url)
	}
}
