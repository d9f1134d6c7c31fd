package workspace

import (
	"errors"
	"slices"

	"github.com/sp-registry/sp/internal/registry"
)

// Publication is a set of files that were rendered within a change: written and synced
// under temporary names, so that all that can fail has been done before the commit. The
// zero Publication is empty.
type Publication struct {
	// Files is what the registry remembers of them, and Following of the small ones.
	Files     []registry.File
	Following []registry.FollowingFile
	// Forgotten are the paths of small ones that are no more.
	Forgotten []string
	// Place gives the files their names, after the commit.
	Place func() error
	// Discard removes them, when there was no commit.
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
