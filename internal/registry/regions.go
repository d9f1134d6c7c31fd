package registry

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/sp-registry/sp/internal/pgurl"
)

// A region is a server on which a control plane makes databases for those who name its code.

// codeForm is what the code of a region looks like.
var codeForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`) })

// Region returns the server that is the region of that code, nil if none is.
func (v *View) Region(ctx context.Context, code string) (*Server, error) {
	row, err := v.q.Region(ctx, code)
	if there, err := isThere(err); !there {
		return nil, err
	}
	s, err := v.serverOf(row)
	return &s, err
}

// Regions returns the servers that are regions, in order of code.
func (v *View) Regions(ctx context.Context) ([]Server, error) {
	rows, err := v.q.Regions(ctx)
	if err != nil {
		return nil, err
	}
	return v.serversOf(rows)
}

// AddRegion makes a server a region. Of one that is that region already it takes the admin URL
// where somebody else runs it; one that sp runs has the password that is known. A server is one
// region at most.
func (r *Registry) AddRegion(ctx context.Context, code string, s Server) error {
	if !codeForm().MatchString(code) {
		return fmt.Errorf("region %s: its code has to be 1 to 32 of a-z, 0-9 and -, beginning with a letter: %w", shown(code), ErrInvalid)
	}
	if err := pgurl.Check(s.Admin); err != nil {
		return err
	}
	return r.write(ctx, func(c *change) error {
		known, err := c.Server(ctx, s.Name)
		if err != nil {
			return err
		}
		if known != nil {
			if !known.IsOwn() {
				known.Admin = s.Admin
			}
			s = *known
		}
		if err := c.checkRegion(ctx, code, s); err != nil {
			return err
		}
		if err := s.release(); err != nil {
			return err
		}
		s.Region = &code
		return c.putServer(ctx, s)
	})
}

// checkRegion refuses a code that another server has, and a server that has another code.
func (c *change) checkRegion(ctx context.Context, code string, s Server) error {
	if s.Region != nil && *s.Region != code {
		return fmt.Errorf("server %s %w: it is region %s", s.Name, ErrExists, *s.Region)
	}
	has, err := c.Region(ctx, code)
	if err == nil && has != nil && has.Name != s.Name {
		err = fmt.Errorf("region %s %w: it is server %s", code, ErrExists, has.Name)
	}
	return err
}

// RemoveRegion has a server be no region any more. One that somebody else runs is forgotten, as
// after its last database; while there is one, it refuses.
func (r *Registry) RemoveRegion(ctx context.Context, code string) error {
	return r.write(ctx, func(c *change) error {
		region, err := c.Region(ctx, code)
		if err == nil && region == nil {
			err = &missingError{"region", code}
		}
		if err != nil {
			return err
		}
		s, databases, err := c.serverWith(ctx, region.Name)
		if err != nil {
			return err
		}
		if n := len(databases); n > 0 {
			return fmt.Errorf("region %s: %s on its server: %w", code, counted(n), ErrInUse)
		}
		s.Region = nil
		return errors.Join(c.putServer(ctx, s), c.q.DeleteUnusedServers(ctx))
	})
}

func counted(databases int) string {
	if databases == 1 {
		return "1 database is"
	}
	return fmt.Sprintf("%d databases are", databases)
}

// dropTakenRegion takes from a server that a backup does not know the code that is another's in
// the backup.
func (c *change) dropTakenRegion(ctx context.Context, s *Server) error {
	if s.Region == nil {
		return nil
	}
	taken, err := c.Region(ctx, *s.Region)
	if taken != nil {
		s.Region = nil
	}
	return err
}
