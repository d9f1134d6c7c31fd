package provision

import (
	"context"
	"fmt"
	"io"

	"github.com/sp-registry/sp/internal/secret"
)

// sessions bounds how many sessions a login may have at once, so that one tenant, with both of its logins,
// can't take more than half of what the server has.
func (s *Server) sessions() int { return max(5, min(100, s.connections/4)) }

// Create makes a database with its roles, and returns the URL of login a, which gets a new
// password and has been tried. What is there of it already is gone on with.
func (s *Server) Create(ctx context.Context, d Database, random io.Reader) (secret.Secret, error) {
	if err := d.check(); err != nil {
		return secret.Secret{}, err
	}
	for _, step := range []struct {
		name string
		take func(context.Context, Database) error
	}{
		{"look", s.refuseOthers}, {"roles", s.makeRoles}, {"database", s.makeDatabase}, {"rights", s.closeToOthers},
	} {
		s.step(step.name)
		if err := step.take(ctx, d); err != nil {
			return secret.Secret{}, err
		}
	}
	s.step("login")
	return s.enable(ctx, d, LoginA, random)
}

// Reopen lets the tenant again into a database that was about to be dropped, and returns the URL of login a
// as Create does. It makes nothing: what is not there any more is an error.
func (s *Server) Reopen(ctx context.Context, d Database, random io.Reader) (secret.Secret, error) {
	if err := d.check(); err != nil {
		return secret.Secret{}, err
	}
	if err := s.refuseOthers(ctx, d); err != nil {
		return secret.Secret{}, err
	}
	if err := s.closeToOthers(ctx, d); err != nil {
		return secret.Secret{}, err
	}
	return s.enable(ctx, d, LoginA, random)
}

// refuseOthers looks for what has these names already, before anything is made.
func (s *Server) refuseOthers(ctx context.Context, d Database) error {
	found, err := s.findDatabase(ctx, d)
	if err != nil {
		return err
	}
	if found.there && !found.ours {
		return somebodyElses("database")
	}
	there, err := s.findRoles(ctx, d)
	if err != nil {
		return err
	}
	return there.notOurs(d)
}

// makeRoles makes the three roles, all or none: the owner, and the logins, none of which can
// log in yet. What a login makes belongs to the owner, so that the other login can alter it.
func (s *Server) makeRoles(ctx context.Context, d Database) error {
	const doing = "roles"
	for try := 1; ; try++ {
		there, err := s.findRoles(ctx, d)
		if err != nil {
			return err
		}
		var statements []string
		owner := identifier(d.Owner())
		if _, ok := there[d.Owner()]; !ok {
			statements = append(statements, "CREATE ROLE "+owner+" NOLOGIN")
		}
		statements = append(statements,
			"COMMENT ON ROLE "+owner+" IS "+literal(markOf(d.Tenant)),
			s.join(d.Owner()))
		for _, l := range []Login{LoginA, LoginB} {
			role := identifier(d.Role(l))
			if _, ok := there[d.Role(l)]; !ok {
				statements = append(statements, fmt.Sprintf("CREATE ROLE %s NOLOGIN CONNECTION LIMIT %d", role, s.sessions()))
			}
			statements = append(statements,
				s.join(d.Role(l)),
				"GRANT "+owner+" TO "+role,
				"ALTER ROLE "+role+" SET role TO "+owner)
		}
		err = s.change(ctx, doing, statements...)
		if !madeMeanwhile(err) || try == 3 {
			return err
		}
	}
}

// madeMeanwhile is for what was not there a moment ago: a command that was killed may have a
// statement that still runs.
func madeMeanwhile(err error) bool {
	switch stateOf(err) {
	case "42710", "42P04", "23505":
		return true
	}
	return false
}

// makeDatabase makes the database, from template0: with template1 it waits for whoever sits
// there. Nobody gets in before it is closed to others.
func (s *Server) makeDatabase(ctx context.Context, d Database) error {
	const doing = "database"
	for try := 1; ; try++ {
		found, err := s.findDatabase(ctx, d)
		if err != nil {
			return err
		}
		switch {
		case found.there && !found.ours: // since it was looked for
			return somebodyElses(doing)
		case found.broken:
			if err := s.dropDatabase(ctx, d, found); err != nil {
				return err
			}
		case found.there:
			return nil
		}
		err = s.changeAlone(ctx, doing, "CREATE DATABASE "+identifier(d.Name)+" OWNER "+identifier(d.Owner())+" TEMPLATE template0 ALLOW_CONNECTIONS false")
		if !madeMeanwhile(err) || try == 3 {
			return err
		}
	}
}

// closeToOthers lets nobody but the tenant into its database.
func (s *Server) closeToOthers(ctx context.Context, d Database) error {
	database, owner := identifier(d.Name), identifier(d.Owner())
	err := s.change(ctx, "rights on the database",
		"REVOKE ALL ON DATABASE "+database+" FROM PUBLIC",
		"GRANT CONNECT, TEMPORARY ON DATABASE "+database+" TO "+owner,
		"ALTER DATABASE "+database+" ALLOW_CONNECTIONS true")
	if err != nil || !d.Own {
		return err
	}
	const doing = "rights on the server's own databases"
	open, err := s.query(ctx, doing, `SELECT datname FROM pg_database
		WHERE datname IN ('postgres', 'template1') AND has_database_privilege('public', oid, 'CONNECT')`)
	for _, row := range open {
		if err := s.change(ctx, doing, "REVOKE CONNECT ON DATABASE "+identifier(row[0])+" FROM PUBLIC"); err != nil {
			return err
		}
	}
	return err
}
