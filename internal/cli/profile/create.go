package profile

import (
	"context"
	"errors"
	"fmt"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
)

// providers are those whose API keys a new profile is asked for, as secrets.json calls them.
var providers = []string{"gemini", "anthropic", "openai"}

func createCommand() *cli.Command {
	tenant := cli.String("tenant", "ID", "make it for tenant ID, not for the selected one")
	tenant.Kind = task.TenantWord
	flags := append([]cli.Flag{tenant}, cli.SecretFlags("database-url", "URL", "a database URL for a tenant that has none yet")...)
	for _, provider := range providers {
		flags = append(flags, cli.String(provider+"-key-file", "FILE", "the API key, read from FILE"))
	}
	silent := cli.Yes()
	silent.Usage = "ask for nothing"
	return &cli.Command{
		Name:  "create",
		Usage: "create a profile of the selected tenant, with its files",
		Args:  []cli.Arg{{Name: "NAME", Kind: task.NewProfile, Optional: true}},
		Description: "Makes profiles/NAME/ with profile.yaml and secrets.json. At a terminal, sp asks\n" +
			"for everything that you did not give, including the name; -y skips the\n" +
			"questions. Use sp secrets set for other keys.\n\n" +
			"  sp profile create production --tenant my-project-prod",
		Flags: append(flags, silent, task.NoExport()),
		Run:   task.Run(create),
	}
}

func create(ctx context.Context, t *task.Task) (cli.Answer, error) {
	if err := t.RefuseBoth(t.Arg(0)); err != nil {
		return cli.Answer{}, err
	}
	var n registry.NewProfile
	err := t.UntilTold(ctx, func(ctx context.Context) (err error) {
		n, err = newProfile(ctx, t)
		return err
	})
	if err != nil {
		return cli.Answer{}, err
	}
	answer, err := change(ctx, t, t.Others(nil), created, func(ctx context.Context, reg *registry.Registry) (registry.Profile, error) {
		return reg.CreateProfile(ctx, n)
	})
	if task.Made(err) && n.DatabaseURL != nil {
		t.TellDrivers(*n.DatabaseURL)
	}
	return answer, err
}

// newProfile gathers what flags, stdin and answers say of a new profile.
func newProfile(ctx context.Context, t *task.Task) (n registry.NewProfile, err error) {
	n.UseFirst = true
	if n.Name, err = newName(ctx, t); err != nil {
		return n, err
	}
	if n.DatabaseURL, err = t.Secret(ctx, "database-url"); err != nil {
		return n, err
	}
	if n.DatabaseURL != nil {
		t.WarnOfArgument("database-url", *n.DatabaseURL)
	}
	for _, provider := range providers {
		key, err := t.Secret(ctx, provider+"-key")
		if err != nil {
			return n, err
		}
		if key != nil {
			n.Secrets = append(n.Secrets, registry.ProfileSecret{Key: provider, Value: *key})
		}
	}
	if err := complete(ctx, t, &n); err != nil {
		return n, err
	}
	jwt, err := follow.NewJWTSecret(t.Random)
	n.Secrets = append(n.Secrets, registry.ProfileSecret{Key: "jwt_secret", Value: jwt})
	return n, err
}

// complete finds the tenant, and asks for what is not given; while it asks, nothing of the registry
// is being read, for that would keep others waiting.
func complete(ctx context.Context, t *task.Task, n *registry.NewProfile) error {
	known, err := knownTenants(ctx, t, n.Name)
	if err != nil {
		return err
	}
	asks := !t.Bool("yes") && t.CanAsk()
	ref := t.Optional("tenant")
	if ref == nil && asks {
		if ref, err = known.ask(ctx, t); err != nil {
			return err
		}
	}
	var tenant registry.Tenant
	err = t.Read(ctx, func(dir project.Dir, view *registry.View) (err error) {
		tenant, err = tenantFor(ctx, view, ref)
		if n.Tenant = &tenant.ID; err == nil {
			err = checkPlace(ctx, dir, view, *n, ref != nil)
		}
		return err
	})
	if err != nil || !asks {
		return err
	}
	return askSecrets(ctx, t, tenant, n)
}

// tenantFor is the tenant that a word means, else the selected one.
func tenantFor(ctx context.Context, view *registry.View, word *string) (registry.Tenant, error) {
	if word == nil {
		return view.TenantOrSelected(ctx, nil)
	}
	return view.FindTenant(ctx, *word)
}

// checkPlace refuses a profile whose files are there and somebody's. A profile.yaml, which
// is meant to be shared, is taken over: its tenant may be one of another machine, but not
// another one of this registry.
func checkPlace(ctx context.Context, dir project.Dir, view *registry.View, n registry.NewProfile, chosen bool) error {
	file, named, err := workspace.FilesOf(dir).Taken(n.Name)
	if err == nil && file != "" {
		err = cli.Hint(fmt.Errorf("profile %s: %s: %w", n.Name, file, registry.ErrExists), "%s takes it; or move it away", cli.To("sp import"))
	}
	if err != nil || named == nil || *named == *n.Tenant {
		return err
	}
	file = dir.Full(follow.ProfilePath(n.Name))
	_, err = view.Tenant(ctx, *named)
	isElsewhere := errors.Is(err, registry.ErrNotFound)
	switch {
	case err != nil && !isElsewhere:
		return err
	case isElsewhere && (chosen || registry.IsLocalID(*named)):
		return nil
	case isElsewhere:
		return cli.Hint(fmt.Errorf("profile %s: %s names a tenant that is not here: %w", n.Name, file, registry.ErrConflict),
			"%s says which one it is here", cli.To("sp profile create", n.Name, "--tenant", "ID"))
	}
	return cli.Hint(fmt.Errorf("profile %s: %s names tenant %s: %w", n.Name, file, cli.Quoted(string(*named)), registry.ErrConflict),
		"%s", cli.To("sp profile create", n.Name, "--tenant", string(*named)))
}
