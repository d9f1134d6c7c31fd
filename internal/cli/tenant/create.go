package tenant

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

func createCommand() *cli.Command {
	return &cli.Command{
		Name:  "create",
		Usage: "make a tenant with its own database, and print its id",
		Description: "  sp tenant create --type local --name my-project\n" +
			"  sp tenant create --region iad --name my-project-prod\n\n" +
			"With --region, your control plane makes a cloud tenant; repeat the command to\n" +
			"resume an interrupted creation. Otherwise the tenant is local. If you give no\n" +
			"database URL, sp makes a database: on the server that --server names, on the one\n" +
			"that it runs for this project, in Docker, or with this machine's PostgreSQL.",
		Flags: createFlags(),
		Run:   task.Run(create),
	}
}

func createFlags() []cli.Flag {
	flags := []cli.Flag{
		cli.Choice("type", "where it runs (default local)", string(registry.Local), string(registry.Cloud)),
		cli.String("name", "NAME", "its name"),
		cli.String("id", "ID", "its id (default: local_ and the time)"),
		cli.String("region", "REGION", "make a cloud tenant in this region, such as iad"),
		cli.String("shared-container-db", "NAME", "the name of its database in a shared container"),
		cli.Bool("external-db-access", "its database accepts connections from outside"),
		cli.Bool("allow-duplicate-name", "allow a name that another tenant has"),
		cli.Bool("select", "select it, even if another tenant is selected"),
		cli.Bool("no-database", "make no database yet (sp tenant provision)"),
		cli.Bool("no-check", "store the URL without trying it"),
		task.SetAside(), task.NoExport(),
	}
	flags = append(flags, cli.SecretFlags("database-url", "URL", "an existing database: postgres://USER:PASSWORD@HOST/DB")...)
	return slices.Concat(flags, extrasFlags(), task.ServerFlags())
}

func create(ctx context.Context, t *task.Task) (cli.Answer, error) {
	switch {
	case t.String("type") == string(registry.Local) && t.IsSet("region"):
		return cli.Answer{}, cli.Usage("tenant create: --region is for a cloud tenant, and --type local asks for a local one")
	case t.String("type") == string(registry.Cloud) || t.IsSet("region"):
		return createCloud(ctx, t)
	case t.Bool("database-url-stdin") && t.Bool("server-stdin"):
		return cli.Answer{}, errEither
	}
	if err := checkExtras(t); err != nil {
		return cli.Answer{}, err
	}
	w, err := t.WantedServer(ctx)
	if err != nil {
		return cli.Answer{}, err
	}
	n, err := newTenant(ctx, t, w)
	if err != nil {
		return cli.Answer{}, err
	}
	if err := checkWanted(ctx, t, n, w); err != nil {
		return cli.Answer{}, err
	}
	var answer cli.Answer
	err = t.UntilTold(ctx, func(ctx context.Context) (err error) {
		if n.Tenant.DatabaseURL != nil || t.Bool("no-database") {
			answer, err = store(ctx, t, n)
		} else {
			answer, err = host(ctx, t, n, w)
		}
		return err
	})
	return answer, adviseTaken(t, err)
}

// adviseTaken adds what helps where another tenant has the name.
func adviseTaken(t *task.Task, err error) error {
	switch {
	case !errors.Is(err, registry.ErrExists) || t.IsSet("id"):
	case errors.As(err, new(interface{ Namesake() registry.TenantID })):
		err = cli.Hint(err, "--name with another name, or --allow-duplicate-name")
	default:
		err = cli.Hint(err, "--name with another name")
	}
	return err
}

// errEither refuses two answers to where the database is.
var errEither = cli.Usage("tenant create: either the URL of a database, or where to make one")

// checkWanted refuses flags that contradict each other, and a database that refuses its login.
func checkWanted(ctx context.Context, t *task.Task, n registry.NewTenant, w hosting.Wanted) error {
	switch given := n.Tenant.DatabaseURL != nil; {
	case given && (t.Bool("no-database") || w.Provider != "" && w.Provider != task.ByURL):
		return errEither
	case !given && w.Provider == task.ByURL:
		return cli.Hint(cli.Usage("tenant create: --provider url: which database?"), "--database-url-stdin")
	case t.Bool("no-database") && w.Provider != "":
		return cli.Usage("tenant create: either --no-database, or where to make one")
	case !wantedExtras(t).None() && (given || t.Bool("no-database")):
		return cli.Usage("tenant create: --%s and --%s are for a database that sp makes", extensionFlag, createdbFlag)
	case given && !t.Bool("no-check"):
		return t.CheckAdopted(ctx, *n.Tenant.DatabaseURL)
	}
	return nil
}

// newTenant is the tenant that the flags describe. At a terminal, what is not given is asked for.
func newTenant(ctx context.Context, t *task.Task, w hosting.Wanted) (n registry.NewTenant, err error) {
	url, err := t.Secret(ctx, "database-url")
	if err != nil {
		return n, err
	}
	name := t.String("name")
	n.AllowDuplicateName, n.Select, n.SelectFirst = t.Bool("allow-duplicate-name"), t.Bool("select"), true
	if !t.IsSet("name") {
		if name, err = askName(ctx, t, n.AllowDuplicateName); err != nil {
			return n, err
		}
		if url == nil && w.Provider == "" && !t.Bool("no-database") {
			if url, err = askURL(ctx, t); err != nil {
				return n, err
			}
		}
	}
	if url != nil {
		t.WarnOfArgument("database-url", *url)
	}
	n.Tenant = newLocal(registry.TenantID(t.String("id")), name, url, t.Optional("shared-container-db"))
	n.Tenant.ExternalDBAccess = t.Bool("external-db-access")
	return n, n.Check() // before anything is made for it
}

