package profile

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
)

func editCommand() *cli.Command {
	name, tenant := cli.String("name", "NAME", "its new name"), cli.String("tenant", "ID", "the id of its new tenant")
	name.Kind, tenant.Kind = task.NewProfile, task.TenantWord
	return &cli.Command{
		Name:  "edit",
		Usage: "rename a profile, give it another tenant, or edit profile.yaml",
		Args:  []cli.Arg{{Name: "NAME", Kind: task.ProfileWord}},
		Description: "The files, the session and the default follow a rename. A profile that is its\n" +
			"tenant's session can't move to another tenant: run sp session logout first.\n" +
			"--set changes single values, and keeps comments and everything else in the file.\n\n" +
			"  sp profile edit local --set server.port=8081 --set runtime.log_level=debug",
		Flags: []cli.Flag{
			name, tenant,
			cli.Strings("set", "KEY=VALUE", "set a value in profile.yaml; may be repeated"),
			task.NoExport(),
		},
		Run: task.Run(edit),
	}
}

func edit(ctx context.Context, t *task.Task) (cli.Answer, error) {
	if err := t.RefuseBoth(t.Arg(0)); err != nil {
		return cli.Answer{}, err
	}
	e := registry.ProfileEdit{Name: *t.Arg(0), NewName: t.Optional("name")}
	ref := t.Optional("tenant")
	edits, err := yamlEdits(t.Strings("set"))
	switch {
	case err != nil:
		return cli.Answer{}, err
	case e.NewName == nil && ref == nil && len(edits) == 0:
		return cli.Answer{}, cli.Hint(cli.Usage("profile edit: nothing to change"), "--name NAME, --tenant ID, --set KEY=VALUE")
	case len(edits) > 0 && t.Defers():
		return cli.Answer{}, cli.Usage("profile edit: --set and --no-export: profile.yaml is where the value is kept")
	}
	c := t.Others(nil)
	if len(edits) > 0 {
		c.Edits = map[string][]follow.YAMLEdit{nameAfter(e): edits}
	}
	return change(ctx, t, c, "changed", func(ctx context.Context, reg *registry.Registry) (registry.Profile, error) {
		if ref != nil {
			if e.Tenant, err = findID(ctx, reg, *ref); err != nil {
				return registry.Profile{}, err
			}
		}
		p, err := reg.UpdateProfile(ctx, e)
		if errors.Is(err, registry.ErrInUse) {
			err = cli.Hint(err, "%s ends that session", cli.To("sp session logout", "--profile", e.Name))
		}
		return p, err
	})
}

// nameAfter is what a profile is called when it was edited.
func nameAfter(e registry.ProfileEdit) string {
	if e.NewName != nil {
		return *e.NewName
	}
	return e.Name
}

// findID returns the id of the tenant that a word means.
func findID(ctx context.Context, reg *registry.Registry, word string) (id *registry.TenantID, err error) {
	err = task.InView(ctx, reg, func(view *registry.View) error {
		t, err := view.FindTenant(ctx, word)
		id = &t.ID
		return err
	})
	return id, err
}

// ownKeys are what other flags and commands set, with what the registry knows.
var ownKeys = map[string]string{
	"name": "--name", "cloud.tenant_id": "--tenant",
	"cloud.tenants_path": "", "cloud.credentials_path": "", "secrets.secrets_path": "",
}

// yamlEdits reads KEY=VALUE words: a number is one, true and false are truth values, all
// else is text.
func yamlEdits(words []string) (edits []follow.YAMLEdit, err error) {
	for _, word := range words {
		key, value, found := strings.Cut(word, "=")
		path := strings.Split(key, ".")
		flag, own := ownKeys[key]
		switch {
		case !found || slices.Contains(path, "") || strings.Contains(key, "://") || pgurl.IsConnection(key):
			return nil, cli.Hint(cli.Usage("--set: not KEY=VALUE"), "such as --set server.port=8081")
		case own && flag == "":
			return nil, cli.Usage("--set %s: sp keeps that file where it is", key)
		case own:
			return nil, cli.Hint(cli.Usage("--set %s: the registry knows it", key), "%s changes it", flag)
		case pgurl.IsConnection(value) || strings.Contains(value, "://") && strings.Contains(value, "@"):
			return nil, cli.Hint(cli.Usage("--set %s: a way to a database does not belong in profile.yaml", key), "%s", cli.To("sp tenant edit", "ID", "--database-url-stdin"))
		}
		edits = append(edits, follow.YAMLEdit{Path: path, Value: typedValue(value)})
	}
	return edits, nil
}

func typedValue(text string) any {
	if n, err := strconv.Atoi(text); err == nil && strconv.Itoa(n) == text {
		return n
	}
	if text == "true" || text == "false" {
		return text == "true"
	}
	return text
}
