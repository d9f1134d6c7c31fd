package pgurl

import (
	"strings"
	"testing"

	"github.com/sp-registry/sp/internal/secret"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestMaskedIsThreeOrMoreStarsForAPassword(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]bool{
		"postgres://u:***@h/d":                           true,
		"postgres://u:********@h/d":                      true,
		"postgres://u:%2A%2A%2A@h/d":                     true,
		"postgres://u:%2a*%2A@h/d":                       true,
		"postgres://:***@h/d":                            true,
		"postgresql://u:***@h1:1,h2:2/d?sslmode=on":      true,
		"postgres://h/d?password=***":                    true,
		"postgres://h/d?a=b&password=%2A%2A%2A&c=d":      true,
		"postgres://h/d?p%61ssword=***":                  true,
		"postgres://u:pw@h/d?sslpassword=***":            true,
		"postgres://u@h/d?scram_client_key=%2A%2A%2A":    true,
		"mysql://u:***@h/d":                              true,
		"postgres://u:**@h/d":                            false,
		"postgres://u:*@h/d":                             false,
		"postgres://u:@h/d":                              false,
		"postgres://u@h/d":                               false,
		"postgres://***@h/d":                             false,
		"postgres://u:***x@h/d":                          false,
		"postgres://u:x***@h/d":                          false,
		"postgres://u:%2A%2A@h/d":                        false,
		"postgres://u:%252A%252A%252A@h/d":               false,
		"postgres://u:pw@***/d":                          false,
		"postgres://u:pw@h/***":                          false,
		"postgres://u:pw@h/d?application_name=***":       false,
		"postgres://u:pw@h/d?xpassword=***":              false,
		"postgres://u:pw:***@h/d":                        false,
		"***":                                            false,
		"":                                               false,
		"host=h password=***":                            false,
		"postgres://u:p@ss:***@h/d":                      false,
		"postgres://u:" + strings.Repeat("*", 99) + "@h": true,
	} {
		require.Equal(t, want, IsMasked(secret.New(url)), url)
	}
}

// H35 differs on purpose: the user is hidden with the password, and what is no URL of a
// database is hidden whole (TestURLsThatAreRefusedAndNotDescribed).
func TestURLsThatEveryClientReadsAlike(t *testing.T) {
	t.Parallel()
	for url, described := range map[string]string{
		"postgres://u:pw@h:5432/d":                         "postgres://***:***@h:5432/d",
		"postgresql://u:pw@h/d":                            "postgresql://***:***@h/d",
		"postgres://u@h/d":                                 "postgres://***:***@h/d",
		"postgres://h/d":                                   "postgres://h/d",
		"postgres://u:pw@h":                                "postgres://***:***@h",
		"postgres://u:pw@h/":                               "postgres://***:***@h",
		"postgres://u:pw@h1:1,h2:65535,h3/d":               "postgres://***:***@h1:1,h2:65535,h3/d",
		"postgres://u:pw@[::1]:5432/d":                     "postgres://***:***@[::1]:5432/d",
		"postgres://u:pw@[2001:db8::1]/d":                  "postgres://***:***@[2001:db8::1]/d",
		"postgres://u:pw@%2Fvar%2Frun/d":                   "postgres://***:***@/d?host=/var/run",
		"postgres:///d?host=/var/run&user=u&password=pw":   "postgres://***:***@/d?host=/var/run",
		"postgres://u:pw@h/d?sslmode=require&password=x":   "postgres://***:***@h/d",
		"postgres://u:p%40s%2Fs%3F%23%25%20%5C@h/d":        "postgres://***:***@h/d",
		"postgres://u:p:w@h/d":                             "postgres://***:***@h/d",
		"postgres://u:p'\"\\$&;=+!w@h/d":                   "postgres://***:***@h/d",
		"postgres://ü:pässwörd@hôst/d":                     "postgres://***:***@hôst/d",
		"postgres://u:" + strings.Repeat("x", 4096) + "@h": "postgres://***:***@h",
	} {
		require.NoError(t, Check(secret.New(url)), url)
		require.Equal(t, described, Describe(secret.New(url)), url)
	}
}

