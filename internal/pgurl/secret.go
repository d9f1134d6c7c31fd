package pgurl

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/sp-registry/sp/internal/secret"
)

// secrets are the parameters of libpq whose values are secret, of all versions up to 18 (those
// that it marks with `*` or `D` in PQconninfoOptions and that hold one). What is named like
// a file is not: passfile, sslkey and sslkeylogfile are paths. None but password has an
// environment variable: PGSSLPASSWORD is pgx's own.
var secrets = []string{"password", "sslpassword", "scram_client_key", "scram_server_key", "oauth_client_secret"}

func isSecret(parameter string) bool { return slices.Contains(secrets, parameter) }

// Secrets returns the secrets of the URL by their names; an empty one is none.
func (u URL) Secrets() map[string]secret.Secret {
	found := map[string]secret.Secret{}
	for _, name := range secrets {
		if value := u.said[name]; value != "" {
			found[name] = secret.New(value)
		}
	}
	return found
}

// PasswordOf returns the password of a URL, an empty one where it has none.
func PasswordOf(url secret.Secret) (secret.Secret, error) {
	u, err := Parse(url)
	return u.Secrets()["password"], err
}

// HasSecret tells whether a text holds a secret; of one that is no URL that is assumed, unless it is only a place.
func HasSecret(url secret.Secret) bool {
	text := url.Reveal()
	p, ok := cut(text)
	if !ok {
		return !strings.Contains(text, "/") || strings.Contains(text, "@") || namesSecret(text)
	}
	if p.password != "" {
		return true
	}
	for range p.secretValues {
		return true
	}
	return false
}

// IsMasked tells whether a URL, of whatever database, has three or more stars (`*` or `%2A`)
// in place of a secret, as the cloud shows it to those who may not see it.
func IsMasked(url secret.Secret) bool {
	p, ok := cut(url.Reveal())
	if !ok {
		return false
	}
	if isStars(p.password) {
		return true
	}
	for value := range p.secretValues {
		if isStars(value) {
			return true
		}
	}
	return false
}

// secretValues yields the values of the parameters that are secret, as they are encoded.
func (p parts) secretValues(yield func(string) bool) {
	for text := range strings.SplitSeq(p.query, "&") {
		key, value, _ := strings.Cut(text, "=")
		if isSecret(strings.ToLower(unescape(key))) && !yield(value) {
			return
		}
	}
}

func isStars(encoded string) bool {
	stars := unescape(encoded)
	return len(stars) >= 3 && strings.Trim(stars, "*") == ""
}

// IsConnection tells whether a text that was given as something else, a name or a
// path, must have been meant as a way to a database: user:password@host, with or
// without a scheme, or libpq's keywords. It may hold a password and is not repeated.
func IsConnection(text string) bool { return userAtHost().MatchString(text) || namesSecret(text) }

// IsMisplaced tells whether a text that was given as a name, an id or another word must have been meant as a
// secret: a way to a database, or a token. It is not repeated, nor kept.
func IsMisplaced(text string) bool { return IsConnection(text) || secret.IsToken(text) }

// userAtHost needs no `//`, but without it no blank may stand in the password: a
// name such as "8:30 @home" is no connection.
var userAtHost = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?s)://.*@|:\S+@`) })

// namesSecret tells whether a text says `password=` or the like, wherever it stands.
func namesSecret(text string) bool {
	text = strings.ToLower(unescape(text))
	return slices.ContainsFunc(secrets, func(name string) bool { return strings.Contains(text, name+"=") })
}

// SecretLine returns the number of the first line of a text, such as a configuration, in which a
// connection string says its password, or another of its secrets; 0 for none. Stars, and what a
// program puts in later (${PASSWORD}), say none.
func SecretLine(text string) int {
	n := 0
	for line := range strings.Lines(text) {
		n++
		for _, found := range secretInLine().FindAllStringSubmatch(line, -1) {
			if value := found[1] + found[2]; !isStars(value) && !isVariable(value) {
				return n
			}
		}
	}
	return 0
}

// secretInLine finds user:password@ behind the slashes of a URL, and the parameters that are secret.
var secretInLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`://[^\s:/?#@"']*:([^\s/@"']+)@|(?i:\b(?:` + strings.Join(secrets, "|") + `)\s*=\s*["']?([^\s&"',;]+))`)
})

func isVariable(value string) bool {
	return strings.HasPrefix(value, "${") && strings.HasSuffix(value, "}")
}
