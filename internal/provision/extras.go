package provision

import (
	"context"
	"fmt"
)

// Frameworks want databases beside the tenant's own: one for tests, and one to compare migrations with. A
// tenant's role with CREATEDB could make them itself. But then it could take any name, also the one that
// another tenant's framework is about to look for, and rename its own database away from sp. And everybody may
// connect to a new database until somebody revokes that: PostgreSQL has no default for it. So sp makes
// them, closed as the tenant's own database is.

// Extras returns the databases that MakeExtras makes. They have the roles of d.
func (d Database) Extras() []Database {
	return []Database{
		{Name: "test_" + d.Name, Tenant: d.Tenant, Own: d.Own, roles: d.Name}, // as Django calls it
		{Name: "shadow_" + d.Name, Tenant: d.Tenant, Own: d.Own, roles: d.Name},
	}
}

// owned is in SQL the list of those of the tenant's databases that are there.
func (d Database) owned() string {
	names := []string{d.Name}
	for _, extra := range d.Extras() {
		names = append(names, extra.Name)
	}
	return "(SELECT own.oid FROM pg_database own JOIN pg_roles r ON r.oid = own.datdba WHERE own.datname IN (" + listed(names, literal) + ") AND r.rolname = " + literal(d.Owner()) + ")"
}

// MayMakeExtras refuses names that somebody else has, or that are too long.
func (s *Server) MayMakeExtras(ctx context.Context, d Database) error {
	for _, extra := range d.Extras() {
		if len(extra.Name) > longest {
			return fmt.Errorf("name of a database: longer than %d bytes: %w", longest, ErrInvalid)
		}
		if found, err := s.findDatabase(ctx, extra); err != nil {
			return err
		} else if found.there && !found.ours {
			return fmt.Errorf("database %s: %w", extra.Name, somebodyElses("database"))
		}
	}
	return nil
}

// MakeExtras makes the databases for tests beside one that is there. Those that are there already stay as
// they are.
func (s *Server) MakeExtras(ctx context.Context, d Database) error {
	if err := s.MayMakeExtras(ctx, d); err != nil {
		return err
	}
	for _, extra := range d.Extras() {
		if err := s.makeDatabase(ctx, extra); err != nil {
			return err
		}
		if err := s.closeToOthers(ctx, extra); err != nil {
			return err
		}
	}
	return nil
}

// FindExtras returns the names of those that are there.
func (s *Server) FindExtras(ctx context.Context, d Database) (names []string, err error) {
	rows, err := s.query(ctx, "databases for tests", "SELECT datname FROM pg_database WHERE datname <> "+literal(d.Name)+" AND oid IN "+d.owned()+" ORDER BY datname DESC")
	return firsts(rows), err
}

func (s *Server) dropExtras(ctx context.Context, d Database) error {
	for _, extra := range d.Extras() {
		found, err := s.findDatabase(ctx, extra)
		if err == nil && found.there && found.ours {
			err = s.dropDatabase(ctx, extra, found)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
