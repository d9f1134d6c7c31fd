package provision

import (
	"context"
	"crypto/rand"

	"github.com/sp-registry/sp/internal/registry"
)

// SetPassword gives the role of a URL the password of another URL, in a session of its own:
// for a database that sp did not make. Then it logs in with the other.
func SetPassword(ctx context.Context, url, next registry.Secret) error {
	const doing = "new password"
	_, password, err := registry.WithoutPassword(next)
	if err != nil {
		return err
	}
	secret, err := verifier(password, rand.Reader)
	if err != nil {
		return err
	}
	s, err := dial(ctx, "login", url)
	if err != nil {
		return err
	}
	defer s.close()
	// A login can be set to act as another role, which may not change its password.
	if _, err := s.query(ctx, doing, "SET ROLE NONE", "ALTER ROLE CURRENT_USER PASSWORD "+literal(secret)); err != nil {
		return err
	}
	_, err = Check(ctx, next)
	return err
}
