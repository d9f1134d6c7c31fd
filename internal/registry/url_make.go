package registry

import (
	"slices"
	"strings"
)

// URLFor returns a connection URL for another login and database on the servers of an
// administrator's URL, with its parameters. It has nothing of the administrator's login.
func URLFor(admin Secret, user, database string, password Secret) (Secret, error) {
	u, err := checkForm(admin.Reveal())
	if err != nil {
		return Secret{}, err
	}
	u.dropParameters("user", "password", "dbname", "database")
	u.hasUser, u.user, u.password = true, escape(user), escape(password.Reveal())
	u.path = "/" + escape(database)
	return checked(u)
}

// WithoutPassword returns a connection URL for a command line, where everybody may read it,
// and the password that a client is to be given some other way.
func WithoutPassword(url Secret) (plain string, password Secret, err error) {
	u, err := checkForm(url.Reveal())
	if err != nil {
		return "", Secret{}, err
	}
	text := unescape(u.password)
	if given, ok := u.dropParameters("password"); ok {
		text = given
	}
	u.password = ""
	return u.String(), NewSecret(text), nil
}

// WithPassword returns a connection URL with another password.
func WithPassword(url, password Secret) (Secret, error) {
	u, err := checkForm(url.Reveal())
	if err != nil {
		return Secret{}, err
	}
	u.dropParameters("password")
	u.hasUser, u.password = true, escape(password.Reveal())
	return checked(u)
}

// checked is a URL that was put together, if it can be used.
func checked(u urlParts) (Secret, error) {
	url := NewSecret(u.String())
	if err := CheckURL(url); err != nil {
		return Secret{}, err
	}
	return url, nil
}

// String puts a URL together from its parts.
func (u urlParts) String() string {
	var b strings.Builder
	b.WriteString(u.scheme + "://")
	if u.hasUser {
		b.WriteString(u.user)
		if u.password != "" {
			b.WriteString(":" + u.password)
		}
		b.WriteString("@")
	}
	b.WriteString(u.hosts + u.path)
	if u.query != "" {
		b.WriteString("?" + u.query)
	}
	return b.String()
}

// dropParameters takes parameters out of a URL, however they are spelled, and returns the
// value of the last one.
func (u *urlParts) dropParameters(names ...string) (value string, found bool) {
	var kept []string
	for parameter := range strings.SplitSeq(u.query, "&") {
		key, text, _ := strings.Cut(parameter, "=")
		if slices.Contains(names, unescape(key)) {
			value, found = unescape(text), true
			continue
		}
		kept = append(kept, parameter)
	}
	u.query = strings.Join(kept, "&")
	return value, found
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
