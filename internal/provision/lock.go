package provision

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sp-registry/sp/internal/secret"
)

// Lock keeps others, who lock it too, from a tenant's database until the server is closed:
// two rotations at once would each end what the other one has published.
func (s *Server) Lock(ctx context.Context, d Database) error {
	if err := d.check(); err != nil {
		return err
	}
	doing := "lock of database " + d.Name
	held, err := s.hold(ctx, doing)
	if err != nil {
		return err
	}
	return s.unblocked(ctx, *held, doing, func() error {
		_, err := s.take(ctx, "database "+d.Name, d.Name, "pg_advisory_xact_lock")
		return err
	})
}

// TryLock does so if nobody has it, and tells whether it did.
func (s *Server) TryLock(ctx context.Context, d Database) (bool, error) {
	if err := d.check(); err != nil {
		return false, err
	}
	got, err := s.take(ctx, "database "+d.Name, d.Name, "pg_try_advisory_xact_lock")
	if err != nil || got == "t" {
		return err == nil, err
	}
	s.endTenants(ctx, `pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid::bigint << 32 | objid::bigint = `+keyOf(d.Name)+")")
	got, err = s.take(ctx, "database "+d.Name, d.Name, "pg_try_advisory_xact_lock")
	return got == "t", err
}

// keyOf is the key of a lock. Anybody can find it out.
func keyOf(name string) string { return "hashtext(" + literal("sp "+name) + ")::bigint" }

// locks are held by a transaction in a session of its own, and end with it. What they guard
// can't be one transaction; and behind a pooler a lock of a session would stay on a connection
// that somebody else gets.
type locks struct {
	url      secret.Secret          // who holds them
	settings []func(*pgconn.Config) // that the session begins with
	held     *session
}

// hold returns the session that holds them. Its transaction lives on while nothing is said in it, and waits.
func (l *locks) hold(ctx context.Context, doing string) (*session, error) {
	if l.held != nil {
		return l.held, nil
	}
	s, err := dial(ctx, doing, l.url, l.settings...)
	if err != nil {
		return nil, err
	}
	l.held = &s
	if _, err := s.query(ctx, doing, "SET LOCAL statement_timeout TO 0", "START TRANSACTION", patient(true)); err != nil {
		l.release()
		return nil, err
	}
	return l.held, nil
}

func (l *locks) take(ctx context.Context, what, name, how string) (string, error) {
	doing := "lock of " + what
	held, err := l.hold(ctx, doing)
	if err != nil {
		return "", err
	}
	row, err := held.row(ctx, doing, 1, "SELECT "+how+"("+keyOf(name)+")")
	if err != nil { // the transaction is over, and with it what it held
		l.release()
		return "", err
	}
	return row[0], nil
}

func (l *locks) release() {
	if l.held != nil {
		l.held.rollBack()
		l.held = nil
	}
}

// rollBack ends a session in whose transaction nothing is left to be done. A pooler would
// close a connection that is left in the middle of one.
func (s session) rollBack() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, _ = s.run(ctx, "end", "ROLLBACK")
	s.close()
}
