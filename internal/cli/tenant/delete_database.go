package tenant

import (
	"context"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
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
		t.Note("%s brings the tenant back with it, as one that is adopted; %s drops it", cli.To("sp undo"), cli.To("sp db psql", "--", "-c", "DROP DATABASE "+d.Name))
		return nil
	}
	return t.DropDatabase(ctx, m, d)
}

// deleteOrphan drops or forgets a database whose tenant is no more: an undo, an import or another
// program took that away.
func deleteOrphan(ctx context.Context, t *task.Task, m *hosting.Machine, of doomed) (cli.Answer, error) {
	d, keep := *of.database, t.Bool("keep-database")
	question := fmt.Sprintf("Forget database %s? It stays on server %s. Its tenant %s is gone.", d.Name, d.Server, d.Tenant)
	if !keep {
		var err error
		if of.others, err = t.OthersHit(ctx, m, d); err != nil {
			return cli.Answer{}, err
		}
		question = fmt.Sprintf("Drop database %s with all that is in it%s? Its tenant %s is gone.", d.Name, of.others, d.Tenant)
	}
	if err := t.Confirm(ctx, question); err != nil {
		return cli.Answer{}, err
	}
	t.TellOthersHit(of.others)
	if err := endDatabase(ctx, t, m, d, keep); err != nil {
		return cli.Answer{}, err
	}
	err := m.Change(ctx, func(reg *registry.Registry) error { return reg.ForgetDatabase(ctx, d.Tenant) })
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	return cli.Answer{Value: orphanRemoval(d, !keep)}, err
}
