package provision

import "context"

// SetReadOnly has new transactions in a tenant's database only read, unless they say otherwise, or
// ends that. The sessions that are open end: they would go on as they began.
func (s *Server) SetReadOnly(ctx context.Context, d Database, on bool) error {
	if err := d.check(); err != nil {
		return err
	}
	database := "ALTER DATABASE " + identifier(d.Name)
	statement := database + " RESET default_transaction_read_only"
	if on {
		statement = database + " SET default_transaction_read_only TO on"
	}
	if err := s.change(ctx, "read-only", s.join(d.Owner()), statement); err != nil {
		return err
	}
	for _, l := range []Login{LoginA, LoginB} {
		if err := s.endSessions(ctx, d, l); err != nil {
			return err
		}
	}
	return nil
}
