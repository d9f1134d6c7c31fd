package database

import (
	"context"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// isNamed tells whether a word means a server: its name, or the id of the place of its data.
func isNamed(s registry.Server, word string) bool {
	return s.Name == word || s.Place != nil && *s.Place == word
}

// serverHere is the server that sp runs for this project: the one that is named, or the only one.
func serverHere(ctx context.Context, t *task.Task) (s registry.Server, m *hosting.Machine, dir project.Dir, err error) {
	var own []registry.Server
	var names []string
	id := t.Arg(0)
	err = t.Read(ctx, func(found project.Dir, view *registry.View) error {
		dir, m = found, t.Machine(found, nil)
		servers, err := view.Servers(ctx)
		for _, s := range servers {
			if !s.IsOwn() {
				continue
			}
			names = append(names, s.Name)
			if id == nil || isNamed(s, *id) {
				own = append(own, s)
			}
		}
		return err
	})
	switch {
	case err != nil:
		return s, m, dir, err
	case len(own) == 0 && id != nil && len(names) > 0:
		return s, m, dir, cli.Hint(cli.Of(registry.ErrNotFound, "sp runs no server %s here", cli.Harmless(*id)), "it runs %s", strings.Join(names, " and "))
	case len(own) == 0:
		return s, m, dir, cli.Hint(cli.Of(registry.ErrNotFound, "sp runs no server here"), "%s makes one, %s shows the others", cli.To("sp db up"), cli.To("sp db status"))
	case len(own) > 1:
		ambiguous := cli.WithCandidates(fmt.Errorf("sp runs servers %s: %w", strings.Join(names, " and "), registry.ErrAmbiguous), names...)
		return s, m, dir, cli.Hint(ambiguous, "name one of them")
	}
	if err := hosting.CheckWithheld(own[0]); err != nil {
		err = &hosting.ServerError{Server: own[0], Err: err}
		return s, m, dir, fmt.Errorf("server %s: %w", own[0].Name, err)
	}
	return own[0], m, dir, nil
}
