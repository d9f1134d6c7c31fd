package database

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// here are the servers of this project, and what is recorded on them.
type here struct {
	*hosting.Machine
	dir         project.Dir
	own, others []registry.Server // that sp runs, and that somebody else does
	databases   []registry.Database
}

func lookHere(ctx context.Context, t *task.Task) (h here, err error) {
	err = t.Read(ctx, func(dir project.Dir, view *registry.View) error {
		h.dir, h.Machine = dir, t.Machine(dir, nil)
		known, err := view.Servers(ctx)
		for _, s := range known {
			if s.IsOwn() {
				h.own = append(h.own, s)
			} else {
				h.others = append(h.others, s)
			}
		}
		if err == nil {
			h.databases, err = view.Databases(ctx)
		}
		return err
	})
	return h, err
}

// named are the servers of sp's that a word means, by name or by the id of the place of their data; without a word,
// all of them.
func (h here) named(word *string) []registry.Server {
	return slices.DeleteFunc(slices.Clone(h.own), func(s registry.Server) bool {
		return word != nil && s.Name != *word && (s.Place == nil || *s.Place != *word)
	})
}

// mustRunOne refuses a project for which sp runs no server.
func (h here) mustRunOne() error {
	switch {
	case len(h.own) > 0:
		return nil
	case len(h.others) > 0:
		return cli.Hint(fmt.Errorf("server %s: %w", h.others[0].Name, hosting.ErrNotOwn), "that is done on its machine, by whoever runs it")
	}
	return cli.Hint(cli.Of(hosting.ErrNoServer, "sp runs no server here"), "%s", cli.To("sp db up"))
}

// one is the server of sp's that a word means; without a word, the only one.
func (h here) one(word *string) (s registry.Server, err error) {
	if err := h.mustRunOne(); err != nil {
		return s, err
	}
	var names []string
	for _, s := range h.own {
		names = append(names, s.Name)
	}
	all := strings.Join(names, " and ")
	switch found := h.named(word); {
	case len(found) == 0:
		return s, cli.Hint(cli.Of(registry.ErrNotFound, "sp runs no server %s here", cli.Harmless(*word)), "it runs %s", all)
	case len(found) > 1:
		return s, cli.Hint(cli.WithCandidates(fmt.Errorf("sp runs servers %s: %w", all, registry.ErrAmbiguous), names...), "name one of them")
	default:
		s = found[0]
	}
	if err := hosting.CheckWithheld(s); err != nil {
		return s, fmt.Errorf("server %s: %w", s.Name, err)
	}
	return s, nil
}
