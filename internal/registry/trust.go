package registry

import (
	"context"
	"database/sql"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
)

// Stranger is a registry of which nothing shows that it is this user's, or a backup of one.
type Stranger struct {
	// Known tells that something does show it.
	Known bool
	// CopyOf is the directory of the registry whose copy it is, as far as is known.
	CopyOf  string
	Tenants []Tenant
	Servers []Server
}

// Look tells what source holds, in a copy beside the registry at path that is gone
// afterwards: what it leads to can be shown before it is trusted, and nothing of it is used.
func Look(ctx context.Context, path string, o Options, source db.Source) (s Stranger, err error) {
	err = db.Look(ctx, path, o.forFile(), source, func(tx *sql.Tx, stranger bool, copyOf string) error {
		s.Known, s.CopyOf = !stranger, copyOf
		view := &View{q: queries.New(tx), now: o.Now()}
		for t, err := range view.Tenants(ctx, Page{}) {
			if err != nil {
				return err
			}
			s.Tenants = append(s.Tenants, t)
		}
		var err error
		s.Servers, err = view.Servers(ctx)
		return err
	})
	return s, err
}
