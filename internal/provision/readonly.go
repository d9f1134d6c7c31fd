package provision

import "context"

// readOnlyMark is the comment on a role of a database that was made read-only. The tenant can't change it,
// as it can the setting of its database.
const readOnlyMark = "sp read-only"

// SetReadOnly has new transactions in a tenant's database only read, unless they say otherwise, or
// ends that. The sessions that are open end: they would go on as they began.
func (s *Server) SetReadOnly(ctx context.Context, d Database, on bool) error {
	if err := d.check(); err != nil {
		return err
	}
	database, marked := "ALTER DATABASE "+identifier(d.Name), "COMMENT ON ROLE "+identifier(d.Role(LoginA))+" IS "
	statements := []string{database + " RESET default_transaction_read_only", marked + "NULL"}
	if on {
		statements = []string{database + " SET default_transaction_read_only TO on", marked + literal(readOnlyMark)}
	}
	if err := s.change(ctx, "read-only", append([]string{s.join(d.Owner()), s.join(d.Role(LoginA))}, statements...)...); err != nil {
		return err
	}
	for _, l := range []Login{LoginA, LoginB} {
		if _, err := s.endSessions(ctx, d, l); err != nil {
			return err
		}
	}
	return nil
}

// IsLive tells whether a tenant's database is there, and SetReadOnly did not make it read-only.
func (s *Server) IsLive(ctx context.Context, d Database) (bool, error) {
	if err := d.check(); err != nil {
		return false, err
	}
	found, err := s.findDatabase(ctx, d)
	if err != nil || !found.there {
		return false, err
	}
	readOnly, err := s.hasReadOnlyMark(ctx, d)
	return !readOnly, err
}

func (s *Server) hasReadOnlyMark(ctx context.Context, d Database) (bool, error) {
	rows, err := s.query(ctx, "read-only", "SELECT 1 FROM pg_roles WHERE rolname = "+literal(d.Role(LoginA))+
		" AND shobj_description(oid, 'pg_authid') = "+literal(readOnlyMark))
	return len(rows) > 0, err
}
