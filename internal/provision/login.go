package provision

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// Enable gives a login a new password without an end, ends the sessions that it has, and
// returns its URL, which has been tried.
func (s *Server) Enable(ctx context.Context, d Database, l Login, random io.Reader) (secret.Secret, error) {
	if err := d.check(); err != nil {
		return secret.Secret{}, err
	}
	return s.enable(ctx, d, l, random)
}

func (s *Server) enable(ctx context.Context, d Database, l Login, random io.Reader) (secret.Secret, error) {
	none := secret.Secret{}
	password, err := NewPassword(random)
	if err != nil {
		return none, err
	}
	url, err := pgurl.For(s.admin, d.Role(l), d.Name, password)
	if err != nil {
		return none, err
	}
	secret, err := verifier(password, random)
	if err != nil {
		return none, err
	}
	if err := s.alter(ctx, "login "+string(l), d, l, "LOGIN PASSWORD "+literal(secret)+" VALID UNTIL 'infinity'"); err != nil {
		return none, err
	}
	if _, err := s.endSessions(ctx, d, l); err != nil {
		return none, err
	}
	return url, s.open(ctx, url, d, l)
}

// leadsTo logs in, and tells whether that leads where it should.
func (s *Server) leadsTo(ctx context.Context, url secret.Secret, d Database, l Login) error {
	try := Check
	if s.Pooled {
		try = Opens
	}
	answer, err := try(ctx, url)
	if err != nil {
		return err
	}
	if answer.User != d.Role(l) || answer.Database != d.Name || answer.Tenant != d.Tenant {
		return &trouble{doing: "login " + string(l), why: "it leads to another database, or as another role", kind: ErrMismatch}
	}
	return nil
}

// Expire lets the server itself refuse the password of a login after a while, and returns
// when, by the server's clock. Sessions that are open then stay open.
func (s *Server) Expire(ctx context.Context, d Database, l Login, grace time.Duration) (time.Time, error) {
	if err := d.check(); err != nil {
		return time.Time{}, err
	}
	doing := "end of login " + string(l)
	row, err := s.row(ctx, doing, 1, `SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint`)
	if err != nil {
		return time.Time{}, err
	}
	now, err := strconv.ParseInt(row[0], 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s: the server's clock: %w", doing, err)
	}
	end := time.UnixMicro(now).Add(grace).UTC()
	return end, s.alter(ctx, doing, d, l, "VALID UNTIL "+literal(end.Format("2006-01-02 15:04:05.000000-07")))
}

// Retire ends a login now: its password is gone, and so are its sessions. It returns who had those.
func (s *Server) Retire(ctx context.Context, d Database, l Login) (ended Uses, err error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	if err := s.alter(ctx, "end of login "+string(l), d, l, "NOLOGIN PASSWORD NULL"); err != nil {
		return nil, err
	}
	return s.endSessions(ctx, d, l)
}

// Standing is what becomes of a login by itself.
type Standing string

// The standings of a login.
const (
	Lasts Standing = "lasts"
	Ends  Standing = "ends" // or its time is over
	Ended Standing = "ended"
)

// StandingOf looks what becomes of a login by itself: it lasts until an Expire, and has ended by a Retire.
func (s *Server) StandingOf(ctx context.Context, d Database, l Login) (Standing, error) {
	if err := d.check(); err != nil {
		return "", err
	}
	doing := "login " + string(l)
	rows, err := s.query(ctx, doing, `SELECT CASE WHEN NOT rolcanlogin THEN 'ended' WHEN isfinite(rolvaliduntil) THEN 'ends' ELSE 'lasts' END
		FROM pg_roles WHERE rolname = `+literal(d.Role(l)))
	if err == nil && len(rows) == 0 {
		err = &trouble{doing: doing, why: "it is not there", kind: ErrMismatch}
	}
	if err != nil {
		return "", err
	}
	return Standing(rows[0][0]), nil
}

// alter changes the role of a login, of which the administrator becomes a member.
func (s *Server) alter(ctx context.Context, doing string, d Database, l Login, clause string) error {
	return s.change(ctx, doing, s.join(d.Role(l)), "ALTER ROLE "+identifier(d.Role(l))+" "+clause)
}

// endSessions ends the sessions of a login, waits until they are gone, and returns who had them. It comes
// after the change of the password, behind which no new one can begin with the old.
func (s *Server) endSessions(ctx context.Context, d Database, l Login) (ended Uses, err error) {
	doing := "sessions of login " + string(l)
	const patience = 200 // times 20 ms
	for try := range patience {
		left, err := s.uses(ctx, doing, "pg_terminate_backend(pid)", "usename = "+literal(d.Role(l)))
		if try == 0 {
			ended = left
		}
		if err != nil || len(left) == 0 {
			return ended, err
		}
		if err := pause(ctx, doing, 20*time.Millisecond); err != nil {
			return ended, err
		}
	}
	return nil, deaf(doing, s.describe(ctx, "usename = "+literal(d.Role(l))))
}
