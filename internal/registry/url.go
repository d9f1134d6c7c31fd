package registry

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// IsMasked tells whether a connection URL has three or more stars (`*` or `%2A`)
// in place of its password, as the cloud shows it to those who may not see it.
func IsMasked(url Secret) bool {
	u, ok := cutURL(url.Reveal())
	if !ok {
		return false
	}
	if isStars(u.password) {
		return true
	}
	for parameter := range strings.SplitSeq(u.query, "&") {
		if value, ok := strings.CutPrefix(parameter, "password="); ok && isStars(value) {
			return true
		}
	}
	return false
}

func isStars(password string) bool {
	stars := strings.NewReplacer("%2A", "*", "%2a", "*").Replace(password)
	return len(stars) >= 3 && strings.Trim(stars, "*") == ""
}

// HasPassword tells whether a connection URL holds a password; when it is not
// plain, that is assumed.
func HasPassword(url Secret) bool {
	u, ok := cutURL(url.Reveal())
	return !ok || u.password != "" || strings.Contains(u.query, "password=")
}

// IsConnection tells whether a text that was given as something else, a name or a
// path, must have been meant as a way to a database: user:password@host, with or
// without a scheme, or libpq's keywords. It may hold a password and is not repeated.
func IsConnection(text string) bool {
	return userAtHost().MatchString(text) || strings.Contains(strings.ToLower(text), "password=")
}

// userAtHost needs no `//`, but without it no blank may stand in the password: a
// name such as "8:30 @home" is no connection.
var userAtHost = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?s)://.*@|:\S+@`) })

// DescribeURL says which server and database a connection URL points to, with
// stars for the user and the password and without parameters; `***` when it is
// not plain enough to be sure what in it is secret.
func DescribeURL(url Secret) string {
	u, err := checkForm(url.Reveal())
	if err != nil {
		return "***"
	}
	if u.hasUser {
		u.hosts = "***:***@" + u.hosts
	}
	return u.scheme + "://" + u.hosts + u.path
}

// CheckURL tells whether a text is a PostgreSQL connection URL that every client
// reads alike: libpq ends the user at the first `@`, Go at the last, so what is
// ambiguous is refused. The error never quotes the URL. The form is the one of
// https://www.postgresql.org/docs/current/libpq-connect.html (Connection URIs).
func CheckURL(url Secret) error {
	if _, err := checkForm(url.Reveal()); err != nil {
		return err
	}
	if IsMasked(url) {
		return badURL("has stars in place of the password")
	}
	return nil
}

func badURL(why string) error { return fmt.Errorf("database URL: %s: %w", why, ErrInvalid) }

// checkForm is CheckURL for a URL that may be masked; it returns its parts.
func checkForm(text string) (urlParts, error) {
	if text == "" {
		return urlParts{}, badURL("empty")
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return urlParts{}, badURL("holds a space or a control character (percent-encode it)")
	}
	u, ok := cutURL(text)
	switch {
	case !ok || u.scheme != "postgres" && u.scheme != "postgresql":
		return u, badURL("does not start with postgres:// or postgresql://")
	case strings.Contains(text, "#"):
		return u, badURL("holds a bare # (percent-encode it as %23)")
	case strings.Contains(u.user+u.password, "@"):
		return u, badURL("holds more than one @ (percent-encode it as %40 in a user or password)")
	case strings.Contains(u.path+u.query, "@"):
		return u, badURL("holds an @ behind the host (percent-encode / ? and @ in a user or password)")
	case !validEscapes(text):
		return u, badURL("holds a % that does not start an escape such as %25")
	}
	for host := range strings.SplitSeq(u.hosts, ",") {
		if why := badHost(host); why != "" {
			return u, badURL(why)
		}
	}
	return u, nil
}

// urlParts is a connection URL cut at its separators; nothing is decoded.
type urlParts struct {
	scheme, user, password, hosts, path, query string
	hasUser                                    bool
}

// cutURL cuts a URL the way that shows most of it as user and password: at the
// last `@` of the authority.
func cutURL(text string) (u urlParts, ok bool) {
	u.scheme, text, ok = strings.Cut(text, "://")
	if !ok {
		return u, false
	}
	text, u.query, _ = strings.Cut(text, "?")
	if slash := strings.IndexByte(text, '/'); slash >= 0 {
		text, u.path = text[:slash], text[slash:]
	}
	u.hosts = text
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		u.hasUser, u.hosts = true, text[at+1:]
		u.user, u.password, _ = strings.Cut(text[:at], ":")
	}
	return u, true
}

func validEscapes(text string) bool {
	for {
		_, after, found := strings.Cut(text, "%")
		if !found {
			return true
		}
		if len(after) < 2 {
			return false
		}
		if b, err := strconv.ParseUint(after[:2], 16, 8); err != nil || b == 0 {
			return false
		}
		text = after
	}
}

// badHost says what is wrong with one host[:port], or nothing.
func badHost(host string) string {
	port := ""
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return "holds a [ without its ]"
		}
		port = host[end+1:]
		if port != "" && port[0] != ':' {
			return "holds something between ] and the port"
		}
		port = strings.TrimPrefix(port, ":")
	} else {
		_, port, _ = strings.Cut(host, ":")
	}
	if port == "" {
		return ""
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "port is not a number from 1 to 65535"
	}
	return ""
}
