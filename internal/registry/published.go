package registry

import (
	"context"
	"path/filepath"

	"github.com/sp-registry/sp/db/queries"
)

// rememberPublished notes when tenants.json began to show a state, by the clock of the
// file system, and whether this change took over what stood there before.
func (c *change) rememberPublished(ctx context.Context, f File) error {
	if filepath.IsAbs(f.Path) {
		return nil
	}
	if c.touched && c.read != "" && f.Previous == c.read {
		if err := c.q.MarkTaken(ctx, c.revision); err != nil {
			return err
		}
	}
	if f.Written.IsZero() {
		return nil
	}
	written := f.Written.UnixMicro()
	return c.q.MarkPublished(ctx, queries.MarkPublishedParams{Published: &written, Sequence: f.TenantsRevision})
}
