package configuration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/archive"
	"github.com/sp-registry/sp/internal/place"
	"github.com/sp-registry/sp/internal/registry"
)

var (
	// ErrStale is returned by Remote.Put where the state is no more the one that was named.
	ErrStale = errors.New("the files changed meanwhile")
	// ErrBusy is returned while another command compares the same files.
	ErrBusy = errors.New("another sp sync is under way")
	// ErrUnfit is returned for a state of the control plane's that can't be used here.
	ErrUnfit = errors.New("the control plane's files can't be used")
)

// State is what the control plane holds.
type State struct {
	Files []archive.File
	// ETag names it, in quotes.
	ETag string
}

// Remote is the control plane's side.
type Remote struct {
	// Get returns its state.
	Get func(context.Context) (State, error)
	// Put replaces the state that has this ETag by an archive. It is ErrStale where that is another.
	Put func(ctx context.Context, etag string, archive []byte) error
}

// Sync brings the configuration of a tenant from one side to the other.
type Sync struct {
	Tree   Tree
	Remote Remote
	// Origin is the address of the control plane.
	Origin string
	// Secrets are what no file may hold that is pushed.
	Secrets []Secret
	// DryRun changes nothing.
	DryRun bool
	// Settle says whose change counts where both sides changed a file. Neither refuses. A push of Ours
	// and a pull of Theirs also replace what only the other side changed.
	Settle Side
	// Confirm is asked before files are removed.
	Confirm func(paths []string) error
}

// Change is what becomes of a file.
type Change struct {
	Path   string
	Action Action
}

// Action is what is done with a file.
type Action string

// The actions.
const (
	Add    Action = "add"
	Update Action = "update"
	Remove Action = "remove"
)

// Result is what was done or, in a dry run, would be.
type Result struct {
	Changes []Change
	// Overruled are those of them that the other side had changed.
	Overruled []string
	// Waiting is what only the other side changed: it goes the other way.
	Waiting []Change
	Left    []Left
	// Made tells whether something was changed.
	Made bool
}

// ConflictError lists the files that both sides changed.
type ConflictError struct{ Paths []string }

func (e *ConflictError) Error() string {
	const most = 20
	paths := e.Paths
	text := ""
	if len(paths) > most {
		paths, text = paths[:most], fmt.Sprintf(" and %d more", len(paths)-most)
	}
	return fmt.Sprintf("both sides changed %s%s: %v", strings.Join(paths, ", "), text, registry.ErrConflict)
}

// Unwrap returns registry.ErrConflict.
func (e *ConflictError) Unwrap() error { return registry.ErrConflict }

// comparison is both sides, and what they hold differently.
type comparison struct {
	base         Base
	state        State
	files        []archive.File
	ours, theirs map[string]string
	out          leftOut
	all          []Difference
	both         []Left // what both sides changed, where that is no conflict
}

// compare looks at both sides, of which the state of one moves to the other.
func (s *Sync) compare(ctx context.Context, moving Side) (c comparison, err error) {
	if c.base, err = s.base(); err != nil {
		return c, err
	}
	if c.state, err = s.Remote.Get(ctx); err != nil {
		return c, err
	}
	if err := archive.Check(c.state.Files); err != nil {
		return c, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	if c.files, c.out, err = s.Tree.read(c.state.Files); err != nil {
		return c, err
	}
	c.ours, c.theirs = hashes(c.files, c.out), hashes(c.state.Files, c.out)
	var both []string
	c.all, both = settle(compare(c.base, c.ours, c.theirs), s.Settle, moving)
	if len(both) > 0 && s.Settle == Neither {
		return c, &ConflictError{both}
	}
	for _, path := range both {
		c.both = append(c.both, Left{path, "both sides changed it"})
	}
	return c, nil
}

// paths lists the files that either side has.
func (c comparison) paths() []string { return paths(c.ours, c.theirs) }

// changedBy returns the differences of one side's making.
func (c comparison) changedBy(side Side) []Difference {
	return slices.DeleteFunc(slices.Clone(c.all), func(d Difference) bool { return d.Changed != side })
}

// changes says what the differences make of the other side.
func changes(all []Difference) []Change {
	found := []Change{}
	for _, d := range all {
		was, is := d.Ours, d.Theirs
		if d.Changed == Ours {
			was, is = is, was
		}
		switch {
		case was == "":
			found = append(found, Change{d.Path, Add})
		case is == "":
			found = append(found, Change{d.Path, Remove})
		default:
			found = append(found, Change{d.Path, Update})
		}
	}
	return found
}

// overruled lists the differences that replace a change of the other side's.
func overruled(all []Difference) (paths []string) {
	for _, d := range all {
		if d.Overrules {
			paths = append(paths, d.Path)
		}
	}
	return paths
}

// confirm asks if something is to be removed.
func (s *Sync) confirm(all []Change) error {
	var removed []string
	for _, c := range all {
		if c.Action == Remove {
			removed = append(removed, c.Path)
		}
	}
	if len(removed) == 0 || s.DryRun {
		return nil
	}
	return s.Confirm(removed)
}

// locked runs fn while no other command compares, unless nothing is to be changed.
func (s *Sync) locked(fn func() (Result, error)) (r Result, err error) {
	if s.DryRun {
		return fn()
	}
	file, err := lock(s.Tree.Dir)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, place.Unlock(file)) }()
	return fn()
}

