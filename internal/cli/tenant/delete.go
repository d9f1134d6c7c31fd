package tenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/cloud"
	"github.com/sp-registry/sp/internal/configuration"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

func deleteCommand() *cli.Command {
	return &cli.Command{
		Name:  "delete",
		Usage: "delete a tenant with its session, its profiles and its own database",
		Args:  []cli.Arg{word()},
		Description: "ID is the whole id, or the whole name with --confirm NAME. A database that sp\n" +
			"did not make is left alone. A cloud tenant is deleted at its control plane, too,\n" +
			"with its database and its subscription; --keep-database leaves it there. One\n" +
			"that is still being created is given up.",
		Flags: []cli.Flag{
			cli.Yes(), task.Purge(), task.NoExport(),
			cli.String("confirm", "NAME", "the tenant's name again, instead of -y"),
			cli.Bool("keep-database", "don't drop the database; sp no longer knows it"),
		},
		Run: task.Run(deleteTenant),
	}
}

func deleteTenant(ctx context.Context, t *task.Task) (answer cli.Answer, err error) {
	if err := t.RefuseBoth(t.Arg(0)); err != nil {
		return cli.Answer{}, err
	}
	err = t.InSteps(ctx, t.Tenants, func(ctx context.Context, m *hosting.Machine) (err error) {
		answer, err = deleteBy(ctx, t, m)
		return err
	})
	return answer, err
}

func deleteBy(ctx context.Context, t *task.Task, m *hosting.Machine) (cli.Answer, error) {
	doomed, err := lookAtDoomed(ctx, t)
	switch {
	case doomed.database != nil && errors.Is(err, registry.ErrNotFound):
		return deleteOrphan(ctx, t, m, doomed)
	case errors.Is(err, registry.ErrNotFound):
		return deleteUnderWay(ctx, t, m, err)
	case err != nil:
		return cli.Answer{}, err
	}
	client, err := removing(ctx, t, doomed.id)
	if err != nil {
		return cli.Answer{}, err
	}
	if err := confirmDoomed(ctx, t, m, &doomed, client); err != nil {
		return cli.Answer{}, err
	}
	if client != nil { // what would stop the change behind that stops it first
		if err := t.Change(ctx, t.Tenants(task.Nothing)); err != nil {
			return cli.Answer{}, err
		}
	}
	if err := removeAt(ctx, t, client, doomed.id); err != nil {
		return cli.Answer{}, err
	}
	t.TellOthersHit(doomed.others)
	deletion := registry.Deletion{ID: doomed.id, Purge: t.Bool("purge"), Dropped: client != nil}
	if d := doomed.database; d != nil {
		deletion.Left = t.Bool("keep-database")
		deletion.Dropped = !deletion.Left
		if err := endDatabase(ctx, t, m, *d, deletion.Left); err != nil {
			return cli.Answer{}, err
		}
	}
	var removed registry.Removed
	err = m.Change(ctx, func(reg *registry.Registry) (err error) {
		removed, err = reg.DeleteTenant(ctx, deletion)
		return err
	})
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	err = cmp.Or(err, forgetSync(t, doomed.id))
	tellRemoved(t, removed)
	switch {
	case removed.Tenant.IsCloud() && t.Bool("keep-database"):
		t.Note("its control plane keeps it, with its database; %s adds it again if you are logged in there", cli.To("sp tenant list"))
	case client == nil && doomed.database == nil && removed.Tenant.HasDatabaseURL():
		t.Note("its database is left alone, because sp does not keep it as one that it made")
	}
	return cli.Answer{Value: removalOf(removed, doomed.database, deletion)}, err
}

// confirmDoomed looks what else is hit, and asks.
func confirmDoomed(ctx context.Context, t *task.Task, m *hosting.Machine, d *doomed, client *cloud.Client) (err error) {
	if d.drops != nil {
		if d.others, err = t.OthersHit(ctx, m, *d.drops); err != nil {
			return err
		}
	}
	if t.IsSet("confirm") {
		return nil
	}
	question := d.question()
	if client != nil {
		question = atControlPlane(question, client.Host())
	}
	return t.Confirm(ctx, question)
}

// adviseUndeletable says of a word that is no tenant's what can be deleted.
func adviseUndeletable(err error, k *registry.CloudCall) error {
	switch {
	case k == nil:
		return cli.Hint(err, "delete takes the whole id or, with --confirm, the whole name: %s", cli.To("sp tenant list"))
	case k.Tenant == nil:
		return cli.Hint(err, "its creation began at %s and is not finished; %s goes on with it, and then its id can be deleted", task.Clock(k.MadeAt), task.ToGoOn(*k))
	}
	return cli.Hint(err, "its creation began at %s and is not finished; %s gives it up", task.Clock(k.MadeAt), cli.To("sp tenant delete", string(*k.Tenant)))
}

