package registry

import (
	"net"
	"net/url"
	"strings"
)

// Address is where a connection URL looks for its server, as
// net.Dial takes it: "tcp" with a host and port, or "unix" with a socket's path.
type Address struct{ Network, Name string }

// Addresses returns the addresses that a connection URL names, in the order in which
// clients try them, as in
// https://www.postgresql.org/docs/current/libpq-connect.html (Parameter Key Words).
// A URL that CheckURL would refuse, but for a masked one, has none.
func Addresses(u Secret) ([]Address, error) {
	parts, err := checkForm(u.Reveal())
	if err != nil {
		return nil, err
	}
	var servers []Address
	for _, h := range parts.targets() {
		switch {
		case h.host == "": // what clients are built with differs
			servers = append(servers, socketIn("/var/run/postgresql", h.port), socketIn("/tmp", h.port),
				Address{"tcp", net.JoinHostPort("localhost", h.port)})
		case strings.HasPrefix(h.host, "/"), strings.HasPrefix(h.host, "@"):
			servers = append(servers, socketIn(h.host, h.port))
		default:
			servers = append(servers, Address{"tcp", net.JoinHostPort(h.host, h.port)})
		}
	}
	return servers, nil
}

func socketIn(dir, port string) Address { return Address{"unix", dir + "/.s.PGSQL." + port} }

// DatabaseOf returns what two URLs share that lead to the same database, as far as
// that shows from their text: servers, ports and database, whoever logs in. It is
// nothing where the URL can't be read. It is for comparing, not for showing.
func DatabaseOf(u Secret) (string, bool) {
	parts, err := checkForm(u.Reveal())
	if err != nil {
		return "", false
	}
	name := parts.parameter("dbname")
	if name == "" {
		name = unescape(strings.TrimPrefix(parts.path, "/"))
	}
	if name == "" { // it is called like the user then
		name = parts.role()
	}
	return parts.place() + name, true
}

// place is where the servers are, in one spelling.
func (u urlParts) place() string {
	var b strings.Builder
	for _, h := range u.targets() {
		host := strings.TrimSuffix(strings.ToLower(h.host), ".")
		if host == "127.0.0.1" || host == "::1" {
			host = "localhost"
		}
		b.WriteString(host + "\x00" + h.port + "\x00")
	}
	return b.String()
}

// SameLogin tells whether two URLs log in as the same role on the same servers, whatever the
// database and the password.
func SameLogin(a, b Secret) bool {
	first, err := checkForm(a.Reveal())
	second, unreadable := checkForm(b.Reveal())
	if err != nil || unreadable != nil {
		return false
	}
	return first.role() != "" && first.role() == second.role() && first.place() == second.place()
}

// roleOf is who logs in with a URL, "" where that can't be read.
func roleOf(url Secret) string {
	parts, err := checkForm(url.Reveal())
	if err != nil {
		return ""
	}
	return parts.role()
}

// role is who logs in.
func (u urlParts) role() string {
	if user := u.parameter("user"); user != "" {
		return user
	}
	return unescape(u.user)
}

// target is one server of a connection URL; a host can be the path of a directory.
type target struct{ host, port string }

const defaultPort = "5432"

// targets are the servers of a URL. Parameters override what stands before the path.
func (u urlParts) targets() []target {
	var targets []target
	for text := range strings.SplitSeq(u.hosts, ",") {
		t := target{host: text, port: defaultPort}
		if strings.HasPrefix(text, "[") {
			t.host, text, _ = strings.Cut(text[1:], "]")
		} else if colon := strings.IndexByte(text, ':'); colon >= 0 {
			t.host, text = text[:colon], text[colon:]
		} else {
			text = ""
		}
		if port := strings.TrimPrefix(text, ":"); port != "" {
			t.port = port
		}
		t.host = unescape(t.host)
		targets = append(targets, t)
	}
	ports := strings.Split(u.parameter("port"), ",")
	hosts := u.parameter("hostaddr")
	if hosts == "" {
		hosts = u.parameter("host")
	}
	if hosts != "" {
		port := targets[0].port
		targets = nil
		for host := range strings.SplitSeq(hosts, ",") {
			targets = append(targets, target{host: host, port: port})
		}
	}
	for i := range targets {
		if port := ports[min(i, len(ports)-1)]; port != "" {
			targets[i].port = port
		}
	}
	return targets
}

// parameter returns the last value of a parameter of the URL.
func (u urlParts) parameter(name string) (value string) {
	for parameter := range strings.SplitSeq(u.query, "&") {
		if key, text, _ := strings.Cut(parameter, "="); key == name {
			value = unescape(text)
		}
	}
	return value
}

// unescape decodes what checkForm has found to be well escaped.
func unescape(text string) string {
	plain, err := url.PathUnescape(text)
	if err != nil {
		return text
	}
	return plain
}
