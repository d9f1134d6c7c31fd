package database

import (
	"context"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

func useCommand() *cli.Command {
	return &cli.Command{
		Name:  "use",
		Usage: "make the databases of new tenants on an existing server",
		Description: "  sp db use --server-stdin < admin-url.txt\n" +
			"  sp db use --none\n\n" +
			"The URL's role needs the right to make roles and databases (CREATEROLE and\n" +
			"CREATEDB). sp keeps the URL in the registry as long as it has databases there.",
		Flags: append(cli.SecretFlags("server", "URL", "the URL of a role that may make databases"), cli.Bool("none", "stop using that server for new databases")),
		Run:   task.Run(use),
	}
}

// used is the server of new databases, in JSON: null where sp looks for one.
type used struct {
	Server *record `json:"server"`
}

func use(ctx context.Context, t *task.Task) (a cli.Answer, err error) {
	w, err := t.WantedServer(ctx)
	if err != nil {
		return a, err
	}
	given := w.Provider != ""
	if given == t.Bool("none") {
		return a, cli.Usage("db use: either --server-stdin, or --none")
	}
	if !given {
		return useNone(ctx, t)
	}
	err = t.InSteps(ctx, t.Others, func(ctx context.Context, m *hosting.Machine) error {
		a, err = useServer(ctx, t, m, *w.Admin)
		return err
	})
	return a, err
}

func useServer(ctx context.Context, t *task.Task, m *hosting.Machine, admin secret.Secret) (cli.Answer, error) {
	s, err := registry.ServerAt(admin)
	if err != nil {
		return cli.Answer{}, err
	}
	met, err := m.Use(ctx, s)
	t.Tell(met, "")
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	t.Note("new databases are made on server %s", s.Name)
	s.Chosen = true
	r := recordOf(s)
	return cli.Answer{Value: used{&r}}, err
}

func useNone(ctx context.Context, t *task.Task) (cli.Answer, error) {
	err := t.Change(ctx, t.Others(func(ctx context.Context, reg *registry.Registry) error { return reg.ChooseNoServer(ctx) }))
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	t.Note("new databases are made where sp finds a server")
	return cli.Answer{Value: used{}}, err
}