// forgetSync removes what is known of the configuration of tenants that were removed.
func forgetSync(t *task.Task, ids ...registry.TenantID) error {
	dir, err := t.Project()
	for _, id := range ids {
		err = cmp.Or(err, configuration.Forget(dir, id))
	}
	return task.Afterwards(err)
}

// doomed is a tenant that is about to be deleted, with all that would go with it.
type doomed struct {
	id       registry.TenantID
	tenant   registry.Tenant
	database *registry.Database // that sp made for it
	drops    *registry.Database // that one, unless it is kept
	others   task.OthersHit     // that would lose the database, too
	session  *registry.Session
	profiles []registry.Profile // no more than one behind those that are named
	next     bool               // a rotation of its password was stopped
}

// lookAtDoomed looks at the tenant that the argument means. Its database may be there though it
// is not found itself.
func lookAtDoomed(ctx context.Context, t *task.Task) (d doomed, err error) {
	err = t.Read(ctx, func(_ project.Dir, view *registry.View) (err error) {
		if d.id, err = tenantToDelete(ctx, view, *t.Arg(0), t.Optional("confirm")); err != nil {
			return err
		}
		if d.database, err = view.Database(ctx, d.id); err != nil {
			return err
		}
		if d.database != nil && !t.Bool("keep-database") {
			d.drops = d.database
		}
		if d.tenant, err = view.Tenant(ctx, d.id); err != nil {
			return err
		}
		return d.lookBesides(ctx, view)
	})
	return d, err
}

// lookBesides looks what goes with the tenant beside its database.
func (d *doomed) lookBesides(ctx context.Context, view *registry.View) (err error) {
	if d.session, err = view.Session(ctx, d.id); err != nil {
		return err
	}
	if d.profiles, err = view.ProfilesOf(ctx, &d.id, maxAsked+1); err != nil {
		return err
	}
	next, err := view.Rotation(ctx, d.id)
	d.next = next != nil
	return err
}

// tenantToDelete returns the id that a word is or, where the tenant's name was said twice, means.
func tenantToDelete(ctx context.Context, view *registry.View, word string, name *string) (registry.TenantID, error) {
	t, err := view.ExactTenant(ctx, word)
	id := registry.TenantID(strings.TrimPrefix(word, registry.OnlyID))
	switch {
	case errors.Is(err, registry.ErrNotFound) && name == nil: // its database may still be there
		return id, nil
	case err != nil:
		return "", err
	case name != nil && *name != t.Name:
		return "", cli.Hint(cli.Usage("tenant delete: --confirm: that is not the name of tenant %s", t.ID), "it is called %s", cli.Quoted(t.Name))
	case name == nil && t.ID != id:
		return "", cli.Hint(cli.Of(cli.ErrConfirm, "delete takes the full id, to be safe; %s is %s", cli.Quoted(word), t.ID),
			"%s, or %s", cli.To("sp tenant delete", string(t.ID)), cli.To("sp tenant delete", word, "--confirm", t.Name))
	}
	return t.ID, nil
}

// maxAsked bounds the profiles that a question names.
const maxAsked = 10

// question names the tenant and all that would go with it.
func (d *doomed) question() string {
	parts := []string{fmt.Sprintf("Delete tenant %s", d.tenant)}
	if d.next {
		parts = append(parts, "the password of a rotation that was stopped (its database may open to no other)")
	}
	if d.drops != nil {
		parts = append(parts, fmt.Sprintf("its database %s on server %s with all that is in it", d.drops.Name, d.drops.Server)+d.others.String())
	}
	if d.session != nil {
		parts = append(parts, fmt.Sprintf("its session (profile %s)", d.session.Profile))
	}
	for _, p := range d.profiles[:min(len(d.profiles), maxAsked)] {
		parts = append(parts, "its profile "+p.Name)
	}
	if len(d.profiles) > maxAsked {
		parts = append(parts, "more")
	}
	question := strings.Join(parts, ", ")
	if last := len(parts) - 1; last > 0 {
		question = strings.Join(parts[:last], ", ") + " and " + parts[last]
	}
	return question + "?"
}

// atControlPlane says that a tenant is deleted there, too, where its data are and its subscription is.
func atControlPlane(question, host string) string {
	return strings.TrimSuffix(question, "?") + ", here and at " + host + ", with its database and its subscription?"
}

func tellRemoved(t *task.Task, r registry.Removed) {
	t.Note("tenant %s deleted", r.Tenant)
	if r.Session != nil {
		t.Note("its session (profile %s) ended", r.Session.Profile)
	}
	for _, name := range r.Profiles {
		t.Note("its profile %s deleted", name)
	}
	if r.Default {
		t.Note("one of them was the default profile; there is none now")
	}
	if r.Selected {
		t.Note("it was selected; nothing is, until the next %s", cli.To("sp tenant select"))
	}
}
