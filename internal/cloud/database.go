package cloud

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/secret"
)

// ErrDatabase is returned for a database URL that is not stored: whoever connects with it would reach
// something of this machine's in place of a server of the control plane's.
var ErrDatabase = errors.New("refused, and not stored")

// takeDatabase returns the URL of a database that a control plane gave, or nothing and why it is refused:
// the control plane can't have one that leads nowhere in particular, to a socket of this machine or, if
// the control plane is elsewhere, to this machine, and one that takes something of this machine's along. A
// masked one is not stored by anybody, and says nothing.
func (c *Client) takeDatabase(what, text string) (secret.Secret, error) {
	url := secret.New(text)
	if url.Empty() || pgurl.IsMasked(url) {
		return url, nil
	}
	if why := c.misleads(url); why != "" {
		return secret.Secret{}, fmt.Errorf("%s gave %s that %s: %w", c.Host(), what, why, ErrDatabase)
	}
	return url, nil
}

// misleads says what is wrong with the URL of a database; nothing if it may be right.
func (c *Client) misleads(url secret.Secret) string {
	u, err := pgurl.Usable(url)
	if err != nil {
		return fmt.Sprintf("can't be used (%v)", err)
	}
	if why := takesAlong(u); why != "" {
		return why
	}
	for _, s := range u.Servers() {
		for _, host := range []string{s.Host, s.Addr} { // not every client takes the same one of them
			switch {
			case host == "":
			case (pgurl.Server{Host: host}).IsSocket():
				return "leads to a socket of this machine"
			case pgurl.IsThisMachine(host) && !isLoopback(c.base.Hostname()):
				return fmt.Sprintf("leads to this machine (%s), where the control plane is not", host)
			}
		}
	}
	return ""
}

// takesAlong says what a client would take along from this machine; nothing if there is nothing of that
// kind. Without a password, that is the one of ~/.pgpass.
func takesAlong(u pgurl.URL) string {
	said := u.Said()
	for _, name := range slices.Sorted(maps.Keys(said)) {
		if !pgurl.IsPortable(name, said[name]) {
			return fmt.Sprintf("has the parameter %s, which is for this machine to say", shown(name, secret.Secret{}))
		}
	}
	if said["password"] == "" {
		return "has no password"
	}
	return ""
}
