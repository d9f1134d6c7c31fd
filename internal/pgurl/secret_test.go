package pgurl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sp-registry/sp/internal/pgurl"
)

func TestSecretLineFindsConnectionStringsWithASecret(t *testing.T) {
	t.Parallel()
	for text, line := range map[string]int{
		"":                                  0,
		"url: postgres://u@h/d\nport: 5432": 0,
		"a\nurl: postgres://u:pw@h/d\n":     2,
		"a\nb: redis://:pw@h":               2,
		"url: postgres://u:***@h/d":         0,
		"url: postgres://u:%2A%2A%2A@h/d":   0,
		"url: postgres://u:${PW}@h/d":       0,
		"dsn: host=h password='pw'":         1,
		"postgres://h/d?sslpassword=pw":     1,
		"dsn: host=h PASSWORD = pw":         1,
		"dsn: host=h password=${PW}":        0,
		"site: http://localhost:8080/a@b":   0,
		"mail: a:b@c":                       0,
		"password: pw":                      0,
		"password=":                         0,
	} {
		require.Equal(t, line, pgurl.SecretLine(text), text)
	}
}
