package pgurl

import (
	"maps"
	"slices"
	"strings"
)

// A parameter of a URL is one of four kinds:
//
//   - libpq's, which every client is told;
//   - a setting of the session, which drivers send to the server as it is, and which libpq takes among its options;
//   - a driver's, which tells a program's own library how to go about it. The URL keeps it for that program. libpq
//     refuses the whole URL because of one, and a server does that which is sent one, so they are not told;
//   - nobody's. It is left out like a driver's, unless it looks like one of libpq's: without that, a connection
//     may be weaker than was meant, or lead elsewhere.

// ofLibpq are the parameters of all versions of libpq up to 18, but those that checkName refuses.
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
var ofLibpq = []string{
	"application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname", "fallback_application_name",
	"gssdelegation", "gssencmode", "gsslib", "host", "hostaddr", "keepalives", "keepalives_count", "keepalives_idle",
	"keepalives_interval", "krbsrvname", "load_balance_hosts", "max_protocol_version", "min_protocol_version", "oauth_client_id",
	"oauth_client_secret", "oauth_issuer", "oauth_scope", "options", "passfile", "password", "port", "replication", "require_auth",
	"requirepeer", "scram_client_key", "scram_server_key", "ssl_max_protocol_version", "ssl_min_protocol_version", "sslcert",
	"sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslkey", "sslkeylogfile", "sslmode", "sslnegotiation", "sslpassword",
	"sslrootcert", "sslsni", "target_session_attrs", "tcp_user_timeout", "user",
}

// ofSession are the settings of a session that people put into a URL: pgx, lib/pq, node-postgres and others
// send them when they log in.
// https://www.postgresql.org/docs/current/runtime-config-client.html
var ofSession = []string{
	"bytea_output", "check_function_bodies", "client_min_messages", "datestyle", "default_transaction_deferrable", "default_transaction_isolation",
	"default_transaction_read_only", "extra_float_digits", "idle_in_transaction_session_timeout", "idle_session_timeout", "intervalstyle",
	"jit", "lock_timeout", "log_min_duration_statement", "plan_cache_mode", "role", "row_security", "search_path", "standard_conforming_strings",
	"statement_timeout", "synchronous_commit", "timezone", "transaction_timeout", "work_mem",
}

// drivers are those whose parameters people put into URLs. Names are in lower case here; some drivers write
// them in both.
var drivers = []struct{ name, source, parameters string }{
	{
		"Prisma", "https://www.prisma.io/docs/orm/overview/databases/postgresql",
		"schema connection_limit pool_timeout socket_timeout pgbouncer sslaccept sslidentity statement_cache_size max_connection_lifetime max_idle_connection_lifetime",
	},
	{
		"node-postgres", "https://node-postgres.com/apis/pool and its pg-connection-string",
		"ssl sslca uselibpqcompat encoding query_timeout connectiontimeoutmillis idletimeoutmillis keepalive keepaliveinitialdelaymillis max min maxuses maxlifetimeseconds allowexitonidle",
	},
	{"postgres.js", "https://github.com/porsager/postgres#connection-details", "idle_timeout max_lifetime max_pipeline prepare fetch_types publications debug backoff"},
	{"TypeORM, Sequelize, Knex", "https://typeorm.io/docs/data-source/data-source-options", "poolsize logging synchronize"},
	{
		"pgx", "https://pkg.go.dev/github.com/jackc/pgx/v5/pgxpool#ParseConfig and pgx.ParseConfig",
		"pool_max_conns pool_min_conns pool_min_idle_conns pool_max_conn_lifetime pool_max_conn_lifetime_jitter pool_max_conn_idle_time pool_health_check_period " +
			"default_query_exec_mode statement_cache_capacity statement_cache_mode description_cache_capacity prefer_simple_protocol",
	},
	{"lib/pq", "https://pkg.go.dev/github.com/lib/pq", "binary_parameters disable_prepared_binary_result sslinline krbspn"},
	{"sqlx", "https://docs.rs/sqlx/latest/sqlx/postgres/struct.PgConnectOptions.html", "statement-cache-capacity ssl-root-cert ssl-ca ssl-cert ssl-key ssl-mode"},
	{
		"SQLAlchemy, asyncpg", "https://docs.sqlalchemy.org/en/20/dialects/postgresql.html",
		"prepared_statement_cache_size prepared_statement_name_func async_fallback command_timeout max_cached_statement_lifetime max_cacheable_statement_size " +
			"direct_tls server_settings prepare_threshold row_factory pool_size max_overflow pool_recycle pool_pre_ping",
	},
	{
		"Django", "https://docs.djangoproject.com/en/stable/ref/databases/ and dj-database-url, django-environ",
		"conn_max_age conn_health_checks disable_server_side_cursors atomic_requests autocommit engine",
	},
	{
		"Rails", "https://guides.rubyonrails.org/configuring.html#configuring-a-database",
		"pool checkout_timeout reaping_frequency timeout prepared_statements statement_limit advisory_locks schema_search_path min_messages variables " +
			"insert_returning adapter reconnect max_connections min_connections min_threads max_threads max_age pool_jitter query_cache replica database_tasks migrations_paths",
	},
	{"Ecto", "https://hexdocs.pm/ecto/Ecto.Repo.html", "queue_target queue_interval socket_options"},
	{"Doctrine, Laravel", "https://www.doctrine-project.org/projects/doctrine-dbal/en/current/reference/configuration.html", "serverversion charset default_dbname prefix"},
	{
		"pgJDBC, R2DBC", "https://jdbc.postgresql.org/documentation/use/",
		"currentschema preparethreshold preparedstatementcachequeries preparedstatementcachesizemib databasemetadatacachefields databasemetadatacachefieldsmib " +
			"defaultrowfetchsize logintimeout connecttimeout sockettimeout cancelsignaltimeout tcpkeepalive tcpnodelay applicationname stringtype rewritebatchedinserts " +
			"targetservertype loadbalancehosts hostrecheckseconds readonly readonlymode binarytransfer binarytransferenable binarytransferdisable autosave cleanupsavepoints " +
			"preferquerymode assumeminserverversion allowencodingchanges logunclosedconnections unknownlength sendbuffersize receivebuffersize maxresultbuffer maxsendbuffersize " +
			"adaptivefetch adaptivefetchminimum adaptivefetchmaximum escapesyntaxcallmode quotereturningidentifiers gssencmode gssresponsetimeout jaaslogin jaasapplicationname " +
			"kerberosservername usespnego sspiserviceclass sslfactory sslfactoryarg sslhostnameverifier sslpasswordcallback sslresponsetimeout socketfactory socketfactoryarg " +
			"xmlfactoryfactory logservererrordetail hideunprivilegedobjects groupstartupparameters localsocketaddress protocolversion loggerlevel loggerfile",
	},
	{"Supabase", "https://supabase.com/docs/guides/database/connecting-to-postgres", "supa"},
}

