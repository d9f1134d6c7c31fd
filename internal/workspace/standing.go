package workspace

import (
	"context"

	"github.com/sp-registry/sp/internal/registry"
)

// Standing says how a file stands to the registry that it shows.
type Standing string

// How a file can stand to the registry.
const (
	Untracked Standing = "untracked" // sp has not written it
	Missing   Standing = "missing"   // sp wrote it, and it is gone
	Current   Standing = "current"   // it shows the registry as it is
	Behind    Standing = "behind"    // it shows the registry as it was
	Changed   Standing = "changed"   // somebody else wrote it
)

// Standing returns how the publisher's file stands, without rendering it.
func (p Publisher) Standing(ctx context.Context, view *registry.View) (Standing, error) {
	file, state, err := p.record(ctx, view)
	if err != nil {
		return "", err
	}
	if file == nil {
		return Untracked, nil
	}
	left, err := leftovers(p.Path) // before the look: a command may be putting its file in place just now
	if err != nil {
		return "", err
	}
	there, err := p.look(file, view)
	switch {
	case err != nil:
		return "", err
	case there.hash == "":
		return Missing, nil
	case there.hash == file.Current && file.TenantsRevision == state.TenantsRevision:
		return Current, nil
	case there.isOurs(file, left):
		return Behind, nil
	}
	return Changed, nil
}

// foreign returns the SHA-256 of what somebody else wrote into the publisher's file; nothing
// if it is ours. Within a change: nobody puts that in place meanwhile.
func (p Publisher) foreign(ctx context.Context, view *registry.View, file *registry.File) (string, error) {
	there, err := p.look(file, view)
	if err != nil || there.hash == "" || file != nil && there.hash == file.Current {
		return "", err
	}
	left, err := leftovers(p.Path)
	if err != nil || file != nil && there.isOurs(file, left) {
		return "", err
	}
	return there.hash, nil
}

// IsSettled tells, by the registry's record and the file's stamp and without reading
// it, that the tracked file is current and that no command left anything to do. If not,
// it may be so all the same.
func (p Publisher) IsSettled(ctx context.Context, view *registry.View) (bool, error) {
	file, state, err := p.record(ctx, view)
	if err != nil || !p.shows(file, state) || file.Stamp == "" {
		return false, err
	}
	left, err := leftovers(p.Path)
	return err == nil && len(left) == 0 && isStamped(p.Path, file), err
}

// IsCurrent tells whether the publisher's file holds the bytes that it would get now.
func (p Publisher) IsCurrent(ctx context.Context, view *registry.View) (bool, error) {
	file, state, err := p.record(ctx, view)
	if err != nil {
		return false, err
	}
	there, err := lookAt(p.Path, file)
	if err != nil || there.hash == "" {
		return false, err
	}
	if p.shows(file, state) && there.hash == file.Current {
		return true, nil
	}
	return p.isSame(ctx, view, state.Document, there)
}
