package provision

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"strings"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// Answer is what a server tells a client of a tenant.
type Answer struct {
	Version        string // of the server, as "15.18"
	TLS            bool   // between here and the server
	User, Database string
	Tenant         string // as marked on the database, "" where it is not
	Pooled         bool   // the address is a connection pooler's
	// Strangers may connect to a database that sp made for a tenant, beside that.
	Strangers []Stranger
}

// Check logs in as a client of a tenant would.
func Check(ctx context.Context, url secret.Secret) (Answer, error) {
	s, err := dial(ctx, "login", url)
	if err != nil {
		return Answer{}, err
	}
	defer s.close()
	row, err := s.row(ctx, "what the login leads to", 4, `SELECT session_user, current_database(),
		coalesce(shobj_description(datdba, 'pg_authid'), ''), pg_backend_pid() FROM pg_database WHERE datname = current_database()`)
	if err != nil {
		return Answer{}, err
	}
	_, encrypted := s.conn.Conn().(*tls.Conn)
	a := Answer{
		Version: s.version(), TLS: encrypted,
		User: row[0], Database: row[1], Tenant: markedFor(row[2]), Pooled: s.pooled(row[3]),
	}
	if a.Tenant != "" { // it is told beside, and nothing hangs on it
		a.Strangers, _ = s.strangers(ctx, "(SELECT oid FROM pg_database WHERE datname = current_database())", Database{Name: a.Database})
	}
	return a, nil
}

// version returns the server's version without what a distribution adds to it.
func (s session) version() string {
	version, _, _ := strings.Cut(s.conn.ParameterStatus("server_version"), " ")
	return version
}

// Refuses tells whether a server refuses the password of a URL with SQLSTATE 28P01, or a pooler
// in front of it in its own words. Any other refusal proves nothing about the password. A server
// that can't take a login now has not answered, which is an error.
func Refuses(ctx context.Context, url secret.Secret) (bool, error) {
	s, err := dial(ctx, "login with a password that must not work", url)
	if err == nil {
		s.close()
		return false, nil
	}
	switch state := stateOf(err); {
	case state == "28P01", state == ofPoolers && errors.Is(err, ErrDenied):
		return true, nil
	case state != "" && !errors.Is(err, ErrUnavailable):
		return false, nil
	}
	return false, err
}

// ChecksPasswords tries a wrong password in place of the one of a URL: ErrUnchecked where the
// server does not answer with 28P01.
func ChecksPasswords(ctx context.Context, url secret.Secret, random io.Reader) error {
	wrong, err := NewPassword(random)
	if err != nil {
		return err
	}
	if url, err = pgurl.WithPassword(url, wrong); err != nil {
		return err
	}
	refuses, err := Refuses(ctx, url)
	if err != nil {
		return err
	}
	if !refuses {
		return &trouble{doing: "login with a wrong password", why: "it was not refused as such", kind: ErrUnchecked}
	}
	return nil
}
