package provision

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// session is a connection to a database.
type session struct {
	conn     *pgconn.PgConn
	password string // what no message may repeat
	greeting *greeting
	first    []string // what each transaction begins with
}

// dial logs in, to another database and with other settings than the URL says where they are given.
func dial(ctx context.Context, doing string, url secret.Secret, others ...func(*pgconn.Config)) (session, error) {
	config, err := configOf(url)
	if err != nil {
		return session{}, fmt.Errorf("%s%w", at(doing), err)
	}
	for _, other := range others {
		other(config)
	}
	if err := scramOnly(ctx, doing, url, config); err != nil {
		return session{}, err
	}
	unused := usePassfile(ctx, url, config)
	s := session{password: config.Password, greeting: &greeting{}}
	config.BuildFrontend = s.greeting.listen
	if s.conn, err = pgconn.ConnectConfig(ctx, config); err != nil {
		err = connectTrouble(ctx, doing, config, err)
		if unused != nil {
			err = fmt.Errorf("%w; %w", err, unused)
		}
		return session{}, err
	}
	return s, nil
}

// close ends the session; one that is broken already is ended, too.
func (s session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // the server waits no longer for it
	defer cancel()
	_ = s.conn.Close(ctx)
}

// query runs statements in one transaction, and returns the rows of the last. Nothing that
// somebody put into the public schema is called by them, and nothing stays set behind them: a
// pooler may give the connection to somebody else.
func (s session) query(ctx context.Context, doing string, statements ...string) (rows [][]string, err error) {
	return s.run(ctx, doing, slices.Concat([]string{"SET LOCAL search_path TO pg_catalog"}, s.first, statements)...)
}

// row runs statements as query does, and returns the first row of the last, which has so many
// columns on every PostgreSQL server.
func (s session) row(ctx context.Context, doing string, columns int, statements ...string) ([]string, error) {
	rows, err := s.query(ctx, doing, statements...)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || len(rows[0]) != columns {
		return nil, &trouble{doing: doing, why: "it answers as no PostgreSQL server does", kind: ErrUnavailable}
	}
	return rows[0], nil
}

// run runs statements as they are, and returns the rows of the last.
func (s session) run(ctx context.Context, doing string, statements ...string) (rows [][]string, err error) {
	results, err := s.conn.Exec(ctx, strings.Join(statements, "; ")).ReadAll()
	if err != nil {
		return nil, statementTrouble(ctx, doing, s.password, err)
	}
	if len(results) == 0 {
		return nil, nil
	}
	for _, row := range results[len(results)-1].Rows {
		texts := make([]string, len(row))
		for i, column := range row {
			texts[i] = string(column)
		}
		rows = append(rows, texts)
	}
	return rows, nil
}

// largest bounds a server's message. What is no PostgreSQL server can seem to announce
// gigabytes, for which the library would make room.
const largest = 1 << 20

// configOf is a URL for the library, with nothing of the environment.
func configOf(url secret.Secret) (*pgconn.Config, error) {
	u, err := pgurl.Usable(url)
	if err != nil {
		return nil, err
	}
	for _, s := range u.Servers() {
		if strings.HasPrefix(s.Target(), "@") {
			return nil, fmt.Errorf("database URL: leads to an abstract socket, which sp does not connect to: %w", pgurl.ErrInvalid)
		}
	}
	if err := checkFiles(u); err != nil {
		return nil, err
	}
	config, err := pgconn.ParseConfig(settingsOf(u))
	if err != nil { // its text quotes the URL
		return nil, fmt.Errorf("database URL: %s can't be used: %w", unusable(u), pgurl.ErrInvalid)
	}
	config.LookupFunc = lookingUp(u.Servers(), config.LookupFunc)
	for name, value := range config.RuntimeParams {
		if value == "" {
			delete(config.RuntimeParams, name)
		}
	}
	config.MaxProtocolMessageBodyLen = largest
	return config, nil
}

// lookingUp finds the addresses of a host: those that hostaddr gives it, before all others.
func lookingUp(servers []pgurl.Server, others pgconn.LookupFunc) pgconn.LookupFunc {
	given := map[string][]string{}
	for _, s := range servers {
		if s.Addr != "" {
			given[s.Host] = append(given[s.Host], net.JoinHostPort(s.Addr, s.PortOr()))
		}
	}
	return func(ctx context.Context, host string) ([]string, error) {
		if addresses := given[host]; addresses != nil {
			return addresses, nil
		}
		return others(ctx, host)
	}
}

// ofClients are parameters that libpq knows and the library does not, or that are told otherwise; it would
// send them to the server, which refuses them and would learn a secret.
var ofClients = []string{
	"fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "hostaddr", "keepalives", "keepalives_count", "keepalives_idle",
	"keepalives_interval", "load_balance_hosts", "oauth_client_id", "oauth_client_secret", "oauth_issuer", "oauth_scope", "requirepeer",
	"scram_client_key", "scram_server_key", "sslcompression", "sslcrl", "sslcrldir", "ssl_max_protocol_version",
	"ssl_min_protocol_version", "sslkeylogfile", "tcp_user_timeout",
}

// unsaid is what a client does where nothing says otherwise. A value, also an empty one, keeps
// the library from looking for others.
var unsaid = [][2]string{
	{"dbname", ""},
	{"password", ""},
	{"passfile", ""},
	{"connect_timeout", "0"},
	{"sslmode", "prefer"},
	{"sslcert", ""},
	{"sslkey", ""},
	{"sslrootcert", ""},
	{"sslpassword", ""},
	{"sslcertmode", "allow"},
	{"sslsni", "1"},
	{"sslnegotiation", ""},
	{"target_session_attrs", "any"},
	{"min_protocol_version", ""},
	{"max_protocol_version", ""},
	{"channel_binding", "prefer"},
	{"require_auth", ""},
	{"options", ""},
	{"timezone", ""},
	{"application_name", "sp"},
	{"client_encoding", "UTF8"},
}
