package workspace

import (
	"errors"
	"slices"

	"github.com/sp-registry/sp/internal/registry"
)

// Publication is a set of rendered files, written and synced under temporary names, so that
// everything that can fail happens before the commit. The zero Publication is empty.
type Publication struct {
	// Files is what the registry remembers of tenants.json or a copy, and Following what of the
	// small files.
	Files     []registry.File
	Following []registry.FollowingFile
	// Forgotten are the paths of small files that no longer exist.
	Forgotten []string
	// Place puts the files in place after the commit.
	Place func() error
	// Discard removes the files if there was no commit.
	Discard func() error
}

// and is one publication of two. What the first remembers of a file holds.
func (p Publication) and(second Publication) Publication {
	return Publication{
		Files: slices.Concat(second.Files, p.Files), Following: slices.Concat(second.Following, p.Following),
		Forgotten: slices.Concat(second.Forgotten, p.Forgotten),
		Place:     inTurn(p.place, second.place), Discard: inTurn(p.discard, second.discard),
	}
}

func inTurn(first, second func() error) func() error {
	return func() error { return errors.Join(first(), second()) }
}

// then is the publication with what is to be done after the commit, whatever came of
// the files.
func (p Publication) then(end func() error) Publication {
	p.Place = inTurn(p.place, end)
	return p
}

func (p Publication) place() error {
	if p.Place == nil {
		return nil
	}
	return p.Place()
}

func (p Publication) discard() error {
	if p.Discard == nil {
		return nil
	}
	return p.Discard()
}
