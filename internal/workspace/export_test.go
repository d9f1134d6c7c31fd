package workspace

import (
	"context"

	"github.com/sp-registry/sp/internal/registry"
)

// Finish is the end of a change.
func Finish(ctx context.Context, tx *registry.Tx, files Publication) error {
	return finish(ctx, tx, files, &Done{})
}