func TestURLsThatAreRefusedAndNotDescribed(t *testing.T) {
	t.Parallel()
	for url, why := range map[string]string{
		"":                                   "empty",
		"postgres://h/d?service=secret":      "service",
		"postgres://h/d?database=secret":     "dbname",
		"postgres://h/d?PASSWORD=secret":     "lower case",
		"postgres://h/d?secret":              "NAME=VALUE",
		"postgres://h/d?a=b=secret":          "NAME=VALUE",
		"postgres://h/d?a%20=secret":         "name",
		"postgres://h/d?user=&x=secret":      "user",
		"h/d":                                "postgres://",
		"u:secret@h/d":                       "postgres://",
		"POSTGRES://u:secret@h/d":            "postgres://",
		"http://u:secret@h/d":                "postgres://",
		"file:///secret":                     "postgres://",
		"javascript:secret":                  "postgres://",
		"host=h user=u password=secret":      "NAME=VALUE",
		"host=h":                             "postgres://",
		" postgres://u:secret@h/d":           "space",
		"postgres://u:secret@h/d\n":          "space",
		"postgres://u:sec ret@h/d":           "space",
		"postgres://u:sec\tret@h/d":          "space",
		"postgres://u:secret\x00@h/d":        "control",
		"postgres://u:secret\x1b[0m@h/d":     "control",
		"postgres://u:secret\u202e@h/d":      "control",
		"postgres://u:secret\u200b@h/d":      "control",
		"postgres://u:secret\u00a0@h/d":      "space",
		"postgres://u:secret\xff@h/d":        "control",
		"postgres://u:sec@ret@h/d":           "more than one @",
		"postgres://u@x:secret@h/d":          "more than one @",
		"postgres://u:sec/ret@h/d":           "behind the host",
		"postgres://u:sec?ret@h/d":           "behind the host",
		"postgres://u:sec#ret@h/d":           "#",
		"postgres://u:secret@h/d#x":          "#",
		"postgres://u:sec%zzret@h/d":         "%",
		"postgres://u:secret%@h/d":           "%",
		"postgres://u:secret%4@h/d":          "%",
		"postgres://u:secret%00@h/d":         "%",
		"postgres://u:secret@h/d%":           "%",
		"postgres://u:secret@h/d?x=%+1":      "%",
		"postgres://u:secret@h:0/d":          "port",
		"postgres://u:secret@h:65536/d":      "port",
		"postgres://u:secret@h:-1/d":         "port",
		"postgres://u:secret@h:+1/d":         "port",
		"postgres://u:secret@h:5432x/d":      "port",
		"postgres://u:secret@h1:1,h2:zero/d": "port",
		"postgres://u:secret@::1/d":          "port",
		"postgres://u:secret@[::1/d":         "[",
		"postgres://u:secret@[::1]5432/d":    "]",
		"postgres://u:secret":                "port",
	} {
		err := Check(secret.New(url))
		require.ErrorIs(t, err, ErrInvalid, url)
		require.ErrorContains(t, err, why, url)
		require.NotContains(t, err.Error(), "ret", url)
		require.Equal(t, "***", Describe(secret.New(url)), url)
	}
}

func TestMaskedURLsAreRefusedButDescribed(t *testing.T) {
	t.Parallel()
	for url, described := range map[string]string{
		"postgres://u:***@h:5432/d":                  "postgres://***:***@h:5432/d",
		"postgres://h/d?password=********":           "postgres://***:***@h/d",
		"postgres://u:sec/ret@h/d?password=***":      "***",
		"postgres://u:sec#ret@h/d?password=***":      "***",
		"postgres://u:secret?x@h/d?a=b&password=***": "***",
		"secret://u:***@h/d":                         "***",
		"u:secret postgres://u:***@h/d":              "***",
		"postgres://u:***@h:secret/d":                "***",
	} {
		require.ErrorIs(t, Check(secret.New(url)), ErrInvalid, url)
		require.Equal(t, described, Describe(secret.New(url)), url)
	}
}

const canary = "canary-4711"

func missing(described string) string {
	if strings.Contains(described, "//h") || strings.Contains(described, "?host") {
		return "database"
	}
	return "host"
}

// What a URL leaves out, each client takes from elsewhere: it can be kept and shown, but not
// entered.
func TestURLsThatLeadNowhereInParticular(t *testing.T) {
	t.Parallel()
	for url, described := range map[string]string{
		"postgres://":                       "postgres://",
		"postgresql:///":                    "postgresql://",
		"postgres:///d":                     "postgres:///d",
		"postgres://u:pw@/d?sslmode=on":     "postgres://***:***@/d",
		"postgres://u@:5433/d":              "postgres://***:***@:5433/d",
		"postgres://u@h,/d":                 "postgres://***:***@h,/d",
		"postgres://h":                      "postgres://h",
		"postgres://h?sslmode=require":      "postgres://h",
		"postgres://u@h/d?host=":            "postgres://***:***@/d",
		"postgres:///?host=/run/postgresql": "postgres:///?host=/run/postgresql",
	} {
		err := Check(secret.New(url))
		require.ErrorIs(t, err, ErrInvalid, url)
		require.ErrorContains(t, err, "names no "+missing(described), url)
		require.True(t, LeadsNowhere(secret.New(url)), url)
		require.Equal(t, described, Describe(secret.New(url)), url)
	}
	for _, url := range []string{
		"postgres://h/d", "postgres://u@h", "postgres://h?user=u", "postgres:///d?host=/run/postgresql", "postgres:///d?hostaddr=::1", "postgres://h?dbname=d",
	} {
		require.NoError(t, Check(secret.New(url)), url)
		require.False(t, LeadsNowhere(secret.New(url)), url)
	}
	require.False(t, LeadsNowhere(secret.New("mysql://u:pw@h/d")), "it can't be read")
}

