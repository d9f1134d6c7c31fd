package project

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/registry"
)

// Following is what the small files of the directory are to become with a change: the
// index of the sessions, and profile.yaml and secrets.json of profiles. Paths are
// those in the directory.
type Following struct {
	Moves   []FileMove
	Changes []FileChange
	// Files is what is to be remembered of them, Forgotten of which nothing is any more.
	Files     []registry.FollowingFile
	Forgotten []string
	// Left are the files of profiles that are no more and that sp has not written, and
	// Differing those that a lenient change has left.
	Left      []string
	Differing []*ChangedError
}

// FileMove is a profile's directory that is to have another name.
type FileMove struct{ From, To string }

// FileChange is what a file is to hold, nil if it is to go, and the SHA-256 of what it
// holds, empty if it is not there. Its path is that of before the moves.
type FileChange struct {
	Path     string
	Text     []byte
	Expected string
	Shared   bool
}

// FollowOptions say how Follow deals with what other programs wrote.
type FollowOptions struct {
	Now time.Time
	// Taken is the SHA-256 of an index of sessions that this very change has taken into
	// the registry.
	Taken string
	// Force has the registry's side win in all that another program changed, in every
	// file that follows it.
	Force bool
	// Configurations are the texts of profile.yaml for profiles that have none yet.
	Configurations map[string][]byte
	// Edits are what is to change in profiles' profile.yaml, whatever else does.
	Edits map[string][]YAMLEdit
	// Lenient leaves a secrets.json that sp has not written and that says otherwise than
	// the registry as it is.
	Lenient bool
	// Defer leaves all files as they are, to be written by a later change.
	Defer bool
}

// ChangedError is returned for a file whose changes by another program can't be merged
// with ours: in these members, if it names any.
type ChangedError struct {
	Path    string
	Members []string
}

func (e *ChangedError) Error() string {
	if len(e.Members) == 0 {
		return e.Path + ": changed by another program"
	}
	return fmt.Sprintf("%s: changed by another program, and here, in %s", e.Path, strings.Join(e.Members, ", "))
}

// Unwrap returns registry.ErrConflict.
func (e *ChangedError) Unwrap() error { return registry.ErrConflict }

// Follow says what becomes of the small files with a change, whose view it is: of those
// that it concerns, and of those that earlier changes left behind.
func (d Dir) Follow(ctx context.Context, view *registry.View, o FollowOptions) (Following, error) {
	behind, err := view.DueFiles(ctx)
	if err != nil {
		return Following{}, err
	}
	f := follower{
		dir: d, view: view, o: o, due: view.Due(),
		known: map[string]*registry.FollowingFile{}, caught: map[string]bool{},
	}
	for _, file := range behind {
		f.known[file.Path] = &file
	}
	if o.Force {
		err = f.all(ctx)
	}
	for name := range o.Edits {
		if !slices.Contains(f.due.Profiles, name) {
			f.due.Profiles = append(f.due.Profiles, name)
		}
	}
	if err == nil && (f.due.Sessions || o.Taken != "") {
		err = f.index(ctx)
	}
	for _, name := range f.due.Profiles {
		if err == nil {
			err = f.profile(ctx, name)
		}
	}
	for _, file := range behind {
		if err == nil {
			err = f.catchUp(ctx, file.Path)
		}
	}
	return f.found, err
}

// all has every file that follows the registry looked at.
func (f *follower) all(ctx context.Context) error {
	f.due.Sessions, f.due.Profiles = true, nil
	for p, err := range f.view.Profiles(ctx, nil, registry.Page{}) {
		if err != nil {
			return err
		}
		f.due.Profiles = append(f.due.Profiles, p.Name)
	}
	return nil
}

// catchUp deals with a file that an earlier change left behind and this one does not
// concern: what is in its way is no reason to stop the change.
func (f *follower) catchUp(ctx context.Context, file string) (err error) {
	name := path.Base(path.Dir(file))
	switch {
	case file == IndexPath && !f.due.Sessions && f.o.Taken == "":
		err = f.index(ctx)
	case file != IndexPath && !slices.Contains(f.due.Profiles, name) && !f.caught[name]:
		f.caught[name] = true
		err = f.profile(ctx, name)
	}
	if errors.Is(err, ErrUnusable) || errors.Is(err, registry.ErrConflict) {
		return nil
	}
	return err
}

// follower gathers what becomes of the files.
type follower struct {
	dir   Dir
	view  *registry.View
	o     FollowOptions
	due   registry.Due
	known map[string]*registry.FollowingFile
	// caught are the profiles of which an earlier change left a file behind, so far.
	caught map[string]bool
	found  Following
}
