package pgurl

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

// TestNoURLChoosesCode: what libpq would load, or write to, for a URL is refused, whoever made the URL.
func TestNoURLChoosesCode(t *testing.T) {
	t.Parallel()
	for url, why := range map[string]string{
		"postgres://u:pw@h/d?sslmode=require&sslcert=/x/c.pem&sslkey=../../x/e.so:k": "sslkey with a colon",
		"postgres://u:pw@h/d?sslkey=pkcs11:token%3Dx":                                "sslkey with a colon",
		"postgres://u:pw@h/d?ssl%6Bey=%2Fx%3Ak":                                      "sslkey with a colon",
		"postgres://u:pw@h/d?sslkey=/k&sslkey=/x:k":                                  "sslkey with a colon",
		"postgres://u:pw@h/d?sslkey=/x:k&sslinline=false":                            "sslkey with a colon",
		"postgres://u:pw@h/d?sslkeylogfile=/home/me/.profile":                        "sslkeylogfile",
		"postgres://u:pw@h/d?servicefile=/x&service=s":                               "service",
	} {
		require.ErrorContains(t, Check(secret.New(url)), why, url)
		require.True(t, IsHarmful(secret.New(url)), url)
	}
	for _, url := range []string{ // sp does not read these, and libpq might
		"postgres://u:pw@h/d?sslkey=/x:k&application_name=a@b", "host=h sslkey=/x:k", "postgres://u:pw@h/d?servic%65file=/x",
	} {
		require.Error(t, Check(secret.New(url)), url)
		require.True(t, IsHarmful(secret.New(url)), url)
	}
	for _, url := range []string{
		"postgres://u:pw@h/d?sslcert=/c.pem&sslkey=/k.pem", "postgres://u:pw@h/d?sslkey=", "postgres://u:pw@h/d?sslkeylogfile=",
		"postgres://u:pw@h/d?sslinline=true&sslkey=Proc-Type:%204", "postgres://u:pw:x@h/d",
	} {
		require.NoError(t, Check(secret.New(url)), url)
		require.False(t, IsHarmful(secret.New(url)), url)
	}
}
