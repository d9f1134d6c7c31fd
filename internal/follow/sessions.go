package follow

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/sp-registry/sp/internal/registry"
)

// renderSessions is the index of the sessions, which is made for the first one.
func renderSessions(ctx context.Context, d *decider, f *file) (text, base []byte, err error) {
	state, some, err := d.dir.indexState(ctx, d.view)
	if err != nil || !some && f.known == nil {
		return nil, nil, err
	}
	return d.writeIndex(f, nil, state)
}

// mergeSessions is the index with what changed here since sp wrote it. What another program
// changed there is in the registry by now, or stops the change.
func mergeSessions(ctx context.Context, d *decider, f *file) (text, base []byte, err error) {
	if f.there && !f.isOurs() && f.hash != d.o.Taken && !d.o.Force {
		if _, err := parseIndex(f.text); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", d.full(f), err)
		}
		return nil, nil, &ChangedError{Path: d.full(f)}
	}
	state, _, err := d.dir.indexState(ctx, d.view)
	if err != nil {
		return nil, nil, err
	}
	old := f.base
	if d.o.Force || f.isStopped() || f.there && f.hash == d.o.Refused {
		old = f.text
	}
	return d.writeIndex(f, old, state)
}

// writeIndex writes what differs between old and the state into an index.
func (d *decider) writeIndex(f *file, old []byte, state indexState) (text, base []byte, err error) {
	state.Chosen = d.due.Sessions
	if text, err = writeIndex(f.text, old, state, d.o.Now); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", d.full(f), err)
	}
	return text, baseOfIndex(state), nil
}

// formerSessions is a base with digests in place of the tokens, which may be revoked by now.
func formerSessions(base []byte) []byte {
	x, err := parseIndex(base)
	if err != nil || len(base) == 0 {
		return nil // it says nothing then
	}
	for i, s := range x.Sessions {
		x.Sessions[i] = withDigest(s)
	}
	return baseOfIndex(indexState{Sessions: x.Sessions, Active: x.Active, ActiveProfile: x.ActiveProfile})
}

// withDigest is a session with a digest in place of its token.
func withDigest(s registry.Session) registry.Session {
	if s.Authentication != nil {
		a := *s.Authentication
		a.Token = digest(a.Token)
		s.Authentication = &a
	}
	return s
}

// asideSessions adds entries that sp can't read or has no place for, and that another
// program wrote while sp replaced the index: the others are in the registry by now.
func asideSessions(f *file, text []byte) error {
	theirs, err := parseIndex(text)
	there, bad := parseIndex(f.text)
	base, worse := parseIndex(f.base)
	was, worst := parseIndex(f.was)
	if err := errors.Join(err, bad, worse, worst); err != nil {
		return err
	}
	merged := there.sessions
	for _, m := range theirs.sessions {
		if merged.Value(m.Name) == "" && base.sessions.Value(m.Name) == "" && was.sessions.Value(m.Name) == "" {
			merged = merged.With(m.Name, m.Value)
		}
	}
	if len(merged) > len(there.sessions) {
		f.text = there.top.With("sessions", merged.Compact()).In(indexNames...).Pretty()
	}
	return nil
}

// changedSessions takes any other index for one that another program changed.
func changedSessions(text, _ []byte) (bool, error) {
	_, err := parseIndex(text)
	return true, err
}

// isMoved tells whether the index was written last for another directory than this one.
func (d *decider) isMoved(ctx context.Context) (bool, error) {
	known, err := d.remembered(ctx, IndexPath)
	if err != nil || known == nil || known.Base == "" || !utf8.ValidString(d.dir.Path) {
		return false, err
	}
	return !showsDirectory([]byte(known.Base), d.dir.Path), nil
}

// indexState returns what the index of the sessions is to show of a view, and whether
// there is any session.
func (dir Directory) indexState(ctx context.Context, view *registry.View) (state indexState, some bool, err error) {
	for session, err := range view.Sessions(ctx, registry.Page{}) {
		if err != nil {
			return state, false, err
		}
		some = true
		if session.Authentication != nil {
			state.Sessions = append(state.Sessions, session)
		}
	}
	if utf8.ValidString(dir.Path) { // else JSON can't hold it
		state.ProfilePath = func(name string) string { return dir.full(ProfilePath(name)) }
		state.Directory = dir.Path
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