// newLocal is a local tenant, whose database may be yet to be made.
func newLocal(id registry.TenantID, name string, url *secret.Secret, shared *string) (t registry.Tenant) {
	var given secret.Secret
	if url != nil {
		given = *url
	}
	if shared == nil {
		t = registry.NewLocal(id, name, given)
	} else {
		t = registry.NewLocalShared(id, name, given, *shared)
	}
	t.DatabaseURL = url
	return t
}

// store registers a tenant, in a new registry where there is none.
func store(ctx context.Context, t *task.Task, n registry.NewTenant) (cli.Answer, error) {
	var made record
	var alike []registry.TenantID
	_, err := t.ChangeNew(ctx, t.Existing(), t.Tenants(func(ctx context.Context, reg *registry.Registry) (err error) {
		if alike, err = lookalikes(ctx, reg, n.Tenant.Name); err != nil {
			return err
		}
		created, err := reg.CreateTenant(ctx, n)
		if err != nil {
			return err
		}
		made, err = recordIn(ctx, reg, created)
		return err
	}))
	if !task.Made(err) {
		return cli.Answer{}, err
	}
	answer, problem := created(ctx, t, made, alike)
	return answer, cmp.Or(err, problem)
}

// host registers a tenant, and makes its database on a server.
func host(ctx context.Context, t *task.Task, n registry.NewTenant, w hosting.Wanted) (answer cli.Answer, err error) {
	s, err := serverForNew(ctx, t, w)
	if err == nil {
		err = t.MakeRegistry(ctx, t.Existing())
	}
	if err != nil {
		return cli.Answer{}, err
	}
	err = t.InSteps(ctx, t.Tenants, func(ctx context.Context, m *hosting.Machine) (err error) {
		answer, err = hostOn(ctx, t, m, n, s)
		return err
	})
	return answer, err
}

// serverForNew is the server to make a database on: nothing is made where it does not answer.
func serverForNew(ctx context.Context, t *task.Task, w hosting.Wanted) (registry.Server, error) {
	known, err := t.KnownServers(ctx)
	if err != nil {
		return registry.Server{}, err
	}
	s, err := t.FindServer(ctx, w, known)
	if err == nil && !s.IsOwn() {
		err = t.Machine(project.Dir{}, nil).Answers(ctx, s)
	}
	return s, err
}

func hostOn(ctx context.Context, t *task.Task, m *hosting.Machine, n registry.NewTenant, s registry.Server) (cli.Answer, error) {
	var alike []registry.TenantID
	err := m.Read(ctx, func(view *registry.View) (err error) {
		alike, err = view.Lookalikes(ctx, n.Tenant.Name)
		return err
	})
	if err != nil {
		return cli.Answer{}, err
	}
	x := wantedExtras(t)
	c, err := m.Create(ctx, n, s, x)
	if task.Made(err) && s.IsOwn() && s.Admin.Empty() && t.IsTerminal() && !t.JSON {
		t.Note("PostgreSQL was started for this project (%s); %s tells of it", s.Provider, cli.To("sp db status"))
	}
	tellMade(t, c, x, err)
	if !task.Made(err) {
		return cli.Answer{}, adviseExtension(err, "")
	}
	made, problem := recordAfter(ctx, t, c.Tenant.ID)
	if made.Tenant.ID == "" {
		made.Tenant = c.Tenant
	}
	answer, outranked := created(ctx, t, made, alike)
	return answer, cmp.Or(err, problem, outranked)
}

// created answers with a tenant that was created: its id alone is a line.
func created(ctx context.Context, t *task.Task, made record, alike []registry.TenantID) (cli.Answer, error) {
	what := "created"
	if made.Selected {
		what = "created and selected"
	}
	t.Note("tenant %s %s", made.Tenant, what)
	if url := made.Tenant.DatabaseURL; url != nil {
		t.TellDrivers(*url)
	}
	warnOfLookalikes(t, made.Tenant, alike)
	if made.Database != nil {
		tellExtras(t, made.Database, wantedExtras(t))
	}
	if t.IsTerminal() && !t.JSON {
		tellCreated(t, made)
	}
	answer := cli.Line(made, string(made.Tenant.ID))
	if !made.Selected {
		return answer, nil
	}
	return answer, t.TellOutranked(ctx, made.Tenant.ID)
}

// tellCreated says to people where the tenant's database is, and what comes next.
func tellCreated(t *task.Task, made record) {
	if d := made.Database; d != nil && made.Tenant.DatabaseURL != nil {
		t.Note("its database %s is on server %s: %s", d.Name, d.Server, pgurl.Describe(*made.Tenant.DatabaseURL))
	}
	next := cli.To("sp profile create", "NAME")
	switch id := string(made.Tenant.ID); {
	case !made.Tenant.HasDatabaseURL():
		next = cli.To("sp tenant provision", id)
	case !made.Selected:
		next = cli.To("sp tenant select", id)
	}
	t.Note("next: %s", next)
}

// lookalikes are the tenants whose names people could take for that one.
func lookalikes(ctx context.Context, reg *registry.Registry, name string) ([]registry.TenantID, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return nil, err
	}
	defer view.Close()
	return view.Lookalikes(ctx, name)
}

func warnOfLookalikes(t *task.Task, tenant registry.Tenant, alike []registry.TenantID) {
	for _, other := range alike {
		if other != tenant.ID {
			t.Note("warning: the name of tenant %s looks the same; its id tells them apart", other)
		}
	}
}
