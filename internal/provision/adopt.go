package provision

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// Role is the role of a database that sp did not make, in a session of its own. That can give
// the role another password and, as long as it is open, also the one that it had.
type Role struct {
	session
	locks
	user     string
	password secret.Secret // with which it was opened
}

// OpenRole logs in as the role of a URL. Others who do so too wait until it is closed.
func OpenRole(ctx context.Context, url secret.Secret) (*Role, error) {
	const doing = "login"
	u, err := pgurl.Usable(url)
	if err != nil {
		return nil, err
	}
	config, err := configOf(url)
	if err != nil {
		return nil, err
	}
	r := &Role{locks: locks{url: url}, user: config.User, password: u.Secrets()["password"]}
	if r.session, err = dial(ctx, doing, url); err != nil {
		return nil, err
	}
	if _, err = r.take(ctx, "the role", "role "+r.user, "pg_advisory_xact_lock"); err == nil {
		err = r.begin(ctx, doing)
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// begin opens the transaction in which the session waits. A pooler leaves it the connection
// that it has, and need not log in to the server anew when a password is to be set back.
func (r *Role) begin(ctx context.Context, doing string) error {
	row, err := r.row(ctx, doing, 1, "START TRANSACTION", patient(true), "SELECT session_user")
	if err != nil {
		return err
	}
	if row[0] != r.user { // a pooler may log in everybody as one role
		return &trouble{doing: doing, why: "it leads in as another role than its URL names", kind: ErrMismatch}
	}
	return nil
}

// SetPassword gives the role the password of a URL. The error is ErrUnknown where the
// server's answer is not known; behind any other one the role has the password that it had.
func (r *Role) SetPassword(ctx context.Context, url secret.Secret) error {
	const doing = "new password"
	u, err := pgurl.Usable(url)
	if err != nil {
		return err
	}
	password := u.Secrets()["password"]
	secret, err := r.verifier(password)
	if err != nil {
		return err
	}
	// A login can be set to act as another role, which may not change its password.
	_, err = r.query(ctx, doing, "SET LOCAL ROLE NONE", "ALTER ROLE CURRENT_USER PASSWORD "+literal(secret), "COMMIT",
		"START TRANSACTION", "SET LOCAL search_path TO pg_catalog", patient(true))
	if err == nil || saidNo(err) {
		return err
	}
	return fmt.Errorf("%w: %w", err, ErrUnknown)
}

// verifier is the same again for the password that the session was opened with: a pooler may
// know no more of it than its verifier, and log in with that.
func (r *Role) verifier(password secret.Secret) (string, error) {
	salt, rounds := r.greeting.challenged()
	if salt == nil || !password.Equal(r.password) {
		return verifier(password, rand.Reader)
	}
	return verifierWith(password, salt, rounds)
}

// saidNo tells whether the server refused a statement. One that it could not end, or that a
// pooler speaks of, may have been done.
func saidNo(err error) bool {
	state := stateOf(err)
	return state != "" && !strings.HasPrefix(state, "08") && !strings.HasPrefix(state, "57")
}

// Close ends the session.
func (r *Role) Close() {
	r.rollBack()
	r.release()
}
