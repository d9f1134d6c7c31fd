package pgurl

import (
	"strings"

	"github.com/sp-registry/sp/internal/secret"
)

// variables are the environment variables by which libpq takes a parameter, up to version 18:
// https://www.postgresql.org/docs/current/libpq-envars.html. Where a URL leads has rules of its own. No
// variable says keepalives*, tcp_user_timeout, replication, oauth_*, or a secret other than the password.
var variables = [][2]string{
	{"application_name", "PGAPPNAME"},
	{"channel_binding", "PGCHANNELBINDING"},
	{"client_encoding", "PGCLIENTENCODING"},
	{"connect_timeout", "PGCONNECT_TIMEOUT"},
	{"gssdelegation", "PGGSSDELEGATION"},
	{"gssencmode", "PGGSSENCMODE"},
	{"gsslib", "PGGSSLIB"},
	{"krbsrvname", "PGKRBSRVNAME"},
	{"load_balance_hosts", "PGLOADBALANCEHOSTS"},
	{"max_protocol_version", "PGMAXPROTOCOLVERSION"},
	{"min_protocol_version", "PGMINPROTOCOLVERSION"},
	{"options", "PGOPTIONS"},
	{"passfile", "PGPASSFILE"},
	{"require_auth", "PGREQUIREAUTH"},
	{"requirepeer", "PGREQUIREPEER"},
	{"sslcert", "PGSSLCERT"},
	{"sslcertmode", "PGSSLCERTMODE"},
	{"sslcompression", "PGSSLCOMPRESSION"},
	{"sslcrl", "PGSSLCRL"},
	{"sslcrldir", "PGSSLCRLDIR"},
	{"sslkey", "PGSSLKEY"},
	{"ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"},
	{"ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"},
	{"sslmode", "PGSSLMODE"},
	{"sslnegotiation", "PGSSLNEGOTIATION"},
	{"sslrootcert", "PGSSLROOTCERT"},
	{"sslsni", "PGSSLSNI"},
	{"target_session_attrs", "PGTARGETSESSIONATTRS"},
}

// Variables returns the environment variables by which libpq goes where the URL leads, with the parameters
// for which it has one. The port is always among them.
func (u URL) Variables() map[string]secret.Secret {
	found := map[string]secret.Secret{}
	put := func(name, value string) {
		if value != "" {
			found[name] = secret.New(value)
		}
	}
	for _, row := range variables {
		if !u.IsForDriver(row[0]) {
			put(row[1], u.said[row[0]])
		}
	}
	var hosts, addrs, ports []string
	for _, s := range u.servers {
		hosts, addrs, ports = append(hosts, s.Host), append(addrs, s.Addr), append(ports, s.PortOr())
	}
	put("PGHOST", list(hosts))
	put("PGHOSTADDR", list(addrs))
	put("PGPORT", list(ports))
	put("PGDATABASE", u.Database())
	put("PGUSER", u.User())
	put("PGPASSWORD", u.said["password"])
	return found
}

// list joins what servers have; it is nothing if none has anything.
func list(values []string) string {
	joined := strings.Join(values, ",")
	if strings.Trim(joined, ",") == "" {
		return ""
	}
	return joined
}
