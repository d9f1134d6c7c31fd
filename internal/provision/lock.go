package provision

import "context"

// Lock keeps others, who lock it too, from a tenant's database until the session ends:
// two rotations at once would each end what the other one has published.
func (s *Server) Lock(ctx context.Context, d Database) error {
	if err := d.check(); err != nil {
		return err
	}
	_, err := s.query(ctx, "lock of database "+d.Name, "SELECT pg_catalog.pg_advisory_lock(pg_catalog.hashtext("+literal("sp "+d.Name)+"))")
	return err
}
