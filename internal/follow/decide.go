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

// Decision is what becomes of the files that follow the registry with a change. Paths are
// those in the directory.
type Decision struct {
	Moves   []Move
	Changes []Change
	// Files is what is to be remembered of them, Forgotten of which nothing is any more.
	Files     []registry.FollowingFile
	Forgotten []string
	// Merged are the files kept aside whose text is in Changes now, or was before: they can go.
	Merged []string
	// Left are the files of profiles that are no more and that sp has not written, and Kept
	// says which conflicts were to stop nothing.
	Left []string
	Kept []error
}

// Move is a profile's directory that is to have another name.
type Move struct{ From, To string }

// Change is what a file is to hold, nil if it is to go, and the SHA-256 of what it holds,
// empty if it is not there. Its path is that of before the moves.
type Change struct {
	Path     string
	Text     []byte
	Expected string
	Shared   bool
}

// Options say how Decide deals with what other programs wrote.
type Options struct {
	Now time.Time
	// Taken is the SHA-256 of an index of sessions that this very change has taken into
	// the registry.
	Taken string
	// Refused is that of one of which nothing was taken: the registry's side is written.
	Refused string
	// Aside is what other programs wrote into files while sp replaced them, by the path of
	// the file, the oldest first. Of the index of sessions it is in the registry by now.
	Aside map[string][]Aside
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

// ChangedError is returned for a file that another program wrote or changed, and that can't
// be merged with what is here: in these members, if it names any.
type ChangedError struct {
	Path    string
	Members []string
}

// Error says which file, and where in it.
func (e *ChangedError) Error() string {
	if len(e.Members) == 0 {
		return e.Path + ": changed by someone else"
	}
	return fmt.Sprintf("%s: changed by another program, and here, in %s", e.Path, strings.Join(e.Members, ", "))
}

// Unwrap returns registry.ErrConflict.
func (e *ChangedError) Unwrap() error { return registry.ErrConflict }

// Aside is a text that is kept under another name, which is a path in the directory. It is
// nil while another program may still write it: then the file waits, too, for what is
// remembered of it says what that program had read.
type Aside struct {
	Path string
	Text []byte
}

// Decide says what becomes of the files with a change, whose view it is: of those that it
// concerns, and of those that earlier changes left behind. It only looks.
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
