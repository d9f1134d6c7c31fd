package pgurl

import (
	"errors"
	"net"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/secret"
)

// Server is one server of a connection URL. What the URL does not say is empty.
type Server struct {
	Host string // a name, an address, or the directory of a socket
	Addr string // the IP address that is used in place of Host
	Port string
}

const defaultPort = "5432"

// IsSocket tells whether the server is reached by a Unix socket.
func (s Server) IsSocket() bool { return s.Addr == "" && isSocket(s.Host) }

// isSocket tells a directory, or a name in Linux's abstract namespace, from a host.
func isSocket(host string) bool { return strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") }

// Target is what is connected to: an IP address before a host's name.
func (s Server) Target() string {
	if s.Addr != "" {
		return s.Addr
	}
	return s.Host
}

// PortOr returns the port that a client uses.
func (s Server) PortOr() string {
	if s.Port == "" {
		return defaultPort
	}
	return s.Port
}

// serversOf returns the servers in the order in which libpq tries them, at least one.
func serversOf(said map[string]string) ([]Server, error) {
	addrs, hosts, ports := split(said["hostaddr"]), split(said["host"]), split(said["port"])
	n := max(1, len(addrs), len(hosts))
	switch {
	case len(addrs) > 0 && len(hosts) > 0 && len(addrs) != len(hosts):
		return nil, errors.New("hostaddr and host are lists of different lengths")
	case len(ports) > 1 && len(ports) != n:
		return nil, errors.New("has not one port, nor one for each host")
	}
	servers := make([]Server, n)
	for i := range servers {
		servers[i] = Server{Host: at(hosts, i), Addr: at(addrs, i), Port: at(ports, i)}
		if len(ports) == 1 {
			servers[i].Port = ports[0]
		}
		if err := checkPort(servers[i].Port); err != nil {
			return nil, err
		}
		if err := checkHost(servers[i].Host, servers[i].Addr); err != nil {
			return nil, err
		}
	}
	return servers, nil
}

func split(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// Servers returns the servers in the order in which clients try them, at least one.
func (u URL) Servers() []Server { return u.servers }

// Address is where a client looks for a server, as net.Dial takes it: "tcp" with a host and
// port, or "unix" with a socket's path.
type Address struct{ Network, Name string }

// Addresses returns the addresses that the URL names, in the order in which clients try them.
func (u URL) Addresses() (at []Address) {
	for _, s := range u.servers {
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
	return at
}

func socketIn(dir, port string) Address { return Address{"unix", dir + "/.s.PGSQL." + port} }

// User returns who logs in, "" where that is not said.
func (u URL) User() string { return u.said["user"] }

// Database returns the database. One that is not said is called like the user.
func (u URL) Database() string {
	if name := u.said["dbname"]; name != "" {
		return name
	}
	return u.User()
}

// Said returns all that the URL says, by libpq's names and decoded. Of what it says twice, the
// last holds.
func (u URL) Said() map[string]string { return u.said }

// missing returns what the URL leaves out that says where it leads, "" where nothing is: each
// client would take that from elsewhere. A URL must name each of its servers (a host, an address
// or the directory of a socket) and a database, or a user, after whom libpq calls it.
func (u URL) missing() string {
	for _, s := range u.servers {
		if s.Target() == "" {
			return "host"
		}
	}
	if u.Database() == "" {
		return "database"
	}
	return ""
}

// LeadsNowhere tells of a URL that can be read whether it leaves out the host, or the
// database and the user: each client would take another one.
func LeadsNowhere(url secret.Secret) bool {
	u, err := Parse(url)
	return err == nil && u.missing() != ""
}

// place is the same for two URLs that lead to the same servers in the same order.
func (u URL) place() string { return strings.Join(u.places(), "") }

// DatabaseOf returns what two URLs share that lead to the same database, as far as
// that shows from their text: servers, ports and database, whoever logs in. It is
// nothing where the URL can't be read. It is for comparing, not for showing.
func DatabaseOf(url secret.Secret) (string, bool) {
	u, err := Parse(url)
	return u.Leads(), err == nil
}

// Leads is DatabaseOf a URL that was read; nothing of one that was refused.
func (u URL) Leads() string {
	if u.servers == nil {
		return ""
	}
	return u.place() + u.Database()
}

// Describe says which server and database a URL leads to, with stars for the user and the
// password and without other parameters; `***` when it is not plain enough to be sure where
// it leads and what in it is secret.
func Describe(url secret.Secret) string {
	u, err := Parse(url)
	if err != nil {
		return "***"
	}
	return u.describe()
}

// describe says where the URL leads, as a URL without its other parameters: with stars for a
// user and a password, and a socket's directory as a parameter.
//
//	postgres://***:***@db.example:5432/orders
//	postgres://***:***@/orders?host=/cloudsql/project:region:instance
func (u URL) describe() string {
	text := u.scheme + "://"
	if u.said["user"] != "" || u.said["password"] != "" {
		text += "***:***@"
	}
	hosts, parameters := u.describeServers()
	text += hosts
	if name := u.said["dbname"]; name != "" || parameters != "" {
		text += "/" + shown(name)
	}
	return text + parameters
}

func (u URL) describeServers() (hosts, parameters string) {
	var list []string
	plain := true
	for _, s := range u.servers {
		plain = plain && !s.IsSocket() && (s.Host == "" || s.Addr == "")
		host := shown(s.Target())
		switch {
		case strings.Contains(host, ":") && s.Port != "":
			host = net.JoinHostPort(host, s.Port)
		case strings.Contains(host, ":"):
			host = "[" + host + "]"
		case s.Port != "":
			host += ":" + s.Port
		}
		list = append(list, host)
	}
	if plain {
		return strings.Join(list, ","), ""
	}
	for _, name := range []string{"host", "hostaddr", "port"} {
		if value := u.said[name]; strings.Trim(value, ",") != "" {
			parameters += "&" + name + "=" + shown(value)
		}
	}
	return "", "?" + parameters[1:]
}

// shown is a text for people, in a URL: what separates there, and what can't be seen, is
// percent-encoded.
func shown(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if r == utf8.RuneError && size == 1 || !unicode.IsPrint(r) || strings.ContainsRune(" %?#&=@[]", r) {
			b.WriteString(escape(text[:size]))
		} else {
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}
