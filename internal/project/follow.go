package project

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/registry"
)

// Following is what the small files of the directory are to become with a change: the
// index of the sessions, and profile.yaml, secrets.json and compose.yaml of profiles.
// Paths are those in the directory.
type Following struct {
	Moves   []FileMove
	Changes []FileChange
	// Files is what is to be remembered of them, Forgotten of which nothing is any more.
	Files     []registry.FollowingFile
	Forgotten []string
	// Left are the files of profiles that are no more and that sp has not written, and Kept
	// says which conflicts were to stop nothing.
	Left []string
	Kept []error
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
	// Refused is that of one of which nothing was taken: the registry's side is written.
	Refused string
	// Force has all files follow, whether they are behind or not, and the registry's side
	// win in all that another program changed.
	Force bool
	// Wanted has what another program changed stop the change also where a file is only
	// behind, and this change nothing to it.
	Wanted bool
	// Keep has a file that can't be merged stay as it is, and be told, and stops nothing.
	Keep bool
	// MayTake, if not nil, tells whether what another program did to a file, by its path in
	// the directory, may stay; an error stops the change.
	MayTake func(path string) (bool, error)
	// Configurations are the texts of profile.yaml for profiles that have none yet.
	Configurations map[string][]byte
	// Edits are what is to change in profiles' profile.yaml, whatever else does.
	Edits map[string][]YAMLEdit
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
	f := &follower{dir: d, view: view, o: o, due: view.Due(), known: map[string]*registry.FollowingFile{}}
	for _, file := range behind {
		f.known[file.Path] = &file
	}
	f.renamed = maps.Clone(f.due.Renamed)
	if f.renamed == nil {
		f.renamed = map[string]string{}
	}
	err = f.resumeMoves(ctx, behind)
	if err == nil {
		err = f.all(ctx, behind)
	}
	return f.found, err
}

// follower gathers what becomes of the files.
type follower struct {
	dir     Dir
	view    *registry.View
	o       FollowOptions
	due     registry.Due
	renamed map[string]string // profiles, with the change or a stopped one before
	known   map[string]*registry.FollowingFile
	found   Following
}

// all goes through the files, the index first and then by profile.
func (f *follower) all(ctx context.Context, behind []registry.FollowingFile) error {
	index, err := f.isMoved(ctx)
	if err != nil {
		return err
	}
	index = index || f.due.Sessions || f.o.Taken != "" || f.o.Force
	names := slices.Clone(f.due.Profiles)
	for _, file := range behind {
		if file.Path == IndexPath {
			index = true
		} else {
			names = append(names, profileOf(file.Path))
		}
	}
	names = slices.AppendSeq(names, maps.Keys(f.o.Edits))
	if f.o.Force {
		for p, err := range f.view.Profiles(ctx, nil, registry.Page{}) {
			if err != nil {
				return err
			}
			names = append(names, p.Name)
		}
	}
	if index {
		if err := f.unlessBehind(f.index(ctx), f.due.Sessions || f.o.Taken != ""); err != nil {
			return err
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if err := f.unlessBehind(f.profile(ctx, name), f.concerns(name)); err != nil {
			return err
		}
	}
	return nil
}

// unlessBehind is what is wrong with a file, if the change has something to say in it:
// that one that is only behind can't be used is no reason to stop.
func (f *follower) unlessBehind(err error, concerned bool) error {
	if errors.Is(err, ErrUnusable) && !concerned && !f.o.Wanted && !f.o.Force {
		return nil
	}
	return err
}

// profileOf is the name of the profile whose file a path is.
func profileOf(file string) string {
	_, inside, _ := strings.Cut(file, "/")
	name, _, _ := strings.Cut(inside, "/")
	return name
}

// conflict is what becomes of a file that can't be merged: if the change has nothing to
// say in it, it stays as it is, and behind.
func (f *follower) conflict(s standingFile, err error, concerned bool) error {
	switch {
	case f.o.Keep:
		f.found.Kept = append(f.found.Kept, err)
		return nil
	case concerned || f.o.Wanted:
		return err
	}
	return nil
}

func (f *follower) concerns(profile string) bool {
	return slices.Contains(f.due.Profiles, profile) || len(f.o.Edits[profile]) > 0
}
