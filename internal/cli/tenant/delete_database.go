package tenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
)

// endDatabase drops the database that sp made for a tenant, or leaves it where it is kept.
func endDatabase(ctx context.Context, t *task.Task, m *hosting.Machine, d registry.Database, keep bool) error {
	if keep && d.State == registry.Dropping {
		t.Note("what is still there of database %s and its roles stays on server %s", d.Name, d.Server)
		return nil
	}
	if keep {
		t.Note("database %s stays on server %s, with the roles %s_owner, %s_a and %s_b", d.Name, d.Server, d.Name, d.Name, d.Name)
		return nil
	}
	done, err := m.Drop(ctx, d, t.WantedByDefault())
	if err != nil {
		t.Tell(done.Warnings, "")
		return adviseDropping(fmt.Errorf("database %s: %w", d.Name, err), d, done)
	}
	t.Note("database %s dropped", d.Name)
	t.Tell(done.Warnings, "")
	return nil
}

// adviseDropping says what is left where a database was not dropped, and what helps.
func adviseDropping(err error, d registry.Database, done hosting.Dropped) error {
	id := string(d.Tenant)
	switch {
	case errors.Is(err, provision.ErrMismatch):
		return cli.Hint(err, "if somebody has dropped it: %s, or %s makes it again", cli.To("sp tenant delete", id, "--keep-database"), cli.To("sp tenant provision", id))
	case done.Whole:
		return cli.Hint(err, "its data are all there, but its logins may have ended; when that is mended, %s goes on\n%s keeps the database, with a new login",
			cli.To("sp tenant delete", id), cli.To("sp tenant provision", id))
	case done.Begun:
		return cli.Hint(err, "its data may be gone already; when that is mended, say it again\n--keep-database deletes the tenant and leaves what there still is")
	}
	return cli.Hint(err, "nothing is deleted; when that is mended, say it again\n--keep-database deletes the tenant and leaves the database where it is")
}

// deleteOrphan drops or forgets a database whose tenant is no more: an undo, an import or another
// program took that away.
func deleteOrphan(ctx context.Context, t *task.Task, m *hosting.Machine, of doomed) (cli.Answer, error) {
	d, keep := *of.database, t.Bool("keep-database")
	uses, err := sessionsIn(ctx, t, m, of.drops)
	if err != nil {
		return cli.Answer{}, err
	}
	question := fmt.Sprintf("Drop database %s with all that is in it%s? Its tenant %s is gone.", d.Name, alsoHit(of.sharers, uses), d.Tenant)
	if keep {
		question = fmt.Sprintf("Forget database %s? It stays on server %s. Its tenant %s is gone.", d.Name, d.Server, d.Tenant)
	}
	if !keep {
		warnOfExtras(ctx, t, m, d)
	}
	if err := t.Confirm(ctx, question); err != nil {
		return cli.Answer{}, err
	}
	tellDropping(t, of.drops, of.sharers, uses)
	if err := endDatabase(ctx, t, m, d, keep); err != nil {
		return cli.Answer{}, err
	}
	err = m.Change(ctx, func(reg *registry.Registry) error { return reg.ForgetDatabase(ctx, d.Tenant) })
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	return cli.Answer{Value: orphanRemoval(d, !keep)}, err
}
