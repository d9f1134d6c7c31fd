// Package workspace is a project's directory with its registry and the files that follow
// it. Read looks at one instant. Change is one transaction, with the files that follow it:
// this package alone knows in which order that is written, and change.go says it.
//
// look and merge find and take over what other programs wrote (merge.go). A Publication is what
// was rendered and waits for the commit: of tenants.json (tenants_file.go), of the small files
// (small.go), and of what stopped commands left.
package workspace

import (
	"context"
	"fmt"
	"io"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// Workspace is a project's directory, and what its owner hands to it of the world.
type Workspace struct {
	Dir      project.Dir
	Registry registry.Options
	// Git is the program that knows what would be shared.
	Git func() project.Git
	// Reading and Writing, which may be nil, see how far a long file has come.
	Reading func(of int64, r io.Reader) io.Reader
	Writing func(io.Writer) io.Writer
}

// View opens one instant of the registry, which the caller closes.
func (w *Workspace) View(ctx context.Context) (*registry.View, error) {
	return registry.OpenView(ctx, w.Dir.Registry(), w.Registry)
}

// Read runs fn on one instant of the registry.
func (w *Workspace) Read(ctx context.Context, fn func(*registry.View) error) error {
	view, err := w.View(ctx)
	if err != nil {
		return err
	}
	defer view.Close()
	return fn(view)
}

// tracked is the publisher of the file that follows the registry.
func (w *Workspace) tracked() Publisher {
	return Publisher{Path: w.Dir.Tenants(), Name: TrackedName, Watch: w.Writing}
}

// open opens the registry; where there is none, the change makes it if that is wanted.
func (w *Workspace) open(ctx context.Context, bulk, create bool) (*registry.Registry, error) {
	options := w.Registry
	options.Bulk, options.New = bulk, create
	return registry.Open(ctx, w.Dir.Registry(), options)
}

// incomplete is what went wrong after a change was made.
func incomplete(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", registry.ErrIncomplete, err)
}
