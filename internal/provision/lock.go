package provision

import "context"

// Lock keeps others, who lock it too, from a tenant's database until the session ends:
// two rotations at once would each end what the other one has published.
func (s *Server) Lock(ctx context.Context, d Database) error {
	_, err := s.lock(ctx, d, "pg_advisory_lock")
	return err
}

// TryLock does so if nobody has it, and tells whether it did.
func (s *Server) TryLock(ctx context.Context, d Database) (bool, error) {
	got, err := s.lock(ctx, d, "pg_try_advisory_lock")
	return got == "t", err
}

func (s *Server) lock(ctx context.Context, d Database, how string) (string, error) {
	if err := d.check(); err != nil {
		return "", err
	}
	rows, err := s.query(ctx, "lock of database "+d.Name, "SELECT pg_catalog."+how+"(pg_catalog.hashtext("+literal("sp "+d.Name)+"))")
	if err != nil {
		return "", err
	}
	return rows[0][0], nil
}
