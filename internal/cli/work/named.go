package work

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

// named is the connection of the tenant or profile that the word means, else of the profile in effect.
func named(ctx context.Context, t *task.Task, dir project.Dir, view *registry.View, words []string) (resolver.Connection, error) {
	request := t.Request(dir)
	if len(words) > 0 {
		if err := t.RefuseBoth(&words[0]); err != nil {
			return resolver.Connection{}, err
		}
		if err := lookUp(ctx, view, words[0], &request); err != nil {
			return resolver.Connection{}, err
		}
	}
	return connect(ctx, t, view, request)
}

// lookUp makes a request for the tenant or the profile that a word means. An exact name of
// either is stronger than the beginning of an id.
func lookUp(ctx context.Context, view *registry.View, word string, request *resolver.Request) error {
	t, err := view.ExactTenant(ctx, word)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	p, unknown := view.Profile(ctx, word)
	switch {
	case unknown != nil && !errors.Is(unknown, registry.ErrNotFound):
		return unknown
	case unknown == nil && err == nil && p.Tenant != t.ID: // else it is the same database
		return eitherOf(t, p, word)
	case unknown == nil:
		request.Flag = &word
		return nil
	case err != nil:
		if t, err = view.FindTenant(ctx, word); errors.Is(err, registry.ErrNotFound) {
			return task.AdviseEither(ctx, view, cli.Of(registry.ErrNotFound, "no tenant or profile is called %s", cli.Harmless(word)), word)
		} else if err != nil {
			return err
		}
	}
	request.Tenant = &t.ID
	return nil
}

// eitherOf refuses a word that means a tenant, and a profile of another one.
func eitherOf(t registry.Tenant, p registry.Profile, word string) error {
	return cli.Hint(&registry.AmbiguousError{Word: cli.Quoted(word), Candidates: []registry.Candidate{
		{Word: registry.OnlyID + string(t.ID), Text: fmt.Sprintf("tenant %s", t)},
		{Word: "--profile=" + p.Name, Text: fmt.Sprintf("profile %s of tenant %s", p.Name, p.Tenant)},
	}}, "--profile %s is the profile, id:%s the tenant", cli.Quoted(p.Name), cli.Quoted(string(t.ID)))
}
