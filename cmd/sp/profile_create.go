package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/workspace"
	"github.com/urfave/cli/v3"
)

// providers are those whose API keys a new profile is asked for, as secrets.json calls them.
var providers = []string{"gemini", "anthropic", "openai"}

func (a *app) profileCreateCommand() *cli.Command {
	flags := []cli.Flag{stringFlag("tenant", "of the tenant `ID`, not the selected one")}
	flags = append(flags, secretFlags("database-url", "the database `URL` of a tenant that has none yet")...)
	for _, provider := range providers {
		flags = append(flags, stringFlag(provider+"-key-file", "its API key, read from `FILE`"))
	}
	return &cli.Command{
		Name:      "create",
		Usage:     "create a profile of the selected tenant, with its files",
		ArgsUsage: "NAME",
		Description: "Makes profiles/NAME/ with profile.yaml and secrets.json. At a terminal it asks for what\n" +
			"no flag gives, unless -y takes that as it is. sp secrets set adds other keys.\n\n" +
			"  sp profile create production --tenant my-project-prod",
		Flags: append(flags, &cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "ask for nothing"}, a.noExportFlag()),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			if err := registry.CheckProfileName(cmd.Args().First()); err != nil {
				return err
			}
			var n registry.NewProfile
			if err := a.untilTold(ctx, func(ctx context.Context) (err error) {
				n, err = a.newProfile(ctx, cmd)
				return err
			}); err != nil {
				return err
			}
			return a.changeProfile(ctx, a.others(nil), "created", func(ctx context.Context, reg *registry.Registry) (registry.Profile, error) {
				return reg.CreateProfile(ctx, n)
			})
		},
	}
}

// newProfile gathers what flags, stdin and answers say of a new profile.
func (a *app) newProfile(ctx context.Context, cmd *cli.Command) (n registry.NewProfile, err error) {
	n.Name = cmd.Args().First()
	if n.DatabaseURL, err = a.secret(ctx, cmd, "database-url"); err != nil {
		return n, err
	}
	if n.DatabaseURL != nil {
		a.warnOfArgument(cmd, "database-url", *n.DatabaseURL)
	}
	for _, provider := range providers {
		key, err := a.secret(ctx, cmd, provider+"-key")
		if err != nil {
			return n, err
		}
		if key != nil {
			n.Secrets = append(n.Secrets, registry.ProfileSecret{Key: provider, Value: *key})
		}
	}
	if err := a.completeProfile(ctx, cmd, &n); err != nil {
		return n, err
	}
	jwt, err := follow.NewJWTSecret(a.random)
	n.Secrets = append(n.Secrets, registry.ProfileSecret{Key: "jwt_secret", Value: jwt})
	return n, err
}

// completeProfile finds the tenant, and asks for what is not given; while it asks,
// nothing of the registry is being read, for that would keep others waiting.
func (a *app) completeProfile(ctx context.Context, cmd *cli.Command, n *registry.NewProfile) error {
	asks := !cmd.Bool("yes") && !a.json && a.terminal(int(a.stdin.Fd())) && a.terminal(int(a.stderr.Fd()))
	selected, err := a.checkNewProfile(ctx, n.Name)
	if err != nil {
		return err
	}
	ref := optional(cmd, "tenant")
	typed := ref == nil && asks
	if typed {
		if ref, err = a.askTenant(ctx, selected); err != nil {
			return err
		}
	}
	var t registry.Tenant
	err = a.read(ctx, func(dir project.Dir, view *registry.View) error {
		if ref == nil {
			t, err = view.TenantOrSelected(ctx, nil)
		} else {
			t, err = view.FindTenant(ctx, *ref)
		}
		if typed && errors.Is(err, registry.ErrNotFound) { // it may be a secret, at the wrong question
			err = withHint(fmt.Errorf("the tenant that was typed: %w", registry.ErrNotFound), "sp tenant list")
		}
		if n.Tenant = &t.ID; err == nil {
			err = checkPlace(ctx, dir, view, *n, ref != nil)
		}
		return err
	})
	if err != nil || !asks {
		return err
	}
	return a.askSecrets(ctx, t, n)
}

// checkNewProfile refuses a name that is taken, and returns the selected tenant, nil if
// there is none.
func (a *app) checkNewProfile(ctx context.Context, name string) (selected *registry.TenantID, err error) {
	err = a.read(ctx, func(_ project.Dir, view *registry.View) error {
		if _, err := view.Profile(ctx, name); err == nil {
			return fmt.Errorf("profile %s: %w", name, registry.ErrExists)
		}
		if selected, err = view.SelectedTenant(ctx); err != nil {
			selected = nil // it was deleted; any other may be named
		}
		return nil
	})
	return selected, err
}

// checkPlace refuses a profile whose files are there and somebody's. A profile.yaml, which
// is meant to be shared, is taken over: its tenant may be one of another machine, but not
// another one of this registry.
func checkPlace(ctx context.Context, dir project.Dir, view *registry.View, n registry.NewProfile, chosen bool) error {
	file, named, err := workspace.FilesOf(dir).Taken(n.Name)
	if err == nil && file != "" {
		err = withHint(fmt.Errorf("profile %s: %s: %w", n.Name, file, registry.ErrExists), "sp import takes it; or move it away")
	}
	if err != nil || named == nil || *named == *n.Tenant {
		return err
	}
	file = dir.Full(follow.ProfilePath(n.Name))
	_, err = view.Tenant(ctx, *named)
	isElsewhere := errors.Is(err, registry.ErrNotFound)
	id := project.Quoted(string(*named))
	switch {
	case err != nil && !isElsewhere:
		return err
	case isElsewhere && (chosen || registry.IsLocalID(*named)):
		return nil
	case isElsewhere:
		return withHint(fmt.Errorf("profile %s: %s names a tenant that is not here: %w", n.Name, file, registry.ErrConflict),
			"sp profile create %s --tenant ID says which one it is here", n.Name)
	}
	return withHint(fmt.Errorf("profile %s: %s names tenant %s: %w", n.Name, file, id, registry.ErrConflict),
		"sp profile create %s --tenant %s", n.Name, id)
}

// askTenant asks which tenant the profile is for, nil for the selected one.
func (a *app) askTenant(ctx context.Context, selected *registry.TenantID) (*string, error) {
	question := "tenant"
	if selected != nil {
		question += fmt.Sprintf(" (Enter for %s)", *selected)
	}
	answer, err := a.ask(ctx, question)
	if err != nil || answer == "" {
		return nil, err
	}
	return &answer, nil
}

// askSecrets asks for the URL that the tenant lacks, and for the keys that no flag gave.
func (a *app) askSecrets(ctx context.Context, t registry.Tenant, n *registry.NewProfile) error {
	if !t.HasDatabaseURL() && n.DatabaseURL == nil {
		url, err := a.askSecret(ctx, fmt.Sprintf("database URL of %s (Enter for none yet)", t))
		if err != nil {
			return err
		}
		n.DatabaseURL = url
	} else if n.DatabaseURL == nil {
		a.note("database URL: that of tenant %s", t)
	}
	for _, provider := range providers {
		given := func(s registry.ProfileSecret) bool { return s.Key == provider }
		if slices.ContainsFunc(n.Secrets, given) {
			continue
		}
		key, err := a.askSecret(ctx, "API key for "+provider+" (Enter for none)")
		if err != nil {
			return err
		}
		if key != nil {
			n.Secrets = append(n.Secrets, registry.ProfileSecret{Key: provider, Value: *key})
		}
	}
	return nil
}
