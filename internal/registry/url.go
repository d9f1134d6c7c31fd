package registry

import (
	"fmt"
	"net"
	"regexp"
	"sync"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// What a connection URL means is told by internal/pgurl; here it is asked about a Secret.

// IsMasked tells whether a connection URL has three or more stars (`*` or `%2A`)
// in place of a secret, as the cloud shows it to those who may not see it.
func IsMasked(url secret.Secret) bool { return pgurl.IsMasked(url.Reveal()) }

// HasPassword tells whether a connection URL holds a password or another secret; when it is
// not plain, that is assumed.
func HasPassword(url secret.Secret) bool { return pgurl.HasSecret(url.Reveal()) }

// IsConnection tells whether a text that was given as something else, a name or a
// path, must have been meant as a way to a database: user:password@host, with or
// without a scheme, or libpq's keywords. It may hold a password and is not repeated.
func IsConnection(text string) bool {
	return userAtHost().MatchString(text) || pgurl.NamesSecret(text)
}

// userAtHost needs no `//`, but without it no blank may stand in the password: a
// name such as "8:30 @home" is no connection.
var userAtHost = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?s)://.*@|:\S+@`) })

// DescribeURL says which server and database a connection URL leads to, with stars for the
// user and the password and without other parameters; `***` when it is not plain enough to
// be sure where it leads and what in it is secret.
func DescribeURL(url secret.Secret) string {
	u, err := pgurl.Parse(url.Reveal())
	if err != nil {
		return "***"
	}
	return u.Describe()
}

// CheckURL tells whether a text is a PostgreSQL connection URL that every client reads alike,
// and that leads somewhere. The error never quotes the URL.
func CheckURL(url secret.Secret) error {
	if _, err := pgurl.Usable(url.Reveal()); err != nil {
		return badURL(err.Error())
	}
	return nil
}

// LeadsNowhere tells of a URL that can be read whether it leaves out the host, or the
// database and the user: each client would take another one.
func LeadsNowhere(url secret.Secret) bool {
	u, err := pgurl.Parse(url.Reveal())
	return err == nil && u.Missing() != ""
}

func badURL(why string) error { return fmt.Errorf("database URL: %s: %w", why, ErrInvalid) }

// parseURL reads a URL that may be masked, and may lead nowhere.
func parseURL(url secret.Secret) (pgurl.URL, error) {
	u, err := pgurl.Parse(url.Reveal())
	if err != nil {
		err = badURL(err.Error())
	}
	return u, err
}

// Address is where a connection URL looks for its server, as
// net.Dial takes it: "tcp" with a host and port, or "unix" with a socket's path.
type Address struct{ Network, Name string }

// Addresses returns the addresses that a connection URL names, in the order in which
// clients try them. A URL that can't be read has none.
func Addresses(url secret.Secret) ([]Address, error) {
	u, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	var at []Address
	for _, s := range u.Servers() {
		switch {
		case s.Target() == "": // what clients are built with differs
			at = append(at, socketIn("/var/run/postgresql", s.PortOr()), socketIn("/tmp", s.PortOr()),
				Address{"tcp", net.JoinHostPort("localhost", s.PortOr())})
		case s.IsSocket():
			at = append(at, socketIn(s.Host, s.PortOr()))
		default:
			at = append(at, Address{"tcp", net.JoinHostPort(s.Target(), s.PortOr())})
		}
	}
	return at, nil
}

func socketIn(dir, port string) Address { return Address{"unix", dir + "/.s.PGSQL." + port} }

// DatabaseOf returns what two URLs share that lead to the same database, as far as
// that shows from their text: servers, ports and database, whoever logs in. It is
// nothing where the URL can't be read. It is for comparing, not for showing.
func DatabaseOf(url secret.Secret) (string, bool) {
	u, err := parseURL(url)
	if err != nil {
		return "", false
	}
	return u.Place() + u.Database(), true
}

// SameLogin tells whether two URLs log in as the same role on the same servers, whatever the
// database and the password.
func SameLogin(a, b secret.Secret) bool {
	first, err := parseURL(a)
	second, unreadable := parseURL(b)
	if err != nil || unreadable != nil {
		return false
	}
	return first.User() != "" && first.User() == second.User() && first.Place() == second.Place()
}

// roleOf is who logs in with a URL, "" where that can't be read.
func roleOf(url secret.Secret) string {
	u, err := parseURL(url)
	if err != nil {
		return ""
	}
	return u.User()
}

// URLFor returns a connection URL for another login and database on the servers of an
// administrator's URL, with its parameters. It has nothing of the administrator's login.
func URLFor(admin secret.Secret, user, database string, password secret.Secret) (secret.Secret, error) {
	u, err := parseURL(admin)
	if err != nil {
		return secret.Secret{}, err
	}
	return checked(u.For(user, database, password.Reveal()))
}

// WithPassword returns a connection URL with another password.
func WithPassword(url, password secret.Secret) (secret.Secret, error) {
	u, err := parseURL(url)
	if err != nil {
		return secret.Secret{}, err
	}
	return checked(u.WithPassword(password.Reveal()))
}

// checked is a URL that was put together, if it can be used.
func checked(text string) (secret.Secret, error) {
	url := secret.New(text)
	if err := CheckURL(url); err != nil {
		return secret.Secret{}, err
	}
	return url, nil
}

// WithoutPassword returns a connection URL for a command line, where everybody may read it,
// and the password that a client is to be given some other way.
func WithoutPassword(url secret.Secret) (plain string, password secret.Secret, err error) {
	plain, secrets, err := WithoutSecrets(url)
	return plain, secrets["password"], err
}

// WithoutSecrets returns a connection URL for a command line, and all that is secret in it, by
// the names of libpq's parameters.
func WithoutSecrets(url secret.Secret) (plain string, secrets map[string]secret.Secret, err error) {
	u, err := parseURL(url)
	if err != nil {
		return "", nil, err
	}
	secrets = map[string]secret.Secret{}
	for name, value := range u.Secrets() {
		secrets[name] = secret.New(value)
	}
	return u.WithoutSecrets(), secrets, nil
}
