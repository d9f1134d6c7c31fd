package work

import (
	"context"
	"fmt"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/postgres"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/provision"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
)

// Psql is `sp psql`.
func Psql() *cli.Command {
	return &cli.Command{
		Name:  "psql",
		Usage: "open psql on the database in effect",
		Description: "psql's own arguments come after --. No secret is among them, because other users\n" +
			"can read arguments. No variable in the environment leads to another database.\n" +
			"If the server is one that sp runs and is stopped, sp starts it.\n\n" +
			"  sp psql my-project -- -c 'SELECT 1'",
		Args:   []cli.Arg{{Name: "TENANT|PROFILE", Kind: task.EitherWord, Optional: true}},
		Flags:  []cli.Flag{task.Network(), task.NoStart()},
		Rest:   "[-- ARGUMENT...]",
		NoJSON: cli.OfProgram,
		Run:    task.Run(psql),
	}
}

func psql(ctx context.Context, t *task.Task) (cli.Answer, error) {
	var c resolver.Connection
	err := t.Read(ctx, func(dir project.Dir, view *registry.View) (err error) {
		c, err = named(ctx, t, dir, view, t.Before())
		return err
	})
	if err != nil {
		return cli.Answer{}, err
	}
	program, err := t.FindPsql()
	if err != nil {
		return cli.Answer{}, err
	}
	if err := refuseStale(ctx, t, c); err != nil {
		return cli.Answer{}, err
	}
	own, err := t.ReachOwn(ctx, c.URL)
	if err == nil && own != nil && *own == postgres.Unseen {
		if err = t.CheckDemandsSCRAM(ctx, program); err == nil {
			err = task.ProveOwn(ctx, c.Tenant, c.URL)
		}
	}
	if err != nil {
		return cli.Answer{}, fmt.Errorf("psql: tenant %s: %w", c.Tenant, err)
	}
	if t.IsTerminal() { // a script was told when the URL was stored
		t.TellDrivers(c.URL)
	}
	return cli.Answer{}, t.BecomePsql(program, c.URL, own != nil)
}

// looks is how long a client waits for a look at whether the password is still good.
const looks = 3 * time.Second

// refuseStale says what helps if the server refuses the password of a cloud tenant: a colleague may have
// rotated it, and of that the client would know nothing. Whatever else is wrong, the client says.
func refuseStale(ctx context.Context, t *task.Task, c resolver.Connection) error {
	if !c.Tenant.IsCloud() || t.Offline() != nil {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, looks)
	defer cancel()
	refused, err := provision.Refuses(within, c.URL)
	if err != nil || !refused {
		return context.Cause(ctx)
	}
	return task.AdviseLogin(&hosting.LoginError{
		Subject: hosting.Subject{Tenant: c.Tenant}, Err: cli.Of(provision.ErrDenied, "wrong password (28P01)"),
	})
}
