package pgurl

import (
	"slices"

	"github.com/sp-registry/sp/internal/secret"
)

// portable are the parameters that mean the same on every machine: no client reads or writes a file of its
// own for one, nor runs anything at the server.
var portable = []string{
	"host", "hostaddr", "port", "dbname", "user", "password",
	"application_name", "fallback_application_name", "channel_binding", "client_encoding", "connect_timeout", "gssencmode",
	"keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "load_balance_hosts", "require_auth",
	"ssl_max_protocol_version", "ssl_min_protocol_version", "sslmode", "sslnegotiation", "sslsni", "target_session_attrs", "tcp_user_timeout",
}

// IsPortable tells of a parameter of a URL whether it means the same on every machine.
func IsPortable(name, value string) bool {
	isSystem := name == "sslrootcert" && value == "system" // which is no path
	return isSystem || slices.Contains(portable, name)
}

// Portable returns a URL for use on another machine: without the parameters that mean something of this one.
func Portable(url secret.Secret) secret.Secret {
	u, err := Parse(url)
	if err != nil {
		return url
	}
	var local []string
	for name, value := range u.said {
		if !IsPortable(name, value) {
			local = append(local, name)
		}
	}
	if local == nil {
		return url
	}
	u.drop(local)
	return secret.New(u.text())
}
