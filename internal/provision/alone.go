package provision

import (
	"net/url"
	"strings"
)

// alone returns a URL, of the form that registry.CheckURL accepts, that says all that the
// library would else look for in the environment and the home directory.
func alone(text string) string {
	said := saidBy(text)
	text = strings.TrimRight(text, "?&")
	separator := "?"
	if strings.Contains(text, "?") {
		separator = "&"
	}
	for _, parameter := range unsaid {
		if name, value := parameter[0], parameter[1]; said[name] == "" {
			if name == "host" { // it would be a socket without one
				value = said["hostaddr"]
			}
			text += separator + name + "=" + value
			separator = "&"
		}
	}
	return text
}

// saidBy returns what a URL says, encoded as it is there; empty is as good as not said.
func saidBy(text string) map[string]string {
	_, text, _ = strings.Cut(text, "://")
	text, query, _ := strings.Cut(text, "?")
	authority, database, _ := strings.Cut(text, "/")
	login, hosts, found := strings.Cut(authority, "@")
	if !found {
		login, hosts = "", authority
	}
	_, password, _ := strings.Cut(login, ":")
	host, port := saidByHosts(hosts)
	said := map[string]string{"host": host, "port": port, "dbname": database, "password": password}
	for parameter := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(parameter, "=")
		name, err := url.PathUnescape(key)
		if err != nil {
			name = key // the library refuses it
		}
		switch name {
		case "database":
			name = "dbname"
		case "ssl": // another way to say sslmode=require
			said["sslmode"] += value
		}
		said[name] = value
	}
	return said
}

// saidByHosts returns a host and a port, if any of the hosts has one.
func saidByHosts(hosts string) (name, port string) {
	for host := range strings.SplitSeq(hosts, ",") {
		before, after, _ := strings.Cut(host[strings.LastIndexByte(host, ']')+1:], ":")
		if before != "" || strings.HasPrefix(host, "[") {
			name = host
		}
		if after != "" {
			port = after
		}
	}
	return name, port
}