// aside is how golang-migrate marks what is its own.
// https://github.com/golang-migrate/migrate/tree/master/database/postgres
const aside = "x-"

// ofDriver returns the driver, or the group of drivers, that a parameter belongs to; "" if none is known.
func ofDriver(name string) string {
	name = strings.ToLower(name)
	if strings.HasPrefix(name, aside) {
		return "golang-migrate"
	}
	for _, d := range drivers {
		if slices.Contains(strings.Fields(d.parameters), name) {
			return d.name
		}
	}
	return ""
}

func isLibpqs(name string) bool { return slices.Contains(ofLibpq, name) }

// isOfSession tells of a parameter whether it is a setting of the session, whose names have no case.
func isOfSession(name string) bool { return slices.Contains(ofSession, strings.ToLower(name)) }

// inline are those of libpq's parameters that name files, and are the files' text for lib/pq if sslinline says so: a
// private key among it.
var inline = []string{"sslcert", "sslkey", "sslrootcert"}

// IsForDriver tells of a parameter whether it is for a program's driver alone: neither libpq nor a server
// knows it, or not in that sense.
func (u URL) IsForDriver(name string) bool {
	return !isLibpqs(name) && !isOfSession(name) || u.said["sslinline"] == "true" && slices.Contains(inline, name)
}

// ForDrivers returns the parameters that a driver knows, in order, and how many there are that nobody does.
// Both are left out for libpq and for sp's own login.
func (u URL) ForDrivers() (known []string, unknown int) {
	for _, name := range slices.Sorted(maps.Keys(u.said)) {
		switch {
		case !u.IsForDriver(name):
		case ofDriver(name) != "" || isLibpqs(name):
			known = append(known, name)
		default:
			unknown++
		}
	}
	return known, unknown
}

// Options returns what libpq is told as options: those of the URL, and its settings of the session.
func (u URL) Options() string {
	options := u.said["options"]
	for _, name := range slices.Sorted(maps.Keys(u.said)) {
		if isOfSession(name) {
			options += " -c " + name + "=" + strings.NewReplacer(`\`, `\\`, " ", `\ `).Replace(u.said[name])
		}
	}
	return strings.TrimPrefix(options, " ")
}

// forLibpq are the parameters in the way in which libpq takes them.
func (u URL) forLibpq() string {
	var kept []string
	add := func(name, value string) { kept = append(kept, name+"="+value) }
	for text := range strings.SplitSeq(u.query, "&") {
		key, value, _ := strings.Cut(text, "=")
		switch name := unescape(key); {
		case tlsOf(name, unescape(value)) != "":
			add("sslmode", tlsOf(name, unescape(value)))
		case name != "options" && isLibpqs(name) && !u.IsForDriver(name):
			add(key, value)
		}
	}
	if options := u.Options(); options != "" {
		add("options", escape(options))
	}
	return strings.Join(kept, "&")
}

// tlsOf is libpq's sslmode for what a parameter says of TLS: drivers have other words for the same, and so has
// libpq itself. It is "" if the parameter says nothing of that.
func tlsOf(name, value string) string {
	switch {
	case name == "requiressl" && strings.HasPrefix(value, "1"), name == "ssl" && (value == "true" || value == "1"):
		return "require"
	case name == "requiressl":
		return "prefer"
	case name == "ssl" && (value == "false" || value == "0"):
		return "disable"
	case (name == "ssl" || name == "sslmode") && value == "no-verify": // node-postgres
		return "require"
	case name == "ssl" && slices.Contains(wordsOf("sslmode"), value): // asyncpg
		return value
	}
	return ""
}

// misspelt returns the parameter of libpq that one of nobody's must be meant to be; "" if it is none.
func misspelt(name string) string {
	if isLibpqs(name) || isOfSession(name) || ofDriver(name) != "" {
		return ""
	}
	plain := strings.NewReplacer("_", "", "-", "").Replace
	lower := plain(strings.ToLower(name))
	for _, known := range ofLibpq {
		if oneOff(lower, plain(known)) {
			return known
		}
	}
	if strings.Contains(lower, "ssl") || strings.Contains(lower, "tls") {
		return "sslmode"
	}
	return ""
}

// oneOff tells whether two words are the same but for one letter, or two that changed places.
func oneOff(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	switch rest := a[i:]; len(a) - len(b) {
	case 0:
		return rest == "" || rest[1:] == b[i+1:] || len(rest) > 1 && rest[0] == b[i+1] && rest[1] == b[i] && rest[2:] == b[i+2:]
	case 1:
		return rest[1:] == b[i:]
	}
	return false
}
