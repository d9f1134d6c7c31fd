package database

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

func removeCommand() *cli.Command {
	return &cli.Command{
		Name:  "remove",
		Usage: "stop a server that sp runs, and delete its data",
		Args:  []cli.Arg{{Name: "ID", Kind: task.Server}},
		Description: "ID is the id that sp db list prints, or the name that sp db status shows. All\n" +
			"databases on the server are lost. If sp trust withheld the server, sp only\n" +
			"forgets it.",
		Flags: []cli.Flag{cli.Yes()},
		Run:   task.Run(remove),
	}
}

// removed is a server that is gone, and the tenants that have no database any more, in JSON. Of
// another project the name is not known, and in Docker there is no id.
type removed struct {
	ID       *string           `json:"id"`
	Name     *string           `json:"name"`
	Provider registry.Provider `json:"provider"`
	Tenants  []task.TenantRef  `json:"tenants"`
}

func remove(ctx context.Context, t *task.Task) (cli.Answer, error) {
	h, err := lookHere(ctx, t)
	if err != nil && !task.IsNoRegistry(err) {
		return cli.Answer{}, err
	}
	var done removed
	if own := h.named(t.Arg(0)); len(own) == 0 {
		err = t.UntilTold(ctx, func(ctx context.Context) (err error) {
			done, err = removeOthers(ctx, t)
			return err
		})
	} else {
		err = t.InSteps(ctx, t.Tenants, func(ctx context.Context, m *hosting.Machine) (err error) {
			done, err = removeOwn(ctx, t, m, own[0], h.databases)
			return err
		})
	}
	return cli.Answer{Value: done}, err
}

// removeOwn ends a server of this project.
func removeOwn(ctx context.Context, t *task.Task, m *hosting.Machine, s registry.Server, databases []registry.Database) (removed, error) {
	question, err := questionOf(ctx, m, s, databases)
	if err != nil {
		return removed{}, err
	}
	if err := t.Confirm(ctx, question); err != nil {
		return removed{}, err
	}
	without, err := m.Remove(ctx, s)
	if !task.Made(err) {
		return removed{}, err
	}
	t.Note("server %s removed", s.Name)
	for _, id := range without {
		t.Note("tenant %s has no database any more: %s makes one", id, cli.To("sp tenant provision", string(id)))
	}
	done := removed{ID: s.Place, Name: &s.Name, Provider: s.Provider, Tenants: []task.TenantRef{}}
	named := m.Read(context.WithoutCancel(ctx), func(view *registry.View) error {
		for _, id := range without {
			done.Tenants = append(done.Tenants, task.NamesIn(ctx, view)(id))
		}
		return nil
	})
	return done, cmp.Or(err, task.Afterwards(named))
}

func questionOf(ctx context.Context, m *hosting.Machine, s registry.Server, databases []registry.Database) (string, error) {
	if s.Withheld != "" {
		return fmt.Sprintf("Forget server %s? Its data stay where they are, and only this registry may know its password.", s.Name), nil
	}
	var tenants []string
	err := m.Read(ctx, func(view *registry.View) error {
		names := task.NamesIn(ctx, view)
		for _, id := range hosting.RecordedOn(s, databases) {
			tenant := string(id)
			if name := names(id).Called(); name != "" && name != tenant {
				tenant += " (" + cli.Printable(name) + ")"
			}
			tenants = append(tenants, tenant)
		}
		return nil
	})
	what := "No database is recorded there"
	if len(tenants) > 0 {
		what = "The databases of " + strings.Join(tenants, ", ") + " are lost"
	}
	kept, known := m.Unrecorded(ctx, s, databases)
	switch {
	case len(kept) > 0:
		what += ". So are databases that no tenant has, such as those that were kept: " + strings.Join(kept, ", ")
	case !known && !errors.Is(m.DataTrouble(ctx, s), hosting.ErrLost):
		what += ". It does not run; it may hold others, such as those that were kept (--keep-database)"
	}
	return fmt.Sprintf("Remove server %s and its data? %s.", s.Name, what), err
}

// noServer is the error of who named a server that is not there.
func noServer(ctx context.Context, t *task.Task, id string, clusters []postgres.Placed) error {
	var names []string
	for _, c := range clusters {
		names = append(names, c.ID)
	}
	known, err := t.KnownServers(ctx)
	if err != nil && !task.IsNoRegistry(err) {
		return err
	}
	for _, s := range known {
		names = append(names, s.Name)
	}
	missing := fmt.Errorf("server %s: %w", cli.Harmless(id), registry.ErrNotFound)
	if len(cli.Near(id, names)) > 0 {
		return cli.DidYouMean(missing, id, names, cli.To("sp db list"))
	}
	return cli.Hint(missing, "%s; %s", cli.To("sp db list"), cli.To("sp db status"))
}

// removeOthers ends a server of another project, or of one that is gone.
func removeOthers(ctx context.Context, t *task.Task) (removed, error) {
	id := *t.Arg(0)
	m := t.Machine(project.Dir{}, nil)
	clusters, err := m.Clusters(ctx)
	if err != nil {
		return removed{}, err
	}
	at := slices.IndexFunc(clusters, func(c postgres.Placed) bool { return c.ID == id })
	if at < 0 {
		return removed{}, noServer(ctx, t, id, clusters)
	}
	c := clusters[at]
	owner := cmp.Or(c.Owner, "a project that is not told")
	if err := t.Confirm(ctx, fmt.Sprintf("Remove server %s and its data? All databases of %s on it are lost.", id, owner)); err != nil {
		return removed{}, err
	}
	if err := m.RemoveCluster(ctx, c); err != nil {
		return removed{}, err
	}
	t.Note("server %s removed from %s", id, filepath.Dir(c.Dir))
	return removed{ID: &id, Provider: registry.LocalPrograms, Tenants: []task.TenantRef{}}, nil
}
