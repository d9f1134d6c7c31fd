// Package pgurl knows what a PostgreSQL connection URL means: where libpq goes with it, its
// parameters included, and what in it is secret. Only the text decides: neither the environment
// nor a file is asked, so what the text does not say is missing.
package pgurl

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/secret"
)

// ErrInvalid is returned for a text that is no connection URL, or none that can be used.
var ErrInvalid = errors.New("not allowed")

func invalid(why error) error { return fmt.Errorf("database URL: %w: %w", why, ErrInvalid) }

// URL is a connection URL that every client reads alike.
type URL struct {
	parts
	said    map[string]string // by libpq's names, decoded; of a repeated one the last
	servers []Server
}

// Format writes what Describe says, whatever the verb: a URL holds secrets.
func (u URL) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(u.describe())) }

// Parse reads a connection URL as libpq does, in the form of
// https://www.postgresql.org/docs/current/libpq-connect.html (Connection URIs). What clients
// read differently is refused: libpq ends the user at the first `@`, Go at the last. The error
// never quotes the URL, which may be masked and may lead nowhere; nothing of one that is
// refused is returned.
func Parse(url secret.Secret) (URL, error) {
	u, err := parse(url.Reveal())
	if err != nil {
		return URL{}, invalid(err)
	}
	return u, nil
}

func parse(text string) (URL, error) {
	u := URL{said: map[string]string{}}
	if text == "" {
		return u, errors.New("empty")
	}
	if why := another(text); why != "" {
		return u, errors.New(why)
	}
	if !isPrintable(text) || strings.Contains(text, " ") {
		return u, errors.New("holds a space or a control character (percent-encode it)")
	}
	u.parts, _ = cut(text)
	switch {
	case strings.Contains(text, "#"):
		return u, errors.New("holds a bare # (percent-encode it as %23)")
	case strings.Contains(u.user+u.password, "@"):
		return u, errors.New("holds more than one @ (percent-encode it as %40 in a user or password)")
	case strings.Contains(u.path+u.query, "@"):
		return u, errors.New("holds an @ behind the host (percent-encode / ? and @ in a user or password)")
	case !validEscapes(text):
		return u, errors.New("holds a % that does not start an escape such as %25")
	}
	if err := u.readAuthority(); err != nil {
		return u, err
	}
	if err := u.readParameters(); err != nil {
		return u, err
	}
	var err error
	u.servers, err = serversOf(u.said)
	return u, err
}

// another says what a text is that is pasted in place of a URL, or how it differs from one; "" if it is one.
func another(text string) string {
	const form = "postgres://USER:PASSWORD@HOST:PORT/DATABASE"
	scheme, _, isURL := strings.Cut(text, "://")
	_, after, _ := strings.Cut(scheme, ":")
	switch {
	case strings.HasPrefix(text, "psql "):
		return "is a psql command (give the URL alone)"
	case isKeywords().MatchString(text):
		return "is a list of NAME=VALUE (write it as " + form + ")"
	case !isURL:
		return "does not start with postgres:// or postgresql:// (" + form + ")"
	case isScheme(scheme), strings.TrimSpace(scheme) != scheme:
		return ""
	case isScheme(after): // as in jdbc:postgresql://
		return "does not start with postgres:// or postgresql:// (leave out jdbc: or what else stands before)"
	}
	return "is of another kind than PostgreSQL's, which starts with postgres:// or postgresql://"
}

