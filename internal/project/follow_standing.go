package project

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/sp-registry/sp/internal/registry"
)

// FilesStanding is how the small files that the registry remembers stand to it, by
// their paths in the directory.
type FilesStanding struct {
	// Behind are those that the next change writes or removes.
	Behind []string `json:"behind"`
	// Changed are those that another program changed since sp wrote them, and Missing those
	// that it removed, as git does on a branch that does not have them.
	Changed []string `json:"changed"`
	Missing []string `json:"missing"`
}

// FilesStanding tells how the small files stand. One that can't be used is an error.
func (d Dir) FilesStanding(ctx context.Context, view *registry.View) (FilesStanding, error) {
	s := FilesStanding{Behind: []string{}, Changed: []string{}, Missing: []string{}}
	next, err := d.Follow(ctx, view, FollowOptions{Wanted: true, Keep: true})
	if err != nil {
		return s, err
	}
	for _, m := range next.Moves {
		s.Behind = append(s.Behind, m.From)
	}
	for _, c := range next.Changes {
		s.Behind = append(s.Behind, c.Path)
	}
	files, err := view.FollowingFiles(ctx)
	for _, file := range files {
		if err != nil {
			return s, err
		}
		var changed bool
		if changed, err = d.isChanged(file); !changed || slices.Contains(s.Behind, file.Path) {
			continue
		}
		if _, found := os.Lstat(d.Full(file.Path)); errors.Is(found, os.ErrNotExist) {
			s.Missing = append(s.Missing, file.Path)
		} else {
			s.Changed = append(s.Changed, file.Path)
		}
	}
	return s, err
}

// isChanged tells whether another program changed a file, as far as that shows. Of a
// profile.yaml, which people are to edit, only whose it says that the profile is.
func (d Dir) isChanged(file registry.FollowingFile) (bool, error) {
	text, there, err := d.ReadFile(file.Path)
	hash := hashOf(text)
	switch {
	case err != nil:
		return false, err
	case !there:
		return !file.Due, nil
	case hash == file.Current || file.Due && hash == file.Previous:
		return false, nil
	case file.Path == IndexPath:
		_, err := ReadIndex(text)
		return true, inFile(d.Full(file.Path), err)
	case file.Path == ComposePath(profileOf(file.Path)): // people are to edit it
		return false, nil
	case file.Path != ProfilePath(profileOf(file.Path)):
		_, err := ReadSecrets(text)
		return true, inFile(d.Full(file.Path), err)
	}
	base, _ := basesOf(file)
	has, err := tenantOf(text)
	if err != nil {
		return false, unreadable(d.Full(file.Path), err)
	}
	was, err := tenantOf(base) // nil: it is a shared one, and its tenant no business of sp's
	return was != nil && !equal(has, was), err
}

// inFile is an error that says which file it is of.
func inFile(full string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", full, err)
}
