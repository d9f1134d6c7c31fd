package main

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/resolver"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
)

func (a *app) secretsCommands() *cli.Command {
	return group("secrets", "set, list, get, unset and import the secrets of a profile",
		a.secretsSetCommand(), a.secretsListCommand(), a.secretsGetCommand(), a.secretsUnsetCommand(), a.secretsImportCommand())
}

// inProfileFlag names the profile; without it, it is the one in effect.
func inProfileFlag() cli.Flag {
	return stringFlag("profile", "of the profile `NAME`, or of that of a path to a profile.yaml")
}

// profileInEffect returns the profile that a command works in: the flag's, else the one
// that resolve would find.
func (a *app) profileInEffect(ctx context.Context, cmd *cli.Command, dir project.Dir, view *registry.View) (registry.Profile, error) {
	request := a.request(cmd)
	request.ReadProfile = a.profileReader(dir)
	p, err := resolver.Profile(ctx, view, request)
	if err != nil {
		err = adviseResolving(err)
	}
	return p, err
}

// profileToChange is profileInEffect for a command that then changes it.
func (a *app) profileToChange(ctx context.Context, cmd *cli.Command) (p registry.Profile, err error) {
	err = a.read(ctx, func(dir project.Dir, view *registry.View) (err error) {
		p, err = a.profileInEffect(ctx, cmd, dir, view)
		return err
	})
	return p, err // nothing is held while somebody types
}

// profileSecret is a secret as secrets.json of a profile has it: the profile's own, or
// one of its tenant, which follows that.
type profileSecret struct {
	Name    string            `json:"name"`
	Of      string            `json:"of"` // profile or tenant
	Profile string            `json:"profile"`
	Tenant  registry.TenantID `json:"tenant_id"`
	value   secret.Secret
	isURL   bool
}

// secretsOf returns the secrets of a profile and those of its tenant, in order of name.
func secretsOf(ctx context.Context, view *registry.View, p registry.Profile) ([]profileSecret, error) {
	t, err := view.Tenant(ctx, p.Tenant)
	if err != nil {
		return nil, err
	}
	own, err := view.ProfileSecrets(ctx, p.Name)
	if err != nil {
		return nil, err
	}
	var all []profileSecret
	for _, s := range own {
		all = append(all, profileSecret{Name: s.Key, Of: "profile", Profile: p.Name, Tenant: t.ID, value: s.Value})
	}
	for _, m := range registry.Members {
		if s := m.SecretOf(&t); s != nil && !s.Empty() {
			all = append(all, profileSecret{Name: m.Name, Of: "tenant", Profile: p.Name, Tenant: t.ID, value: *s, isURL: m.URL})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all, nil
}

// where says whose the secret is.
func (s profileSecret) where() string {
	if s.Of == "tenant" {
		return "tenant " + string(s.Tenant)
	}
	return "profile " + s.Profile
}

// shown is the value, or what hides it.
func (s profileSecret) shown(how showing) string {
	if s.isURL {
		return *how.url(&s.value)
	}
	return *how.token(&s.value)
}

func (a *app) secretsListCommand() *cli.Command {
	return &cli.Command{
		Name:        "list",
		Usage:       "list the names of a profile's secrets, and where each applies",
		Description: "Columns: name, the profile or the tenant. Those of the tenant follow it: sp tenant edit.",
		Flags:       []cli.Flag{inProfileFlag(), limitFlag(), stringFlag("after", "only rows behind `NAME`")},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			page, err := pageOf(cmd)
			if err != nil {
				return err
			}
			return a.withSecrets(ctx, cmd, func(_ registry.Profile, all []profileSecret) error {
				all = slices.DeleteFunc(all, func(s profileSecret) bool { return page.After != "" && s.Name <= page.After })
				if page.Limit > 0 {
					all = all[:min(page.Limit, len(all))]
				}
				if a.json {
					return a.document(map[string]any{"secrets": append([]profileSecret{}, all...)})
				}
				var rows [][]string
				for _, s := range all {
					rows = append(rows, []string{s.Name, s.where()})
				}
				return a.table("Secrets", rowsOf(rows...))
			})
		},
	}
}

// withSecrets runs fn on the secrets of the profile in effect.
func (a *app) withSecrets(ctx context.Context, cmd *cli.Command, fn func(registry.Profile, []profileSecret) error) error {
	return a.read(ctx, func(dir project.Dir, view *registry.View) error {
		p, err := a.profileInEffect(ctx, cmd, dir, view)
		if err != nil {
			return err
		}
		all, err := secretsOf(ctx, view, p)
		if err != nil {
			return err
		}
		return fn(p, all)
	})
}

func (a *app) secretsGetCommand() *cli.Command {
	return &cli.Command{
		Name:        "get",
		Usage:       "show a secret, masked unless --reveal",
		ArgsUsage:   "KEY",
		Description: "--reveal prints the value and a line end, and nothing else.\n\n  sp secrets get anthropic --reveal",
		Flags:       []cli.Flag{inProfileFlag(), boolFlag("reveal", "print the value, which is masked otherwise")},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			key, shown := cmd.Args().First(), showing(cmd.Bool("reveal"))
			return a.withSecrets(ctx, cmd, func(p registry.Profile, all []profileSecret) error {
				at := slices.IndexFunc(all, func(s profileSecret) bool { return s.Name == key })
				if at < 0 {
					err := fmt.Errorf("secret %s of profile %s: %w", harmlessWord(key), p.Name, registry.ErrNotFound)
					return withHint(err, "sp secrets list --profile %s", project.Quoted(p.Name))
				}
				return a.tellSecret(all[at], shown)
			})
		},
	}
}

func (a *app) tellSecret(s profileSecret, how showing) error {
	text := s.shown(how)
	if a.json {
		return a.document(struct {
			profileSecret
			Value string `json:"value"`
		}{s, text})
	}
	if a.terminal(int(a.stdout.Fd())) {
		text = printableLines(text) // what a terminal would take for a command
	}
	_, err := fmt.Fprintln(&a.out, text)
	return err
}