// isKeywords matches libpq's other form of a connection string.
var isKeywords = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*[a-z_]+\s*=`) })

// isScheme takes what clients take, and a driver's name behind it, as in SQLAlchemy's postgresql+asyncpg.
func isScheme(scheme string) bool {
	protocol, driver, _ := strings.Cut(scheme, "+")
	return (protocol == "postgres" || protocol == "postgresql") && strings.Trim(driver, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// Usable reads a URL that leads somewhere: one that is masked is refused, one for which each
// client would take another host or database, and one that no client can use.
func Usable(url secret.Secret) (URL, error) {
	u, err := Parse(url)
	switch {
	case err != nil:
	case IsMasked(url):
		err = invalid(errors.New("has stars in place of the password"))
	case isPlaceholder(u.password):
		err = invalid(errors.New("has a placeholder in place of the password (put the password there)"))
	case u.missing() != "":
		err = invalid(fmt.Errorf("names no %s, and each client would take another (postgres://USER:PASSWORD@HOST:PORT/DATABASE, or ?host=DIRECTORY for a socket)", u.missing()))
	default:
		if why := u.checkUse(); why != nil {
			err = invalid(why)
		}
	}
	return u, err
}

// isPlaceholder tells of a password whether it is what a provider's page shows for it: [YOUR-PASSWORD], <password>.
func isPlaceholder(encoded string) bool {
	text := unescape(encoded)
	bare := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if bare == text {
		bare = strings.TrimSuffix(strings.TrimPrefix(text, "<"), ">")
	}
	return len(bare) == len(text)-2 && strings.Contains(strings.ToLower(bare), "password")
}

// Check refuses a URL that is not Usable.
func Check(url secret.Secret) error {
	_, err := Usable(url)
	return err
}

func isPrintable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// parts are a URL cut at its separators; nothing is decoded.
type parts struct {
	scheme, user, password, hosts, path, query string
	hasUser                                    bool
}

// cut cuts a URL in the way that shows most of it as user and password: at the last `@` of
// the authority.
func cut(text string) (p parts, ok bool) {
	p.scheme, text, ok = strings.Cut(text, "://")
	if !ok {
		return p, false
	}
	text, p.query, _ = strings.Cut(text, "?")
	if slash := strings.IndexByte(text, '/'); slash >= 0 {
		text, p.path = text[:slash], text[slash:]
	}
	p.hosts = text
	if at := strings.LastIndexByte(text, '@'); at >= 0 {
		p.hasUser, p.hosts = true, text[at+1:]
		p.user, p.password, _ = strings.Cut(text[:at], ":")
	}
	return p, true
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

// unescape decodes text that is well escaped; a `+` is a plus.
func unescape(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if c, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// readAuthority reads what stands before the parameters. libpq decodes the hosts when they
// are one list already, so an encoded comma separates hosts, too.
func (u *URL) readAuthority() error {
	var hosts, ports []string
	for text := range strings.SplitSeq(u.hosts, ",") {
		host, port, err := cutHost(text)
		if err != nil {
			return err
		}
		hosts, ports = append(hosts, host), append(ports, port)
	}
	for _, said := range [...]struct{ name, value string }{
		{"user", u.user},
		{"password", u.password},
		{"dbname", strings.TrimPrefix(u.path, "/")},
		{"host", strings.Join(hosts, ",")},
		{"port", strings.Join(ports, ",")},
	} {
		if said.value != "" {
			u.said[said.name] = unescape(said.value)
		}
	}
	return nil
}

// cutHost cuts host[:port]; an IPv6 address stands in brackets there.
func cutHost(text string) (host, port string, err error) {
	if !strings.HasPrefix(text, "[") {
		host, port, _ = strings.Cut(text, ":")
		return host, port, checkPort(port)
	}
	host, port, closed := strings.Cut(text[1:], "]")
	switch {
	case !closed:
		return "", "", errors.New("holds a [ without its ]")
	case host == "":
		return "", "", errors.New("holds brackets without an address")
	case port != "" && port[0] != ':':
		return "", "", errors.New("holds something between ] and the port")
	}
	port = strings.TrimPrefix(port, ":")
	return host, port, checkPort(port)
}

func checkPort(port string) error {
	if port == "" {
		return nil
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("port is not a number from 1 to 65535")
	}
	return nil
}

// readParameters reads the parameters, which override what stands before them, with an empty
// value, too.
func (u *URL) readParameters() error {
	if u.query == "" {
		return nil
	}
	for text := range strings.SplitSeq(strings.TrimSuffix(u.query, "&"), "&") {
		key, value, found := strings.Cut(text, "=")
		key = unescape(key)
		if !found || strings.Contains(value, "=") {
			return errors.New("holds a parameter that is not NAME=VALUE (percent-encode & as %26 and = as %3D in a value)")
		}
		if err := checkName(key); err != nil {
			return err
		}
		if key == "user" && value == "" { // libpq asks for none then, and others for the system's
			return errors.New("has a parameter user without a value")
		}
		value = unescape(value)
		if mode := tlsOf(key, value); mode != "" {
			key, value = "sslmode", mode
		}
		u.said[key] = value
	}
	return nil
}

// checkName refuses a parameter that would say where the URL leads, or hold a secret, to some
// clients and not to others.
func checkName(name string) error {
	lower := strings.ToLower(name)
	switch {
	case strings.Trim(lower, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != "" || name == "":
		return errors.New("has a parameter whose name is none (letters, digits and _ . -)")
	case lower == "database":
		return errors.New("has a parameter that libpq does not know: database is called dbname")
	case lower == "service", lower == "servicefile":
		return fmt.Errorf("has a parameter %s, and a service file says where it leads (write host, port and dbname)", lower)
	case lower != name && (slices.Contains(leading, lower) || isSecret(lower)):
		return fmt.Errorf("has a parameter that libpq does not know: it is %s, in lower case", lower)
	}
	return nil
}

// leading are the parameters that say where a URL leads, and who logs in.
var leading = []string{"host", "hostaddr", "port", "dbname", "user"}

// checkHost refuses a host that clients look for in different places.
func checkHost(host, addr string) error {
	if _, err := netip.ParseAddr(addr); addr != "" && err != nil {
		return errors.New("hostaddr is not an IP address")
	}
	if !isPrintable(host) || !isSocket(host) && strings.ContainsAny(host, ` /\[]@`) {
		return errors.New("host is neither a name, an address nor the directory of a socket")
	}
	return nil
}
