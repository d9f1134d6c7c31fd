package project

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/registry"
)

// index is what becomes of sessions/index.json. It is made for the first session.
func (f *follower) index(ctx context.Context) error {
	s, err := f.look(ctx, IndexPath, IndexPath)
	if err != nil {
		return err
	}
	state, some, err := f.dir.IndexState(ctx, f.view)
	if err != nil || !some && !s.there && s.known == nil {
		return err
	}
	if f.o.Defer {
		f.putOff(s)
		return nil
	}
	if s.there && !s.isOurs() && s.hash != f.o.Taken && !f.o.Force {
		if _, err := parseIndex(s.text); err != nil {
			return fmt.Errorf("%s: %w", f.dir.Full(IndexPath), err)
		}
		return f.conflict(s, &ChangedError{Path: f.dir.Full(IndexPath)}, f.due.Sessions)
	}
	base := s.base
	if f.o.Force || s.isStopped() || s.there && s.hash == f.o.Refused {
		base = s.text
	}
	state.Chosen = f.due.Sessions
	s.base = nil // what another program changes there is compared with the last only
	text, err := WriteIndex(s.text, base, state, f.o.Now)
	if err != nil {
		return fmt.Errorf("%s: %w", f.dir.Full(IndexPath), err)
	}
	f.become(s, text, RenderIndex(state), false)
	return nil
}

// isMoved tells whether the index was written last for another directory than this one.
func (f *follower) isMoved(ctx context.Context) (bool, error) {
	known, err := f.remembered(ctx, IndexPath)
	if err != nil || known == nil || known.Base == "" || !utf8.ValidString(f.dir.path) {
		return false, err
	}
	base, _ := basesOf(*known)
	return !showsDirectory(base, f.dir.path), nil
}

// IndexState returns what the index of the sessions is to show of a view, and whether
// there is any session.
func (d Dir) IndexState(ctx context.Context, view *registry.View) (state IndexState, some bool, err error) {
	for session, err := range view.Sessions(ctx, registry.Page{}) {
		if err != nil {
			return state, false, err
		}
		some = true
		if session.Authentication != nil {
			state.Sessions = append(state.Sessions, session)
		}
	}
	if utf8.ValidString(d.path) { // else JSON can't hold it
		state.ProfilePath = func(name string) string { return d.Full(ProfilePath(name)) }
		state.Directory = d.path
	}
	selection, err := view.Selection(ctx)
	if err != nil || selection.Tenant == nil {
		return state, some, err
	}
	state.Active = selection.Tenant
	active, err := view.Session(ctx, *selection.Tenant)
	if active != nil {
		state.ActiveProfile = &active.Profile
	}
	return state, some, err
}

// ProfilePath is where the configuration of a profile lies within the directory.
func ProfilePath(name string) string { return "profiles/" + name + "/profile.yaml" }

// SecretsPath is where the secrets of a profile lie within the directory.
func SecretsPath(name string) string { return "profiles/" + name + "/secrets.json" }

// profile is what becomes of the files of a profile.
func (f *follower) profile(ctx context.Context, name string) error {
	p, err := f.view.Profile(ctx, name)
	if errors.Is(err, registry.ErrNotFound) {
		return f.gone(ctx, name)
	}
	if err != nil {
		return err
	}
	from, err := f.movedFrom(ctx, name)
	if err != nil {
		return err
	}
	if err := f.configuration(ctx, p, from); err != nil {
		return err
	}
	if err := f.compose(ctx, p, from); err != nil {
		return err
	}
	return f.secrets(ctx, p, from)
}
