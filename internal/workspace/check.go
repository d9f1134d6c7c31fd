package workspace

import (
	"context"
	"errors"
	"io/fs"

	"github.com/sp-registry/sp/internal/registry"
)

// Check tells, before anything is made for it, whether Publish would refuse to
// overwrite what stands at the place. Publish looks again.
func (p Publisher) Check(ctx context.Context, view *registry.View) error {
	file, state, err := p.record(ctx, view)
	if err != nil {
		return err
	}
	left, err := leftovers(p.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // its directory is missing, and so is it
	}
	if err != nil {
		return err
	}
	there, err := lookAt(p.Path, file)
	if err != nil || p.mayReplace(there, file, left) {
		return err
	}
	return p.checkSame(ctx, view, state.Document, there)
}
