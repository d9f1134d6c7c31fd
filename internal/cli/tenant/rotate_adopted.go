package tenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
)

// rotateAdopted gives the role of a database that sp has not made another password.
func rotateAdopted(ctx context.Context, t *task.Task, m *hosting.Machine, tenant registry.Tenant) (done hosting.Rotated, err error) {
	role, err := m.LookAtAdopted(ctx, tenant)
	if errors.Is(err, hosting.ErrSharedAdmin) {
		err = cli.Hint(err, "give the tenant a role of its own: %s", cli.To("sp tenant edit", string(tenant.ID), "--database-url-stdin"))
	}
	if err == nil {
		err = confirmAdopted(ctx, t, role)
	}
	if err != nil {
		return done, err
	}
	done, err = m.RotateAdopted(ctx, role)
	if !done.Published {
		err = adviseAdopted(err, role)
	}
	return done, task.AdviseLogin(err)
}

// adviseAdopted adds what helps where the password is the old one, or perhaps is.
func adviseAdopted(err error, role hosting.Adopted) error {
	id := string(role.Tenant.ID)
	again := cli.To("sp tenant rotate-credentials", id, "-y")
	switch {
	case errors.Is(err, hosting.ErrUnsettled):
		return cli.Hint(err, "both passwords stay recorded: %s goes on, and finds out which one holds", again)
	case errors.Is(err, hosting.ErrBothRefused):
		return cli.Hint(err, "when the server answers again: %s", again)
	case errors.Is(err, hosting.ErrSetBack) && (role.Pooled || role.PooledElsewhere):
		return cli.Hint(err, "let the pooler look passwords up at the server (auth_query), or rotate at the server's own address: %s",
			cli.To("sp tenant edit", id, "--database-url-stdin"))
	}
	return err
}

func confirmAdopted(ctx context.Context, t *task.Task, role hosting.Adopted) error {
	const behindPooler = "a connection pooler stands before its server: it may refuse the new password, and then the old one is set back"
	question := fmt.Sprintf("change the password of the role that tenants %s log in as at %s? others who use it are shut out",
		task.Listed(role.Tenants), pgurl.Describe(*role.Tenant.OwnURL()))
	for _, other := range role.Perhaps {
		question += fmt.Sprintf("; tenant %s may be one of them", other)
	}
	if !role.Pooled && !role.PooledElsewhere {
		return t.Confirm(ctx, question)
	}
	if t.Bool("yes") {
		t.Note("tenant %s: %s", role.Tenant, behindPooler)
	}
	return t.Confirm(ctx, question+"; "+behindPooler)
}
