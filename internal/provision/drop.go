package provision

import "context"

// Drop takes a database and its roles away, with the sessions that use them. What is gone
// already is not missed; a database of that name that is not the tenant's stays, with all roles.
func (s *Server) Drop(ctx context.Context, d Database) error {
	if err := d.check(); err != nil {
		return err
	}
	if err := s.refuseOthers(ctx, d); err != nil {
		return err
	}
	found, err := s.findDatabase(ctx, d)
	if err != nil {
		return err
	}
	there, err := s.findRoles(ctx, d)
	if err != nil {
		return err
	}
	for _, l := range []Login{LoginA, LoginB} {
		if _, ok := there[d.Role(l)]; !ok {
			continue
		}
		if err := s.Retire(ctx, d, l); err != nil {
			return err
		}
	}
	if found.there {
		// An administrator who did not make it may not be a member of its owner yet.
		if err := s.change(ctx, "drop the database", s.join(d.Owner())); err != nil {
			return err
		}
		if err := s.dropDatabase(ctx, d, found); err != nil {
			return err
		}
	}
	for _, role := range []string{d.Role(LoginA), d.Role(LoginB), d.Owner()} {
		if err := s.change(ctx, "drop a role", "DROP ROLE IF EXISTS "+identifier(role)); err != nil {
			return err
		}
	}
	return nil
}

// dropDatabase drops the database that was found.
func (s *Server) dropDatabase(ctx context.Context, d Database, f foundDatabase) error {
	const doing = "drop the database"
	if f.template && !f.broken { // a template can't be dropped, and a broken one not be altered
		if err := s.change(ctx, doing, "ALTER DATABASE "+identifier(d.Name)+" IS_TEMPLATE false"); err != nil {
			return err
		}
	}
	return s.changeAlone(ctx, doing, "DROP DATABASE IF EXISTS "+identifier(d.Name)+" WITH (FORCE)")
}
