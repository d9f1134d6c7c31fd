package provision

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/sp-registry/sp/internal/secret"
)

// Server is a server on which databases and roles may be made, in a session of its
// administrator.
type Server struct {
	Progress func(step string) // is told each step of Create before it is taken; may be nil
	Waits    func(what string) // is told once what a step waits for that takes more than a few seconds, and whom it ended who waited for his client; may be nil
	// Pooled tells that the address is a connection pooler's, which has to learn of new logins.
	Pooled bool

	session
	locks
	admin       secret.Secret
	major       int // of its version
	connections int // that it takes at once
}

const (
	oldest   = 13 // the first version of PostgreSQL that drops a database which is in use
	explicit = 16 // the first in which a grant says what is inherited, whatever the member has
)

// Connect logs in as an administrator, who needs CREATEDB and CREATEROLE or to be superuser.
func Connect(ctx context.Context, admin secret.Secret) (*Server, error) {
	session, err := dial(ctx, "login of the administrator", admin)
	if err != nil {
		return nil, err
	}
	session.first = beforeRights
	s := &Server{session: session, locks: locks{url: admin}, admin: admin}
	if err = s.mayProvision(ctx); err == nil {
		err = s.neutralize(ctx)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *Server) mayProvision(ctx context.Context) error {
	const doing = "rights of the administrator"
	row, err := s.row(ctx, doing, 9, `SELECT rolsuper, rolcreatedb, rolcreaterole, rolinherit, pg_is_in_recovery(),
		current_setting('server_version_num')::int / 10000, pg_backend_pid(), current_setting('max_connections'), quote_ident(rolname)
		FROM pg_roles WHERE rolname = current_user`)
	if err != nil {
		return err
	}
	superuser, databases, roles := row[0] == "t", row[1] == "t", row[2] == "t"
	inherits, standby := row[3] == "t", row[4] == "t"
	if s.major, err = strconv.Atoi(row[5]); err != nil {
		return fmt.Errorf("version of the server: %w", err)
	}
	if s.connections, err = strconv.Atoi(row[7]); err != nil {
		return fmt.Errorf("connections of the server: %w", err)
	}
	s.Pooled = s.pooled(row[6])
	refused := &trouble{doing: doing, kind: ErrDenied}
	switch {
	case standby:
		refused.why = "the server is a standby, which changes nothing"
	case s.major < oldest:
		refused.why = fmt.Sprintf("the server is PostgreSQL %d, and %d is the first that will do", s.major, oldest)
	case !superuser && !databases && !roles:
		refused.why = "the role has neither CREATEDB nor CREATEROLE (ALTER ROLE " + row[8] + " CREATEDB CREATEROLE)"
	case !superuser && !databases:
		refused.why = "the role has no CREATEDB (ALTER ROLE " + row[8] + " CREATEDB)"
	case !superuser && !roles:
		refused.why = "the role has no CREATEROLE (ALTER ROLE " + row[8] + " CREATEROLE)"
	case !superuser && !inherits && s.major < explicit: // it could neither close nor drop what its roles own
		refused.why = "the role has NOINHERIT (ALTER ROLE " + row[8] + " INHERIT)"
	default:
		return nil
	}
	return refused
}

// Close ends the session, and with it what it has locked.
func (s *Server) Close() error {
	s.release()
	s.close()
	return nil
}

// Version returns the server's version, as "15.18".
func (s *Server) Version() string { return s.version() }

// Identity tells the running server from every other one, whatever address it was reached by: no two
// started in the same microsecond. It is another one after a restart.
func (s *Server) Identity(ctx context.Context) (string, error) {
	row, err := s.row(ctx, "start of the server", 1, "SELECT to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISSUS')")
	if err != nil {
		return "", err
	}
	return row[0], nil
}

// Keep has a server keep settings from now on that it has otherwise, for which its administrator has to be
// superuser.
func (s *Server) Keep(ctx context.Context, settings [][2]string) error {
	const doing = "settings of the server"
	changed := false
	for _, setting := range settings {
		row, err := s.row(ctx, doing, 1, "SELECT current_setting("+literal(setting[0])+")")
		if err != nil {
			return err
		}
		if row[0] == setting[1] {
			continue
		}
		changed = true
		if _, err := s.run(ctx, doing, "ALTER SYSTEM SET "+identifier(setting[0])+" = "+literal(setting[1])); err != nil {
			return err
		}
	}
	if !changed {
		return nil
	}
	_, err := s.run(ctx, doing, "SELECT pg_catalog.pg_reload_conf()")
	return err
}

// join makes the administrator a member of a role that is the tenant's: else, unless he is
// superuser, he may not make it an owner, end its sessions or drop what it owns. From
// PostgreSQL 16 on, what he makes himself gives him less than that, or what his
// createrole_self_grant says, and the option to administer it; before, that is to be had for
// the day when the server is upgraded.
func (s *Server) join(role string) string {
	options := "ADMIN OPTION"
	if s.major >= explicit {
		options = "INHERIT TRUE, SET TRUE"
	}
	return "GRANT " + identifier(role) + " TO CURRENT_USER WITH " + options
}

func (s *Server) step(name string) {
	if s.Progress != nil {
		s.Progress(name)
	}
}

// change runs statements that can be run again, and does so where another session changed
// the same row of the system's tables meanwhile.
func (s *Server) change(ctx context.Context, doing string, statements ...string) error {
	return s.changeIn(ctx, s.session, doing, statements...)
}

// changeIn is change in another session of the administrator's.
func (s *Server) changeIn(ctx context.Context, in session, doing string, statements ...string) error {
	return s.again(ctx, doing, func() error {
		return s.unblocked(ctx, in, doing, func() error {
			_, err := in.query(ctx, doing, statements...)
			return err
		})
	})
}

// changeAlone does so with a statement that may not stand in a transaction. It calls nothing
// that is looked for in a search_path.
func (s *Server) changeAlone(ctx context.Context, doing, statement string) error {
	return s.again(ctx, doing, func() error {
		return s.unblocked(ctx, s.session, doing, func() error {
			_, err := s.run(ctx, doing, statement)
			return err
		})
	})
}

func (s *Server) again(ctx context.Context, doing string, change func() error) error {
	const tries = 10
	for try := 1; ; try++ {
		err := change()
		switch stateOf(err) {
		case "XX000", "40001", "40P01": // "tuple concurrently updated", and those that say it properly
		default:
			return s.explained(err)
		}
		if try == tries {
			return err
		}
		if err := pause(ctx, doing, time.Duration(try)*10*time.Millisecond); err != nil {
			return err
		}
	}
}

// explained says what the server's few words are about where another administrator made a
// tenant's roles.
func (s *Server) explained(err error) error {
	if s.major < explicit || stateOf(err) != "42501" {
		return err
	}
	return fmt.Errorf("%w (from PostgreSQL %d on, an administrator who did not make the tenant's roles needs them WITH ADMIN OPTION)", err, explicit)
}

// pause waits, unless the caller's time is over.
func pause(ctx context.Context, doing string, time time.Duration) error {
	if !sleep(ctx, time) {
		return statementTrouble(ctx, doing, "", ctx.Err())
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
