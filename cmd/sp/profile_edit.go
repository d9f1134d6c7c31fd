package main

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/sp-registry/sp/internal/follow"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/urfave/cli/v3"
)

func (a *app) profileEditCommand() *cli.Command {
	return &cli.Command{
		Name:      "edit",
		Usage:     "rename a profile, link it to another tenant, or set what profile.yaml says",
		ArgsUsage: "NAME",
		Description: "Its files, a session and the default follow a rename. A profile that is a tenant's\n" +
			"session can't leave that tenant: sp session logout first. --set changes single values,\n" +
			"and keeps comments and all else that stands there.\n\n" +
			"  sp profile edit local --set server.port=8081 --set runtime.log_level=debug",
		Flags: []cli.Flag{
			stringFlag("name", "its new `NAME`"), stringFlag("tenant", "its new tenant's `ID`"),
			&cli.StringSliceFlag{Name: "set", Usage: "`KEY=VALUE` in profile.yaml; as often as needed"},
			a.noExportFlag(),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			edit := registry.ProfileEdit{Name: cmd.Args().First(), NewName: optional(cmd, "name")}
			ref := optional(cmd, "tenant")
			edits, err := yamlEdits(cmd.StringSlice("set"))
			switch {
			case err != nil:
				return err
			case edit.NewName == nil && ref == nil && len(edits) == 0:
				return withHint(usage("profile edit: nothing to change"), "--name NAME, --tenant ID, --set KEY=VALUE")
			case len(edits) > 0 && a.noExport:
				return usage("profile edit: --set and --no-export: profile.yaml is where the value is kept")
			}
			return a.editProfile(ctx, edit, ref, edits)
		},
	}
}

func (a *app) editProfile(ctx context.Context, edit registry.ProfileEdit, ref *string, edits []follow.YAMLEdit) error {
	name := edit.Name
	if edit.NewName != nil {
		name = *edit.NewName
	}
	c := a.others(nil)
	if len(edits) > 0 {
		c.Edits = map[string][]follow.YAMLEdit{name: edits}
	}
	return a.changeProfile(ctx, c, "changed", func(ctx context.Context, reg *registry.Registry) (registry.Profile, error) {
		if ref != nil {
			id, err := findID(ctx, reg, *ref)
			if err != nil {
				return registry.Profile{}, err
			}
			edit.Tenant = &id
		}
		return reg.UpdateProfile(ctx, edit)
	})
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
			return nil, withHint(usage("--set: not KEY=VALUE"), "such as --set server.port=8081")
		case own && flag == "":
			return nil, usage("--set %s: sp keeps that file where it is", key)
		case own:
			return nil, withHint(usage("--set %s: the registry knows it", key), "%s changes it", flag)
		case pgurl.IsConnection(value) || strings.Contains(value, "://") && strings.Contains(value, "@"):
			return nil, withHint(usage("--set %s: a way to a database does not belong in profile.yaml", key), "sp tenant edit")
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
