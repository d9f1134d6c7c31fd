package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// sessionsMerge is the index of sessions between us and another program, within one
// command.
type sessionsMerge struct {
	imported bool                   // the command itself takes what the index says
	wanted   bool                   // it is to take over what another program did to it
	steps    []registry.SessionStep // what was taken over
	trouble  error                  // why nothing could be
}

// withSessions asks, with what a command asks for before a change, for what another
// program did to sessions/index.json. What is wrong with the index is only said when the
// index is to be written.
func (a *app) withSessions(dir project.Dir, tenants func(context.Context, *registry.View) (*registry.Merge, error)) func(context.Context, *registry.View) (*registry.Merge, error) {
	return func(ctx context.Context, view *registry.View) (merge *registry.Merge, err error) {
		if tenants != nil {
			if merge, err = tenants(ctx, view); err != nil {
				return nil, err
			}
		}
		if a.noExport || a.small.Force || a.sessions.imported {
			return merge, nil
		}
		edit, hash, err := a.sessionsOf(ctx, dir, view)
		if err != nil && a.settledFor() == registry.Nobody && !a.sessions.wanted {
			a.sessions.trouble, err = err, nil
		}
		if a.small.Taken = hash; err != nil || edit == nil {
			return merge, err
		}
		if merge == nil {
			merge = &registry.Merge{}
		}
		merge.Sessions, merge.Done = edit, a.sessions.heed(merge.Done)
		return merge, nil
	}
}

// heed notes what became of the sessions, and passes the plan on.
func (b *sessionsMerge) heed(done func(registry.Plan)) func(registry.Plan) {
	return func(p registry.Plan) {
		b.steps = p.Sessions
		p.Sessions = nil // they are told once
		if done != nil {
			done(p)
		}
	}
}

// settledFor is who is right where both sides changed the same, by the flags.
func (a *app) settledFor() registry.Side {
	if a.merged == nil {
		return registry.Nobody
	}
	return a.merged.settle
}

// sessionsOf returns what another program did to the index since sp wrote it, nil for
// nothing, and the hash of the index that says so, empty where it is as sp wrote it.
func (a *app) sessionsOf(ctx context.Context, dir project.Dir, view *registry.View) (edit *registry.SessionsEdit, hash string, err error) {
	index, err := follow.ChangedIndexOf(ctx, directoryOf(dir), view, nil)
	if err != nil || index == nil {
		return nil, "", err
	}
	edit, err = index.Merge(a.settledFor())
	if errors.Is(err, registry.ErrConflict) {
		err = withHint(err, "%s", settleHint)
	}
	switch {
	case err != nil:
		return nil, "", err
	case edit == nil:
		return nil, index.Hash, nil
	}
	switch taken, err := a.mayTake(ctx, index.Path, a.settledFor()); {
	case err != nil:
		return nil, "", err
	case !taken:
		a.small.Refused = index.Hash
		return nil, index.Hash, nil
	}
	return edit, index.Hash, nil
}

const settleHint = "sp import --theirs takes the file's side in that, sp import --ours the registry's; both merge the rest"

// tellSessions says what was taken over of the index.
func (a *app) tellSessions(err error) error {
	if len(a.sessions.steps) > 0 {
		a.note("before that, what another program did to %s was taken over:", follow.IndexPath)
		a.noteLines(linesOf(registry.Plan{Sessions: a.sessions.steps}, nil))
	}
	var changed *follow.ChangedError
	if !errors.As(err, &changed) {
		return err
	}
	if a.sessions.trouble != nil && filepath.Base(changed.Path) == filepath.Base(follow.IndexPath) {
		err = a.sessions.trouble
	}
	var told *hinted
	if !errors.As(err, &told) && errors.As(err, &changed) {
		err = withHint(err, "%s", adviceOn(changed))
	}
	return err
}

// adviceOn says what helps where another program changed a small file.
func adviceOn(e *follow.ChangedError) string {
	if strings.HasSuffix(e.Path, "secrets.json") {
		return "sp export --force writes the registry's side; what is the file's, sp tenant edit and sp secrets set take"
	}
	return settleHint
}
