// Package workspace is a project's directory with its registry and the files that follow it. Read
// shows one instant. Change makes one transaction and updates the files; only this package knows in
// which order all of that is written (change.go).
//
// Before a change, look and merge find and take over what other programs wrote (merge.go). A
// Publication is a set of rendered files that wait for the commit: tenants.json (tenants_file.go),
// the small files (small.go), and what stopped commands left.
package workspace

import (
	"context"
	"fmt"
	"io"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// Workspace is a project's directory, with what it may use of the outside world.
type Workspace struct {
	Dir      project.Dir
	Registry registry.Options
	// Git knows which files a repository tracks.
	Git func() project.Git
	// Reading and Writing, which may be nil, watch the progress of a long file.
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

// tracked returns the publisher of the project's tenants.json.
func (w *Workspace) tracked() Publisher {
	return Publisher{Path: w.Dir.Tenants(), Name: TrackedName, Watch: w.Writing}
}

// open opens the registry. With create, the first change makes one if there is none.
func (w *Workspace) open(ctx context.Context, bulk, create bool) (*registry.Registry, error) {
	options := w.Registry
	options.Bulk, options.New = bulk, create
	return registry.Open(ctx, w.Dir.Registry(), options)
}

// incomplete marks an error as one that happened after a change was made.
func incomplete(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", registry.ErrIncomplete, err)
}
