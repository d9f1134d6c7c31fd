package provision

import (
	"context"

	"github.com/sp-registry/sp/internal/secret"
)

// Identity is what tells a server from others, wherever its address is, also behind a pooler.
type Identity struct {
	cluster, started string
	// Pooled tells that the address is a connection pooler's.
	Pooled bool
}

// IdentityOf logs in with a URL and asks who answers.
func IdentityOf(ctx context.Context, url secret.Secret) (i Identity, err error) {
	s, err := dial(ctx, "login", url)
	if err != nil {
		return i, err
	}
	defer s.close()
	row, err := s.row(ctx, "which server it is", 3, "SELECT system_identifier, extract(epoch FROM pg_postmaster_start_time()), pg_backend_pid() FROM pg_control_system()")
	if err != nil {
		return i, err
	}
	return Identity{row[0], row[1], s.pooled(row[2])}, nil
}

// Is tells whether the same server gave two answers.
func (i Identity) Is(other Identity) bool { return i.MayBe(other) && i.started == other.started }

// MayBe tells whether the same cluster may have given two answers: a standby has the roles of its primary, and a copy
// of a cluster has its own.
func (i Identity) MayBe(other Identity) bool { return i.cluster == other.cluster }
