package provision

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sp-registry/sp/internal/registry"
)

// session is a connection to a database.
type session struct {
	conn     *pgconn.PgConn
	password string // what no message may repeat
}

// dial logs in.
func dial(ctx context.Context, doing string, url registry.Secret) (session, error) {
	config, err := configOf(url)
	if err != nil {
		return session{}, fmt.Errorf("%s: %w", doing, err)
	}
	if err := scramOnly(ctx, doing, url, config); err != nil {
		return session{}, err
	}
	s := session{password: config.Password}
	if s.conn, err = pgconn.ConnectConfig(ctx, config); err != nil {
		return session{}, connectTrouble(ctx, doing, config, err)
	}
	return s, nil
}

// close ends the session; one that is broken already is ended, too.
func (s session) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // the server waits no longer for it
	defer cancel()
	_ = s.conn.Close(ctx)
}

// query runs statements, all or none of them where they may stand in a transaction, and
// returns the rows of the last.
func (s session) query(ctx context.Context, doing string, statements ...string) (rows [][]string, err error) {
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

// configOf is a URL as the library reads it, with nothing of the environment.
func configOf(url registry.Secret) (*pgconn.Config, error) {
	if err := registry.CheckURL(url); err != nil {
		return nil, err
	}
	config, err := pgconn.ParseConfig(alone(url.Reveal()))
	if err != nil { // its text quotes the URL
		return nil, fmt.Errorf("database URL: has a parameter that can't be used, or PGSERVICE names no service: %w", registry.ErrInvalid)
	}
	if address := config.RuntimeParams["hostaddr"]; address != "" {
		config.LookupFunc = func(context.Context, string) ([]string, error) { return strings.Split(address, ","), nil }
	}
	for name, value := range config.RuntimeParams {
		if value == "" || slices.Contains(ofClients, name) {
			delete(config.RuntimeParams, name)
		}
	}
	config.MaxProtocolMessageBodyLen = largest
	return config, nil
}

// ofClients are parameters that other clients know; this one would send them to the server,
// which refuses them.
var ofClients = []string{
	"fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "hostaddr", "keepalives", "keepalives_count", "keepalives_idle",
	"keepalives_interval", "load_balance_hosts", "requirepeer", "sslcompression", "sslcrl", "sslcrldir", "ssl_max_protocol_version",
	"ssl_min_protocol_version", "sslkeylogfile", "statement-cache-capacity", "tcp_user_timeout",
}

// unsaid is what a client does where nothing says otherwise. A value of the URL, also an
// empty one, keeps the library from looking for others.
var unsaid = [][2]string{
	{"host", ""},
	{"port", ""},
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
