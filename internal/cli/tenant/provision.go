package tenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

func provisionCommand() *cli.Command {
	return &cli.Command{
		Name:  "provision",
		Usage: "make a tenant's database, or finish an interrupted one",
		Args:  []cli.Arg{optionalWord()},
		Description: "Without ID, it takes the tenant in effect. If the database is complete, nothing\n" +
			"happens; otherwise sp does the steps that are missing. sp tenant delete ID\n" +
			"removes what was made. If a deletion was stopped before anything was gone, sp\n" +
			"keeps the database. For a cloud tenant, sp waits until its database is ready,\n" +
			"and fetches its credentials.",
		Flags: slices.Concat(extrasFlags(), task.ServerFlags(), []cli.Flag{task.NoExport()}),
		Run:   task.Run(provisionTenant),
	}
}

func provisionTenant(ctx context.Context, t *task.Task) (answer cli.Answer, err error) {
	if err := checkExtras(t); err != nil {
		return cli.Answer{}, err
	}
	w, err := t.WantedServer(ctx)
	if err == nil && w.Provider == task.ByURL {
		err = cli.Hint(cli.Usage("tenant provision: a database that is there is not made"), "%s", cli.To("sp tenant edit", "ID", "--database-url-stdin"))
	}
	if err != nil {
		return cli.Answer{}, err
	}
	tenant, err := tenantOf(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	if tenant.IsCloud() {
		if !wantedExtras(t).None() {
			return cli.Answer{}, cli.Usage("tenant provision: tenant %s is a cloud tenant: --%s and --%s are for a local one", tenant, extensionFlag, createdbFlag)
		}
		if w.Provider != "" {
			return cli.Answer{}, cli.Usage("tenant provision: tenant %s is a cloud tenant, whose database the control plane makes", tenant)
		}
		return provisionCloud(ctx, t, tenant)
	}
	err = t.InSteps(ctx, t.Tenants, func(ctx context.Context, m *hosting.Machine) error {
		id, err := makeDatabase(ctx, t, m, w)
		if !task.Made(err) {
			return err
		}
		shown, problem := recordAfter(ctx, t, id)
		answer.Value = shown
		tellExtras(t, shown.Database, wantedExtras(t))
		return cmp.Or(err, problem)
	})
	return answer, err
}

// tenantOf is the tenant that the argument means, after a sync if that is not known here.
func tenantOf(ctx context.Context, t *task.Task) (tenant registry.Tenant, err error) {
	err = lookAgain(ctx, t, func() (err error) {
		tenant, err = meant(ctx, t)
		return err
	})
	return tenant, err
}

// meant is the tenant that the argument means.
func meant(ctx context.Context, t *task.Task) (tenant registry.Tenant, err error) {
	err = t.Read(ctx, func(dir project.Dir, view *registry.View) (err error) {
		tenant, err = t.Tenant(ctx, dir, view, t.Arg(0))
		return err
	})
	return tenant, err
}

// subject looks at the tenant that the argument means and its database, and at the servers there are.
func subject(ctx context.Context, t *task.Task) (s hosting.Subject, servers []registry.Server, err error) {
	err = t.Read(ctx, func(dir project.Dir, view *registry.View) error {
		tenant, err := t.Tenant(ctx, dir, view, t.Arg(0))
		if err != nil {
			return err
		}
		if s, err = hosting.SubjectOf(ctx, view, tenant); err == nil {
			servers, err = view.Servers(ctx)
		}
		return err
	})
	return s, servers, err
}

func makeDatabase(ctx context.Context, t *task.Task, m *hosting.Machine, w hosting.Wanted) (registry.TenantID, error) {
	s, servers, err := subject(ctx, t)
	if err == nil {
		err = checkProvisioning(s, w)
	}
	if err != nil {
		return "", err
	}
	x := wantedExtras(t)
	if s.Tenant.HasDatabaseURL() && s.Database == nil && !x.None() {
		return "", cli.Hint(fmt.Errorf("tenant %s: sp did not make its database: %w", s.Tenant, hosting.ErrNotOwn),
			"its own administrator makes extensions and databases there: %s", cli.To("sp psql", string(s.Tenant.ID)))
	}
	if s.Tenant.HasDatabaseURL() && s.Database == nil {
		t.Note("the URL of tenant %s was given, so sp makes no database for it; %s tries it", s.Tenant, cli.To("sp tenant check", string(s.Tenant.ID)))
		return s.Tenant.ID, nil
	}
	on, err := serverFor(ctx, t, s, servers, w)
	if err != nil {
		return "", err
	}
	if s.Database != nil && s.Database.State == registry.Dropping {
		return s.Tenant.ID, keepDatabase(ctx, t, m, s, on)
	}
	r, err := m.Resume(ctx, s, on, x)
	tellResumed(t, r, x, err)
	return s.Tenant.ID, task.AdviseLogin(adviseUnended(adviseExtension(err, s.Tenant.ID), s))
}

// keepDatabase takes back that a tenant's database is being dropped.
func keepDatabase(ctx context.Context, t *task.Task, m *hosting.Machine, s hosting.Subject, on registry.Server) error {
	c, err := m.Keep(ctx, s, on)
	t.Tell(c.Warnings, "")
	if task.Made(err) {
		t.Note("tenant %s keeps its database, and has a new login to it", s.Tenant)
		return err
	}
	drop := cli.To("sp tenant delete", string(s.Tenant.ID))
	if errors.Is(err, hosting.ErrPartlyGone) {
		return cli.Hint(err, "%s goes on with that", drop)
	}
	return cli.Hint(err, "it is still about to be dropped; when that is mended, say it again, or %s goes on with the drop", drop)
}

// adviseUnended says what helps where the old login of a tenant's database could not be ended.
func adviseUnended(err error, s hosting.Subject) error {
	if !errors.Is(err, hosting.ErrUnended) {
		return err
	}
	if errors.Is(err, provision.ErrDeaf) {
		return cli.Hint(err, "the login in use works on, and the old password is refused; then %s ends what is left", cli.To("sp tenant provision", string(s.Tenant.ID)))
	}
	return cli.Hint(err, "the login in use works on; when that is mended, %s ends the old one", cli.To("sp tenant provision", string(s.Tenant.ID)))
}

func tellResumed(t *task.Task, r hosting.Resumed, x hosting.Extras, err error) {
	if r.Ended && len(r.Warnings.Ended) == 0 { // else it is said with whose sessions
		t.Note("its old login ended")
	}
	if r.Gone != nil {
		t.Note("database %s is not whole any more on server %s: what is missing is made again, and what was in it is gone", r.Gone.Name, r.Gone.Server)
	}
	tellMade(t, r.Created, x, err)
	if task.Made(err) {
		t.Note("tenant %s has its database", r.Tenant)
	}
}

// tellMade says what was met when a database was made, and where it was stopped.
func tellMade(t *task.Task, c hosting.Created, x hosting.Extras, err error) {
	t.Tell(c.Warnings, "")
	if c.Planned && !task.Made(err) {
		id := string(c.Tenant.ID)
		t.Note("tenant %s is registered, its database is not finished: %s goes on, %s undoes it",
			c.Tenant, cli.To("sp tenant provision", append([]string{id}, argumentsFor(x)...)...), cli.To("sp tenant delete", id))
	}
}

// serverFor is the server of a tenant's database or, where none is planned yet, one for it.
func serverFor(ctx context.Context, t *task.Task, s hosting.Subject, known []registry.Server, w hosting.Wanted) (registry.Server, error) {
	switch {
	case s.Database == nil:
		return t.FindServer(ctx, w, known)
	case s.Server == nil:
		return registry.Server{}, fmt.Errorf("server %s: %w", s.Database.Server, registry.ErrNotFound)
	}
	return w.Instead(*s.Server), nil
}

// checkProvisioning refuses a tenant for which no database is made, or none there.
func checkProvisioning(s hosting.Subject, w hosting.Wanted) error {
	switch tenant, d := s.Tenant, s.Database; {
	case d != nil && w.Provider != "" && (s.Server == nil || w.Provider != s.Server.Provider):
		return cli.Hint(fmt.Errorf("tenant %s: its database was begun on server %s: %w", tenant, d.Server, registry.ErrConflict),
			"without --provider and --server it is finished there")
	}
	return nil
}