func TestWaysToADatabaseAreTold(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"postgres://u:pw@h/d": true, "postgres://pw@h": true, "u:pw@h/d": true, "host=h password=x": true, "PASSWORD=x": true,
		"postgres://u:p w@h": true, "postgres://h/d?sslpassword=x": true, "--scram_client_key=x": true, "?p%61ssword=x": true, "host=h oauth_client_secret=x": true, "/dir/postgres:/u:pw@h": true, "://u:p\nw@h": true,
		"": false, "local": false, "a/b.yaml": false, "me@home": false, "8:30 @home": false, "git@host:path": false,
		"https://example.org": false, "C:\\x": false,
	} {
		require.Equal(t, want, IsConnection(text), text)
	}
}

// TestWhatIsPastedInPlaceOfAURLIsCalledWhatItIs: to percent-encode a command, or to leave out another database's
// scheme, would help nobody.
func TestWhatIsPastedInPlaceOfAURLIsCalledWhatItIs(t *testing.T) {
	t.Parallel()
	for text, why := range map[string]string{
		"psql postgres://u:pw@h/d":         "is a psql command (give the URL alone)",
		"host=localhost dbname=x":          "is a list of NAME=VALUE (write it as postgres://",
		"dbname = x":                       "is a list of NAME=VALUE (write it as postgres://",
		"localhost:5432/d":                 "does not start with postgres:// or postgresql:// (postgres://USER:PASSWORD@HOST:PORT/DATABASE)",
		"jdbc:postgresql://h/d":            "(leave out jdbc: or what else stands before)",
		"mysql://u:pw@h/d":                 "is of another kind than PostgreSQL's",
		"https://h/d":                      "is of another kind than PostgreSQL's",
		"prisma+postgres://h/?api_key=x":   "is of another kind than PostgreSQL's",
		"postgres://u:[YOUR-PASSWORD]@h/d": "has a placeholder in place of the password",
		"postgres://u:%3Cpassword%3E@h/d":  "has a placeholder in place of the password",
		"postgres://u:p w@h/d":             "holds a space or a control character (percent-encode it)",
	} {
		err := Check(secret.New(text))
		require.ErrorContains(t, err, why, text)
		require.NotContains(t, err.Error(), "pw@")
	}
	require.NoError(t, Check(secret.New("postgres://u:[password@h/d")))
	require.NoError(t, Check(secret.New("postgres://u:password@h/d")))
}

func TestHasSecret(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]bool{
		"postgres://u:pw@h/d": true, "postgres://u@h/d": false, "postgres://u:@h/d": false, "postgres://h/d": false,
		"postgres://h/d?password=x": true, "postgres://h/d?sslpassword=x": true, "postgres://h/d?scram_server_key=x": true, "postgres://h/d?p%61ssword=x": true,
		"postgres://h/d?sslmode=on": false, "postgres://h/d?sslkey=/k&passfile=/p": false,
		"host=h password=x": true, "host=h": true, "": true, "hunter2": true, "u:pw@h/d": true, "localhost:5432/d": false,
	} {
		require.Equal(t, want, HasSecret(secret.New(url)), url)
	}
}

// The password is hidden, whatever is around it and however it is written.
func TestNeitherDescribeNorCheckShowsAPassword(t *testing.T) {
	t.Parallel()
	described := 0
	part := rapid.OneOf(rapid.StringMatching(`[a-z]{0,3}`), rapid.SampledFrom([]string{"/", "?", "#", "@", ":", "%", "%zz", "***", ",", "[", " "}), rapid.StringN(0, 3, -1))
	rapid.Check(t, func(t *rapid.T) {
		password := part.Draw(t, "before") + canary + part.Draw(t, "after")
		user, host, database := part.Draw(t, "user"), part.Draw(t, "host"), part.Draw(t, "database")
		for _, scheme := range []string{"postgres", "postgresql", "mysql", ""} {
			for _, query := range []string{"", "sslmode=require", "password=***", "a=b&password=%2A%2A%2A"} {
				for _, url := range []string{
					scheme + "://" + user + ":" + password + "@" + host + "/" + database + "?" + query,
					scheme + "://" + user + "@" + host + "/" + database + "?" + query + "&password=" + password,
					scheme + "://" + host + "/" + database + "?password=" + password + "&" + query,
				} {
					if err := Check(secret.New(url)); err != nil {
						require.NotContains(t, err.Error(), canary, url)
					}
					shown := Describe(secret.New(url))
					require.NotContains(t, shown, canary, url)
					if shown != "***" {
						described++
					}
				}
			}
		}
	})
	require.Positive(t, described)
}
