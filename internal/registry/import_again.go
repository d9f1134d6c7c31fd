package registry

import (
	"context"

	"github.com/sp-registry/sp/db/queries"
)

// isImported tells whether the registry is as an import of this very file left it. Then
// the file need not be read: nothing of it would change anything.
func (c *change) isImported(ctx context.Context, i Import, plan *Plan) (bool, error) {
	if i.Hash == nil || i.Prune || i.Exact || i.Purge {
		return false, nil
	}
	last, err := c.q.Imported(ctx)
	if err != nil || last.Imported == "" {
		return false, vanished(err)
	}
	state, err := c.State(ctx)
	if err != nil || state.TenantsRevision != last.ImportedRevision {
		return false, err
	}
	hash, err := i.Hash()
	if err != nil || hash != last.Imported {
		return false, err
	}
	plan.Unchanged, plan.Document = int(last.ImportedTenants), state.Document
	return true, nil
}

// noteImport remembers the file, if to import it once more would change nothing and
// there is nothing to tell of it.
func (c *change) noteImport(ctx context.Context, i Import, plan Plan) error {
	if i.Hash == nil {
		return nil
	}
	state, err := c.State(ctx)
	if err != nil {
		return err
	}
	at := state.TenantsRevision
	if c.touched {
		at = c.revision
	}
	if c.read, err = i.Hash(); err != nil {
		return err
	}
	hash := ""
	if plan.Skipped == 0 && !plan.keeps {
		hash = c.read
	}
	return c.q.SetImported(ctx, queries.SetImportedParams{
		Imported: hash, ImportedRevision: at, ImportedTenants: int64(plan.Added + plan.Updated + plan.Unchanged),
	})
}