// tries bounds how often others may be faster.
const tries = 5

// Push sends what was changed here since both sides agreed.
func (s *Sync) Push(ctx context.Context) (Result, error) {
	return s.locked(func() (r Result, err error) {
		for range tries {
			if r, err = s.push(ctx); !errors.Is(err, ErrStale) {
				break
			}
		}
		return r, err
	})
}

func (s *Sync) push(ctx context.Context) (Result, error) {
	c, err := s.compare(ctx, Ours)
	if err != nil {
		return Result{Left: c.out}, err
	}
	sending := c.changedBy(Ours)
	r := Result{Changes: changes(sending), Overruled: overruled(sending), Waiting: changes(c.changedBy(Theirs)), Left: slices.Concat(c.out, c.both)}
	files, sent := c.pushed()
	if err := s.refuseSecrets(sent); err != nil {
		return r, err
	}
	var text bytes.Buffer
	if err := archive.Write(&text, files); err != nil {
		return r, err
	}
	if err := s.confirm(r.Changes); err != nil || s.DryRun {
		return r, err
	}
	if len(r.Changes) > 0 {
		err = s.Remote.Put(ctx, c.state.ETag, text.Bytes())
	}
	if err != nil {
		return r, err
	}
	r.Made = len(r.Changes) > 0
	return r, s.agree(c, c.files, files)
}

// pushed is their state with what was changed here, and what that is.
func (c comparison) pushed() (files, sent []archive.File) {
	changed := map[string]bool{}
	for _, d := range c.changedBy(Ours) {
		changed[d.Path] = true
	}
	for _, f := range c.files {
		if changed[f.Path] {
			sent = append(sent, f)
		}
	}
	files = slices.DeleteFunc(slices.Clone(c.state.Files), func(f archive.File) bool { return changed[f.Path] })
	return append(files, sent...), sent
}

// Pull fetches what was changed there since both sides agreed.
func (s *Sync) Pull(ctx context.Context) (Result, error) {
	return s.locked(func() (Result, error) { return s.pull(ctx) })
}

func (s *Sync) pull(ctx context.Context) (Result, error) {
	c, err := s.compare(ctx, Theirs)
	if err != nil {
		return Result{Left: c.out}, err
	}
	fetched, kept := s.Tree.fetched(c.changedBy(Theirs))
	r := Result{Changes: changes(fetched), Overruled: overruled(fetched), Waiting: changes(c.changedBy(Ours)), Left: slices.Concat(c.out, kept, c.both)}
	if err := s.Tree.checkPlaces(fetched); err != nil {
		return r, err
	}
	if err := s.confirm(r.Changes); err != nil || s.DryRun {
		return r, err
	}
	err = s.Tree.recover(c)
	if len(fetched) > 0 {
		begun, failed := s.Tree.put(fetched, c.state.Files)
		r.Made, err = begun, errors.Join(err, failed)
	}
	files, _, failed := s.Tree.read(c.state.Files) // what is there now, whatever went wrong
	if err = errors.Join(err, failed); failed == nil {
		err = errors.Join(err, s.agree(c, files, c.state.Files))
	}
	if err != nil && r.Made {
		err = fmt.Errorf("%w: %w", registry.ErrIncomplete, err)
	}
	return r, err
}

// agree remembers what both sides hold, if that is something new.
func (s *Sync) agree(c comparison, ours, theirs []archive.File) error {
	next := c.base.agreed(hashes(ours, c.out), hashes(theirs, c.out), c.out)
	if maps.Equal(next, c.base) {
		return nil
	}
	return s.remember(next)
}
