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
	second.Files = slices.Concat(second.Files, p.Files)
	switch {
	case p.Place == nil:
		return second
	case second.Place == nil:
		p.Files = second.Files
		return p
	}
	second.Place, second.Discard = both(p.Place, second.Place), both(p.Discard, second.Discard)
	return second
}

func both(first, second func() error) func() error {
	return func() error { return errors.Join(first(), second()) }
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
