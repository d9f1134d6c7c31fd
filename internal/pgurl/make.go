package pgurl

import (
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/secret"
)

// ofLogin are the parameters that belong to one login, beside the secrets.
var ofLogin = []string{"user", "passfile", "sslcert", "sslkey", "oauth_issuer", "oauth_client_id", "oauth_scope"}

// For returns a URL for another login and database on the servers of an administrator's URL,
// with its other parameters. It has nothing of the administrator's login.
func For(admin secret.Secret, user, database string, password secret.Secret) (secret.Secret, error) {
	u, err := Parse(admin)
	if err != nil {
		return secret.Secret{}, err
	}
	p := u.parts
	p.drop(slices.Concat(secrets, ofLogin, []string{"dbname"}))
	p.hasUser, p.user, p.password = true, escape(user), escape(password.Reveal())
	p.path = "/" + escape(database)
	return p.usable()
}

// WithPassword returns a URL with another password.
func WithPassword(url, password secret.Secret) (secret.Secret, error) {
	u, err := Parse(url)
	if err != nil {
		return secret.Secret{}, err
	}
	p := u.parts
	p.drop([]string{"password"})
	p.hasUser, p.password = true, escape(password.Reveal())
	return p.usable()
}

// WithDatabase returns a URL with the same login to another database.
func WithDatabase(url secret.Secret, database string) (secret.Secret, error) {
	u, err := Parse(url)
	if err != nil {
		return secret.Secret{}, err
	}
	p := u.parts
	p.drop([]string{"dbname"})
	p.path = "/" + escape(database)
	return p.usable()
}

// usable puts a URL together that must be Usable.
func (p parts) usable() (secret.Secret, error) {
	url := secret.New(p.text())
	if err := Check(url); err != nil {
		return secret.Secret{}, err
	}
	return url, nil
}

// WithoutSecrets returns the URL for libpq on a command line, where everybody may read it: without
// what only drivers know. Secrets tells what a client is to be given some other way.
func (u URL) WithoutSecrets() string {
	p := u.parts
	p.scheme, _, _ = strings.Cut(p.scheme, "+")
	p.query = u.forLibpq()
	p.drop(secrets)
	p.password = ""
	return p.text()
}

// text puts a URL together from its parts.
func (p parts) text() string {
	var b strings.Builder
	b.WriteString(p.scheme + "://")
	if p.hasUser {
		b.WriteString(p.user)
		if p.password != "" {
			b.WriteString(":" + p.password)
		}
		b.WriteString("@")
	}
	b.WriteString(p.hosts + p.path)
	if p.query != "" {
		b.WriteString("?" + p.query)
	}
	return b.String()
}

// drop takes parameters out of a URL, however they are spelled.
func (p *parts) drop(names []string) {
	kept := slices.DeleteFunc(strings.Split(p.query, "&"), func(text string) bool {
		key, _, _ := strings.Cut(text, "=")
		return slices.Contains(names, unescape(key))
	})
	p.query = strings.Join(kept, "&")
}

// escape encodes all that is not a letter, digit or one of `-._~`, which every client leaves
// as it is.
func escape(text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
