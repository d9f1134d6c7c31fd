package follow

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/sp-registry/sp/internal/jsontext"
	"github.com/sp-registry/sp/internal/registry"
)

// file is a file as it is, and what is remembered of it.
type file struct {
	kind    *kind
	profile registry.Profile // whose it is
	from    string           // what the profile's directory is called before the change
	path    string           // in the registry's words
	at      string           // where it is before the moves
	known   *registry.FollowingFile
	text    []byte
	stood   []byte // the text before what was kept aside is added
	there   bool
	hash    string // of what stands there, empty if nothing does
	open    bool   // others can read it
	aside   []Aside
	// contested are the members that another program changed while sp did, as they were before.
	contested jsontext.Object
	// base is what sp wrote there last, and was, while that may not be in place yet, what
	// it had written before: nothing, or nil where it is certain that base is in place.
	base, was []byte
}

// look reads a file.
func (d *decider) look(ctx context.Context, k *kind, p registry.Profile, from string) (f *file, err error) {
	f = &file{kind: k, profile: p, from: from, path: k.of(p.Name), at: k.of(from)}
	if k.aside != nil {
		f.aside = d.o.Aside[f.path]
	}
	if f.known, err = d.remembered(ctx, f.path); err != nil {
		return f, err
	}
	if f.known != nil {
		f.base = []byte(f.known.Base)
		if f.known.Former != nil {
			f.was = []byte(*f.known.Former)
		}
	}
	text, mode, found, err := d.dir.Read(f.at)
	if err == nil && found {
		f.text, f.stood, f.there, f.hash, f.open = text, text, true, hashOf(text), mode.Perm()&0o077 != 0
	}
	return f, asUnusable(err)
}

func (d *decider) remembered(ctx context.Context, path string) (*registry.FollowingFile, error) {
	if known, ok := d.known[path]; ok {
		return known, nil
	}
	known, err := d.view.FollowingFile(ctx, path)
	d.known[path] = known
	return known, err
}

// full returns the path of a file as it is before the moves.
func (d *decider) full(f *file) string { return d.dir.full(f.at) }

// isOurs tells whether what stands there is what sp wrote last, or had to replace.
func (f *file) isOurs() bool {
	return f.known != nil && (f.hash == f.known.Current || f.isStopped())
}

// isStopped tells whether a command was stopped before the file was in place, or left it
// to a later one.
func (f *file) isStopped() bool {
	return f.known != nil && f.known.Due && f.hash == f.known.Previous && f.hash != f.known.Current
}

// isBelowMove tells whether a file lies in a directory of its own below one that is moved.
func (f *file) isBelowMove() bool { return f.at != f.path && strings.Count(f.path, "/") > 2 }

// become notes what a file is to hold, and what is to be remembered of it.
func (d *decider) become(f *file, text, base []byte) {
	file := f.following(hashOf(text), base)
	file.Due = f.at != f.path
	switch k := f.known; {
	case file.Current != f.hash || !f.there || f.open && !f.kind.shared:
		file.Due = true
		d.found.Changes = append(d.found.Changes, Change{Path: f.at, Text: text, Expected: f.hash, Shared: f.kind.shared})
		if f.there {
			file.Former = f.former()
		}
	case k != nil && f.isOurs() && k.Previous != k.Current:
		file.Previous = k.Previous // as it was when sp wrote it
		if f.isStopped() {         // and the change that was stopped is taken back
			file.Previous = k.Current
		}
	}
	if f.known == nil || !isSame(*f.known, file) || f.at != f.path {
		d.found.Files = append(d.found.Files, file)
	}
}

// following is what is remembered of a file, which holds what it holds now until it is to
// hold what has this hash.
func (f *file) following(current string, base []byte) registry.FollowingFile {
	return registry.FollowingFile{
		Path: f.path, Kind: f.kind.name, Profile: f.profile.Name, Previous: f.hash, Current: current, Base: string(base),
	}
}

func isSame(a, b registry.FollowingFile) bool {
	former := equal(a.Former, b.Former)
	a.Former, b.Former = nil, nil
	return former && a == b
}

// former is what is remembered of what sp wrote there before.
func (f *file) former() *string {
	former := f.base
	if f.kind.former != nil {
		former = f.kind.former(f.base)
	}
	text := string(former)
	return &text
}

// putOff notes that a file is to be written by a later change.
func (d *decider) putOff(f *file) {
	file := f.following(hashOf(nil), nil)
	file.Previous = ""
	if f.known != nil {
		file = *f.known
	}
	if f.at != f.path && f.hash != file.Current { // by this a later change knows it again
		file.Previous = f.hash
	}
	file.Due = true
	d.found.Files = append(d.found.Files, file)
}

// disown forgets a file that is to be no more, or is sp's no more.
func (d *decider) disown(f *file) {
	if f.known != nil && f.at == f.path {
		d.found.Forgotten = append(d.found.Forgotten, f.path)
	}
}

// gone decides on the files of a profile that is no more: those that sp wrote and nobody
// else changed go.
func (d *decider) gone(ctx context.Context, name string) error {
	_, moved := d.renamed[name]
	for i := len(d.kinds) - 1; i >= 0; i-- {
		k := &d.kinds[i]
		if !k.ofProfile() {
			continue
		}
		f, err := d.look(ctx, k, registry.Profile{Name: name}, name)
		if k.optional && errors.Is(err, ErrUnusable) { // which stops nothing
			d.disown(f)
			continue
		}
		if err != nil {
			return err
		}
		for _, a := range f.aside {
			if !moved {
				d.found.Left = append(d.found.Left, a.Path)
			}
		}
		switch {
		case f.known == nil && (moved || !f.there):
		case f.known != nil && (moved || d.o.Defer):
			d.putOff(f)
		case f.known != nil && !f.there:
			d.found.Forgotten = append(d.found.Forgotten, f.path)
			if d.dir.Has("profiles/" + name) { // a command was stopped before it removed that
				d.found.Changes = append(d.found.Changes, Change{Path: f.path})
			}
		case f.mayGo():
			f.forget()
			d.putOff(f)
			d.found.Changes = append(d.found.Changes, Change{Path: f.path, Expected: f.hash})
		default:
			d.found.Left = append(d.found.Left, f.path)
			if f.known != nil {
				d.found.Forgotten = append(d.found.Forgotten, f.path)
			}
		}
	}
	return nil
}

// mayGo tells whether a file is sp's alone.
func (f *file) mayGo() bool {
	if !f.isOurs() || f.known.Previous == f.known.Current {
		return false
	}
	if f.kind.gone != nil {
		return f.kind.gone(f)
	}
	return bytes.Equal(f.text, f.base) || bytes.Equal(f.text, f.was)
}

// forget leaves of the base of a file that goes no more than is remembered of a former one.
func (f *file) forget() {
	if f.kind.former != nil && len(f.base) > 0 {
		known := *f.known
		known.Base, known.Former = "", f.former()
		f.known = &known
	}
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
