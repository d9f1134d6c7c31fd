package provision

import (
	"net/url"
	"strings"
)

// alone returns a URL, of the form that registry.CheckURL accepts, that says all that the
// library would else look for in the environment and the home directory.
func alone(text string) string {
	said, query := saidBy(text), []string(nil)
	for _, parameter := range unsaid {
		if !said[parameter[0]] {
			query = append(query, parameter[0]+"="+parameter[1])
		}
	}
	text = strings.TrimRight(text, "?&")
	separator := "?"
	if strings.Contains(text, "?") {
		separator = "&"
	}
	return text + separator + strings.Join(query, "&")
}

// saidBy returns which parameters a URL has.
func saidBy(text string) map[string]bool {
	_, text, _ = strings.Cut(text, "://")
	text, query, _ := strings.Cut(text, "?")
	authority, database, _ := strings.Cut(text, "/")
	login, hosts, found := strings.Cut(authority, "@")
	if !found {
		login, hosts = "", authority
	}
	_, password, _ := strings.Cut(login, ":")
	said := map[string]bool{"host": hasHost(hosts), "port": hasPort(hosts), "dbname": database != "", "password": password != ""}
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
			said["sslmode"] = said["sslmode"] || value == "true"
		}
		said[name] = true
	}
	return said
}

func hasHost(hosts string) bool {
	for host := range strings.SplitSeq(hosts, ",") {
		if host != "" && host[0] != ':' {
			return true
		}
	}
	return false
}

func hasPort(hosts string) bool {
	for host := range strings.SplitSeq(hosts, ",") {
		if _, port, _ := strings.Cut(host[strings.LastIndexByte(host, ']')+1:], ":"); port != "" {
			return true
		}
	}
	return false
}
