package provision

import (
	"fmt"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// What a connection URL means is told by pgurl; here it is asked about a Secret.

// usable reads a URL that leads somewhere. The error never quotes it.
func usable(url secret.Secret) (pgurl.URL, error) {
	u, err := pgurl.Usable(url.Reveal())
	if err != nil {
		err = fmt.Errorf("database URL: %w: %w", err, ErrInvalid)
	}
	return u, err
}

// urlFor is a URL for another login and database on the servers of an administrator's.
func urlFor(admin secret.Secret, user, database string, password secret.Secret) (secret.Secret, error) {
	u, err := usable(admin)
	if err != nil {
		return secret.Secret{}, err
	}
	url := secret.New(u.For(user, database, password.Reveal()))
	_, err = usable(url)
	return url, err
}

// withPassword is a URL with another password.
func withPassword(url, password secret.Secret) (secret.Secret, error) {
	u, err := usable(url)
	if err != nil {
		return secret.Secret{}, err
	}
	return secret.New(u.WithPassword(password.Reveal())), nil
}

func passwordOf(url secret.Secret) (secret.Secret, error) {
	u, err := usable(url)
	return secret.New(u.Secrets()["password"]), err
}
