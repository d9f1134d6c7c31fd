package follow

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

// Decision says what happens to the small files with a change. Paths are relative to the directory.
type Decision struct {
	Moves   []Move
	Changes []Change
	// Files is what the registry must remember, and Forgotten are the files that it can forget.
	Files     []registry.FollowingFile
	Forgotten []string
	// Merged are files kept aside whose text has been merged, so that they can be removed.
	Merged []string
	// Left are files of deleted profiles that sp did not write. Kept are conflicts that do not stop
	// the change.
	Left []string
	Kept []error
}

// Move renames a profile's directory.
type Move struct{ From, To string }

// Change is the new text of a file, nil to remove it, with the SHA-256 of the old text, empty if
// there is none. Its path is the one before the moves.
type Change struct {
	Path     string
	Text     []byte
	Expected string
	Shared   bool
}

// Options say how Decide treats what other programs wrote.
type Options struct {
	Now time.Time
	// Taken is the SHA-256 of an index of sessions that this change took into the registry.
	Taken string
	// Refused is the SHA-256 of an index of which nothing was taken, so that the registry's side is
	// written.
	Refused string
	// Aside is what other programs wrote into files while sp replaced them, by path, the oldest
	// first. What it says about sessions is in the registry by now.
	Aside map[string][]Aside
	// Force writes all files, even current ones, and lets the registry's side win over every change
	// of another program.
	Force bool
	// Wanted lets another program's change stop this one even if the file is only behind and this
	// change does not affect it.
	Wanted bool
	// Keep leaves a file that can't be merged as it is and reports it, instead of stopping the
	// change.
	Keep bool
	// MayTake, if not nil, reports whether another program's change of the file at a path may stay.
	// An error stops the change.
	MayTake func(path string) (bool, error)
	// Configurations are the profile.yaml texts of profiles that have none yet.
	Configurations map[string][]byte
	// Edits are changes of the profiles' profile.yaml files.
	Edits map[string][]YAMLEdit
	// Defer leaves all files as they are, to be written by a later change.
	Defer bool
}

// ChangedError is returned for a file that another program changed and that can't be merged.
// Members names the conflicting members, if they are known.
type ChangedError struct {
	Path    string
	Members []string
}

// Error names the file and the members.
func (e *ChangedError) Error() string {
	if len(e.Members) == 0 {
		return e.Path + ": changed by someone else"
	}
	return fmt.Sprintf("%s: changed by another program, and here, in %s", e.Path, strings.Join(e.Members, ", "))
}

// Unwrap returns registry.ErrConflict.
func (e *ChangedError) Unwrap() error { return registry.ErrConflict }

// Aside is a text that was kept under another name, a path in the directory. It is nil while
// another program may still be writing it. Then the file itself waits as well, because what the
// registry remembers of it says what that program had read.
type Aside struct {
	Path string
	Text []byte
}

// Decide decides what happens to the files with a change, of which view is the result: those that
// the change affects, and those that earlier changes left behind. It changes nothing.
func Decide(ctx context.Context, dir Directory, view *registry.View, o Options) (Decision, error) {
	return decide(ctx, kinds, dir, view, o)
}

func decide(ctx context.Context, kinds []kind, dir Directory, view *registry.View, o Options) (Decision, error) {
	behind, err := view.DueFiles(ctx)
	if err != nil {
		return Decision{}, err
	}
	d := &decider{kinds: kinds, dir: dir, view: view, o: o, due: view.Due(), known: map[string]*registry.FollowingFile{}}
	for _, file := range behind {
		d.known[file.Path] = &file
	}
	d.renamed = maps.Clone(d.due.Renamed)
	if d.renamed == nil {
		d.renamed = map[string]string{}
	}
	err = d.resumeMoves(ctx, behind)
	if err == nil {
		err = d.all(ctx, behind)
	}
	return d.found, err
}

// decider gathers what becomes of the files.
type decider struct {
	kinds   []kind
	dir     Directory
	view    *registry.View
	o       Options
	due     registry.Due
	renamed map[string]string // profiles, with the change or a stopped one before
	known   map[string]*registry.FollowingFile
	found   Decision
}

