package provision

import (
	"context"
	"time"

	"github.com/sp-registry/sp/internal/secret"
)

// Lock keeps others, who lock it too, from a tenant's database until the server is closed:
// two rotations at once would each end what the other one has published.
func (s *Server) Lock(ctx context.Context, d Database) error {
	if err := d.check(); err != nil {
		return err
	}
	_, err := s.take(ctx, "database "+d.Name, d.Name, "pg_advisory_xact_lock")
	return err
}

// TryLock does so if nobody has it, and tells whether it did.
func (s *Server) TryLock(ctx context.Context, d Database) (bool, error) {
	if err := d.check(); err != nil {
		return false, err
	}
	got, err := s.take(ctx, "database "+d.Name, d.Name, "pg_try_advisory_xact_lock")
	return got == "t", err
}

// locks are held by a transaction in a session of its own, and end with it. What they guard
// can't be one transaction; and behind a pooler a lock of a session would stay on a connection
// that somebody else gets.
type locks struct {
	url  secret.Secret // who holds them
	held *session
}

// patient has a transaction live on while nothing is said in it, whatever was set for the role.
const patient = `SELECT set_config(name, '0', true) FROM pg_settings
	WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')`

func (l *locks) take(ctx context.Context, what, name, how string) (string, error) {
	doing := "lock of " + what
	if l.held == nil {
		s, err := dial(ctx, doing, l.url)
		if err != nil {
			return "", err
		}
		l.held = &s
		if _, err := s.query(ctx, doing, "START TRANSACTION", patient); err != nil {
			l.release()
			return "", err
		}
	}
	row, err := l.held.row(ctx, doing, 1, "SELECT "+how+"(hashtext("+literal("sp "+name)+"))")
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
