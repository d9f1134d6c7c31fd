package registry

import (
	"context"
	"errors"
	"fmt"
)

// WithholdServers has no server used until NameServer names it: the registry was trusted, and
// nobody has looked at its servers. Of a copy the databases count as adopted, for they are the
// original's to drop, and the servers that sp runs are foreign.
func (r *Registry) WithholdServers(ctx context.Context, copied bool) error {
	return r.write(ctx, func(c *change) error { return c.withholdServers(ctx, copied) })
}

func (c *change) withholdServers(ctx context.Context, copied bool) error {
	err := c.q.WithholdServers(ctx)
	if copied {
		err = errors.Join(err, c.q.DisownServers(ctx), c.q.DeleteDatabases(ctx))
	}
	return err
}

// NameServer has a server used that is withheld because nobody has named it. One that is not
// known, or used already, stays as it is; one of another directory is refused.
func (r *Registry) NameServer(ctx context.Context, name string) error {
	view, err := r.View(ctx)
	if err != nil {
		return err
	}
	known, err := view.Server(ctx, name)
	view.Close()
	if err != nil || known == nil || known.Withheld == "" {
		return err
	}
	_, err = r.changeServer(ctx, name, func(s *Server) error {
		if s.Withheld == Foreign {
			return fmt.Errorf("server %s: it is that of the directory from which this one was copied: %w", s.Name, ErrInUse)
		}
		s.Withheld = ""
		return nil
	})
	return err
}

// TakeOverServers has the servers that sp runs for the directory from which this one was copied
// count as this one's, once that is gone; they are used when somebody names them.
func (r *Registry) TakeOverServers(ctx context.Context) error {
	view, err := r.View(ctx)
	if err != nil {
		return err
	}
	servers, err := view.Servers(ctx)
	origin := view.origin()
	view.Close()
	if err != nil {
		return err
	}
	if origin != "" {
		return fmt.Errorf("%s is still there: %w", origin, ErrInUse)
	}
	for _, s := range servers {
		if s.Withheld != Foreign {
			continue
		}
		if _, err := r.changeServer(ctx, s.Name, func(s *Server) error {
			s.Withheld = Unnamed
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// changeServer changes a server that is known, and returns what it is then.
func (r *Registry) changeServer(ctx context.Context, name string, fn func(*Server) error) (changed Server, err error) {
	err = r.write(ctx, func(c *change) error {
		s, err := c.Server(ctx, name)
		if err == nil && s == nil {
			err = fmt.Errorf("server %s: %w", name, ErrNotFound)
		}
		if err == nil {
			err = fn(s)
		}
		if err != nil {
			return err
		}
		changed = *s
		return c.putServer(ctx, changed)
	})
	return changed, err
}
