package pgurl

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/secret"
)

func TestAPortableURLSaysNothingOfThisMachine(t *testing.T) {
	t.Parallel()
	for url, wants := range map[string]string{
		"postgres://u:p@h/d":                 "postgres://u:p@h/d",
		"postgres://u:p@h/d?sslmode=require": "postgres://u:p@h/d?sslmode=require",
		"postgres://u:p@h:5433/d?sslmode=verify-full&sslrootcert=/etc/ca.pem&connect_timeout=5": "postgres://u:p@h:5433/d?sslmode=verify-full&connect_timeout=5",
		"postgres://u:p@h/d?sslrootcert=system":                                                 "postgres://u:p@h/d?sslrootcert=system",
		"postgres://u:p@h/d?passfile=%2Fx&options=-c%20a%3Db":                                   "postgres://u:p@h/d",
		"no URL": "no URL",
	} {
		require.Equal(t, wants, Portable(secret.New(url)).Reveal())
	}
}
