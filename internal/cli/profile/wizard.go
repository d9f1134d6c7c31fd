package profile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// maxListed is how many tenants a question lists.
const maxListed = 20

// tenants are those that a new profile can be linked to.
type tenants struct {
	selected *registry.TenantID
	first    []registry.Tenant // as many as a question lists, and one
}

// newName is the name of a new profile: the one that is given, else the answer at a terminal.
func newName(ctx context.Context, t *task.Task) (string, error) {
	if name := t.Arg(0); name != nil {
		return *name, nil
	}
	if t.Bool("yes") || !t.CanAsk() {
		return "", cli.Hint(cli.Usage("%s: NAME is missing", t.Command), "%s", cli.To("sp profile create", "NAME"))
	}
	if err := t.Read(ctx, func(project.Dir, *registry.View) error { return nil }); err != nil {
		return "", err // what is the matter with the registry is no matter of the name
	}
	usual := "local"
	q := cli.Question{What: "Name of the profile", Check: func(name string) error { return checkNew(ctx, t, name) }}
	if checkNew(ctx, t, usual) == nil {
		q.Default = &usual
	}
	return t.Ask(ctx, q)
}

// checkNew refuses a name that sp would not give to a new profile, and one that is taken.
func checkNew(ctx context.Context, t *task.Task, name string) error {
	if err := registry.CheckProfileName(name); err != nil {
		return err
	}
	return t.Read(ctx, func(_ project.Dir, view *registry.View) error {
		_, err := view.Profile(ctx, name)
		switch {
		case err == nil:
			return fmt.Errorf("there is a profile %s already", name)
		case errors.Is(err, registry.ErrNotFound):
			return nil
		}
		return err
	})
}

// knownTenants refuses the name of a profile that is taken, and returns the tenants.
func knownTenants(ctx context.Context, t *task.Task, name string) (known tenants, err error) {
	err = t.Read(ctx, func(_ project.Dir, view *registry.View) error {
		if p, err := view.Profile(ctx, name); err == nil {
			return taken(ctx, t, view, p)
		}
		if known.selected, err = view.SelectedTenant(ctx); err != nil {
			known.selected = nil // it was deleted; any other may be named
		}
		for tenant, err := range view.Tenants(ctx, registry.Page{Limit: maxListed + 1}) {
			if err != nil {
				return err
			}
			known.first = append(known.first, tenant)
		}
		return nil
	})
	return known, err
}

// taken refuses the name of a profile that is there; whose it is is said where that is another tenant.
func taken(ctx context.Context, t *task.Task, view *registry.View, p registry.Profile) error {
	err := fmt.Errorf("profile %s: %w", p.Name, registry.ErrExists)
	wanted, unknown := tenantFor(ctx, view, t.Optional("tenant"))
	owner, unread := view.Tenant(ctx, p.Tenant)
	if unread != nil || unknown == nil && wanted.ID == owner.ID {
		return cli.Hint(err, "%s chooses it, %s changes it", cli.To("sp session switch", p.Name), cli.To("sp profile edit", p.Name))
	}
	return cli.Hint(err, "profile %s belongs to %s; %s", p.Name, cli.Quoted(task.RefOf(owner).Called()), cli.To("sp profile create", "OTHER"))
}

// ask asks which of them a profile is for; nil where there is none.
func (k tenants) ask(ctx context.Context, t *task.Task) (*string, error) {
	if len(k.first) == 0 {
		return nil, nil
	}
	q := cli.Question{What: "Tenant", Default: (*string)(k.selected), Check: func(word string) error { return isTenant(ctx, t, word) }}
	if len(k.first) <= maxListed {
		for _, tenant := range k.first {
			q.Candidates = append(q.Candidates, cli.Candidate{Answer: string(tenant.ID), About: tenant.Name + " (" + string(tenant.Kind) + ")"})
		}
	}
	answer, err := t.Ask(ctx, q)
	return &answer, err
}

// isTenant refuses a word that means no tenant. It is not repeated: it may be a secret, at the wrong
// question.
func isTenant(ctx context.Context, t *task.Task, word string) error {
	return t.Read(ctx, func(_ project.Dir, view *registry.View) error {
		_, err := view.FindTenant(ctx, word)
		if errors.Is(err, registry.ErrNotFound) {
			return errors.New("there is no such tenant")
		}
		return err
	})
}

// askSecrets asks for the URL that the tenant lacks, and for the keys that no flag gave.
func askSecrets(ctx context.Context, t *task.Task, tenant registry.Tenant, n *registry.NewProfile) (err error) {
	switch {
	case n.DatabaseURL != nil:
	case tenant.HasDatabaseURL():
		t.Note("database URL: that of tenant %s", tenant)
	default:
		if n.DatabaseURL, err = askSecret(ctx, t, fmt.Sprintf("Database URL of %s (not shown; Enter for none yet)", tenant), pgurl.Check); err != nil {
			return err
		}
	}
	for _, provider := range providers {
		given := func(s registry.ProfileSecret) bool { return s.Key == provider }
		if slices.ContainsFunc(n.Secrets, given) {
			continue
		}
		key, err := askSecret(ctx, t, "API key for "+provider+" (not shown; Enter for none)", func(value secret.Secret) error {
			return registry.CheckProfileSecret(registry.ProfileSecret{Key: provider, Value: value})
		})
		if err != nil {
			return err
		}
		if key != nil {
			n.Secrets = append(n.Secrets, registry.ProfileSecret{Key: provider, Value: *key})
		}
	}
	return nil
}

// askSecret asks until what is typed can be used; nil where nothing is.
func askSecret(ctx context.Context, t *task.Task, what string, check func(secret.Secret) error) (*secret.Secret, error) {
	for {
		typed, err := t.AskSecret(ctx, what)
		if err != nil || typed == nil {
			return nil, err
		}
		if err = check(*typed); err == nil {
			return typed, nil
		}
		t.Note("%v", err)
	}
}
