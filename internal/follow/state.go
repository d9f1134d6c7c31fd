package follow

import (
	"context"
	"fmt"
	"slices"

	"github.com/sp-registry/sp/internal/registry"
)

// State lists the files that are not as the registry remembers them, by their paths in the
// directory.
type State struct {
	// Behind are files that the next change writes or removes.
	Behind []string `json:"behind"`
	// Changed are files that another program changed since sp wrote them. Missing are files that
	// another program removed, as git does on a branch without them.
	Changed []string `json:"changed"`
	Missing []string `json:"missing"`
}

// StateOf returns the state of the files. A file that can't be used is an error.
func StateOf(ctx context.Context, dir Directory, view *registry.View) (State, error) {
	s := State{Behind: []string{}, Changed: []string{}, Missing: []string{}}
	next, err := Decide(ctx, dir, view, Options{Wanted: true, Keep: true})
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
	for _, known := range files {
		if err != nil {
			return s, err
		}
		if slices.Contains(s.Behind, known.Path) {
			continue
		}
		err = s.add(dir, known)
	}
	return s, err
}

// add notes a file that another program changed or removed, as far as that shows.
func (s *State) add(dir Directory, known registry.FollowingFile) error {
	k := kindOf(kinds, known.Kind)
	text, there, err := dir.read(known.Path)
	hash := hashOf(text)
	switch {
	case k == nil || err != nil:
		return err
	case !there:
		if !known.Due {
			s.Missing = append(s.Missing, known.Path)
		}
		return nil
	case hash == known.Current || known.Due && hash == known.Previous || k.changed == nil:
		return nil
	}
	changed, err := k.changed(text, []byte(known.Base))
	if err != nil {
		return fmt.Errorf("%s: %w", dir.full(known.Path), err)
	}
	if changed {
		s.Changed = append(s.Changed, known.Path)
	}
	return nil
}