// all goes through the files, those of no profile first and then by profile.
func (d *decider) all(ctx context.Context, behind []registry.FollowingFile) error {
	single, err := d.isMoved(ctx)
	if err != nil {
		return err
	}
	single = single || d.due.Sessions || d.o.Taken != "" || d.o.Force
	names := slices.Collect(maps.Keys(d.due.Profiles))
	for _, file := range behind {
		names = append(names, file.Profile)
	}
	for path := range d.o.Aside {
		names = append(names, profileOf(path))
	}
	names = slices.AppendSeq(names, maps.Keys(d.o.Edits))
	if d.o.Force {
		for p, err := range d.view.Profiles(ctx, nil, registry.Page{}) {
			if err != nil {
				return err
			}
			names = append(names, p.Name)
		}
	}
	if single || slices.Contains(names, "") {
		if err := d.unlessBehind(d.each(ctx, registry.Profile{}, ""), d.concerns("")); err != nil {
			return err
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if name == "" {
			continue
		}
		if err := d.unlessBehind(d.profile(ctx, name), d.concerns(name)); err != nil {
			return err
		}
	}
	return nil
}

// profile decides on the files of a profile.
func (d *decider) profile(ctx context.Context, name string) error {
	p, err := d.view.Profile(ctx, name)
	if errors.Is(err, registry.ErrNotFound) {
		return d.gone(ctx, name)
	}
	if err != nil {
		return err
	}
	from, err := d.movedFrom(ctx, name)
	if err != nil {
		return err
	}
	return d.each(ctx, p, from)
}

// each decides on the files of a profile, whose directory has that name before the change,
// or on those of none.
func (d *decider) each(ctx context.Context, p registry.Profile, from string) error {
	for i := range d.kinds {
		k := &d.kinds[i]
		if k.ofProfile() != (p.Name != "") {
			continue
		}
		f, err := d.look(ctx, k, p, from)
		if k.optional && errors.Is(err, ErrUnusable) {
			d.disown(f)
			continue
		}
		if err == nil {
			err = d.decide(ctx, f)
		}
		if errors.Is(err, registry.ErrConflict) {
			err = d.conflict(err, p.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// decide decides on one file.
func (d *decider) decide(ctx context.Context, f *file) error {
	decide := f.kind.merge
	switch {
	case !f.there && len(f.aside) == 0:
		decide = f.kind.render
	case f.kind.optional && f.known == nil:
		return nil
	case d.o.Defer || slices.ContainsFunc(f.aside, func(a Aside) bool { return a.Text == nil }):
		d.putOff(f)
		return nil
	case decide == nil:
		decide = remain
	}
	for _, a := range f.aside {
		if err := f.kind.aside(f, a.Text); err != nil {
			return fmt.Errorf("%s: %w", d.dir.full(a.Path), err)
		}
	}
	text, base, err := decide(ctx, d, f)
	switch {
	case err != nil:
		return err
	case text == nil:
		d.disown(f)
	case d.o.Defer || !f.there && f.isBelowMove():
		d.putOff(f)
	default:
		d.become(f, text, base)
		for _, a := range f.aside {
			d.found.Merged = append(d.found.Merged, a.Path)
		}
	}
	return nil
}

// remain leaves a file, which is made once, to its readers.
func remain(_ context.Context, _ *decider, f *file) (text, base []byte, err error) {
	f.open = false // it was theirs to open
	return f.text, f.base, nil
}

// unlessBehind is what is wrong with a file, if the change has something to say in it:
// that one that is only behind can't be used is no reason to stop.
func (d *decider) unlessBehind(err error, concerned bool) error {
	if errors.Is(err, ErrUnusable) && !concerned && !d.o.Wanted && !d.o.Force {
		return nil
	}
	return err
}

// conflict is what becomes of a file that can't be merged: if the change has nothing to
// say in it, it stays as it is, and behind.
func (d *decider) conflict(err error, profile string) error {
	switch {
	case d.o.Keep:
		d.found.Kept = append(d.found.Kept, err)
		return nil
	case d.concerns(profile) || d.o.Wanted:
		return err
	}
	return nil
}

// concerns tells whether the change has something to say in the files of a profile, or in
// those of none.
func (d *decider) concerns(profile string) bool {
	if profile == "" {
		return d.due.Sessions
	}
	return d.due.Profiles[profile] || len(d.o.Edits[profile]) > 0
}

// mayTake tells whether what another program did to a file that sp wrote may stay.
func (d *decider) mayTake(f *file) (bool, error) {
	if d.o.MayTake == nil || d.o.Force || len(f.aside) == 0 && (!f.there || f.isOurs()) {
		return true, nil
	}
	return d.o.MayTake(f.path)
}

// profileOf is the name of the profile whose file a path is, nothing for one of none.
func profileOf(path string) string {
	inside, of := strings.CutPrefix(path, "profiles/")
	name, _, below := strings.Cut(inside, "/")
	if !of || !below {
		return ""
	}
	return name
}
