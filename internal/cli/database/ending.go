package database

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// mayEnd asks whether what is about to be done may end the sessions on a server that runs, if there are any.
func mayEnd(ctx context.Context, t *task.Task, m *hosting.Machine, s registry.Server, doing string) error {
	sessions, err := m.Sessions(ctx, s)
	switch {
	case err != nil:
		return t.Confirm(ctx, fmt.Sprintf("%s server %s? It does not say whose sessions end: %v", doing, s.Name, err))
	case len(sessions) == 0:
		return nil
	}
	who, err := whose(ctx, m, sessions)
	if err != nil {
		return err
	}
	return t.Confirm(ctx, fmt.Sprintf("%s server %s? That ends %s", doing, s.Name, cli.Some(who)))
}

// whose says to which tenants sessions belong, how many each has, and what they call themselves.
func whose(ctx context.Context, m *hosting.Machine, sessions []provision.Session) (who []string, err error) {
	owners := map[string]string{}
	err = m.Read(ctx, func(view *registry.View) error {
		databases, err := view.Databases(ctx)
		names := task.NamesIn(ctx, view)
		for _, d := range databases {
			owners[d.Name] = fmt.Sprintf("of tenant %s (%s)", d.Tenant, names(d.Tenant).Called())
		}
		return err
	})
	of := map[string][]provision.Session{}
	for _, s := range sessions {
		owner, known := owners[s.Database]
		if !known {
			owner = "in database " + s.Database
		}
		of[owner] = append(of[owner], s)
	}
	for _, owner := range slices.Sorted(maps.Keys(of)) {
		who = append(who, fmt.Sprintf("%s %s", provision.UsesIn(of[owner]), owner))
	}
	return who, err
}
