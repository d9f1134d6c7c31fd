package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
)

// flagOf is the flag of a member of the record.
func flagOf(m *registry.Member) string { return strings.ReplaceAll(m.Name, "_", "-") }

// clearable are the flags of the members that an edit can take away.
func clearable() (flags []string) {
	for _, m := range registry.Members {
		if m.Optional && !m.Fixed {
			flags = append(flags, flagOf(m))
		}
	}
	return flags
}

// memberFlags are those of the members that an edit can set: the secrets apart.
func memberFlags() (plain, secrets []cli.Flag) {
	var truths []cli.Flag
	for _, m := range registry.Members {
		switch {
		case m.Fixed:
		case m.Truth:
			truths = append(truths, boolFlag(flagOf(m), m.About))
		case m.Secret:
			secrets = append(secrets, secretFlags(flagOf(m), m.About)...)
		default:
			plain = append(plain, stringFlag(flagOf(m), m.About))
		}
	}
	return append(plain, truths...), secrets
}

func (a *app) tenantEditCommand() *cli.Command {
	flags, secrets := memberFlags()
	flags = append(flags,
		boolFlag("allow-duplicate-name", "though another tenant has that name"),
		&cli.StringSliceFlag{Name: "clear", Usage: "take `MEMBERS` away, with commas between"},
		purgeFlag(),
		a.noExportFlag(),
	)
	can := clearable()
	return &cli.Command{
		Name:      "edit",
		Usage:     "change a tenant; its id and type stay",
		ArgsUsage: "ID",
		Description: "--clear takes " + strings.Join(can[:4], ", ") + ",\n" + strings.Join(can[4:], ", ") + ".\n\n" +
			"  sp tenant edit local_19bff27604c --database-url-file url.txt --clear region,hostname",
		Flags: append(flags, secrets...),
		Action: func(ctx context.Context, cmd *cli.Command) error {
			edit, err := a.tenantEdit(ctx, cmd)
			if err != nil {
				return err
			}
			return a.editTenant(ctx, cmd, edit)
		},
	}
}

// tenantEdit reads the flags of an edit, all but the tenant's id.
func (a *app) tenantEdit(ctx context.Context, cmd *cli.Command) (e registry.TenantEdit, err error) {
	cleared := cmd.StringSlice("clear")
	if err := checkCleared(cmd, cleared); err != nil {
		return e, err
	}
	e.Set = map[string]*secret.Secret{}
	for _, m := range registry.Members {
		value, err := a.memberGiven(ctx, cmd, m)
		if err != nil {
			return e, err
		}
		if value != nil || slices.Contains(cleared, flagOf(m)) {
			e.Set[m.Name] = value
		}
	}
	if len(e.Set) == 0 {
		return e, withHint(usage("tenant edit: nothing to change"), "sp tenant edit --help lists what can be")
	}
	e.AllowDuplicateName, e.Purge = cmd.Bool("allow-duplicate-name"), cmd.Bool("purge")
	return e, nil
}

// memberGiven is what the flags of a member say, nil for nothing.
func (a *app) memberGiven(ctx context.Context, cmd *cli.Command, m *registry.Member) (*secret.Secret, error) {
	name := flagOf(m)
	if m.Secret {
		value, err := a.secret(ctx, cmd, name)
		if value != nil {
			a.warnOfArgument(cmd, name, *value)
		}
		return value, err
	}
	if m.Fixed || !cmd.IsSet(name) {
		return nil, nil
	}
	value := secret.New(fmt.Sprint(cmd.Value(name)))
	return &value, nil
}

// checkCleared refuses what can't be taken away, or is set as well.
func checkCleared(cmd *cli.Command, cleared []string) error {
	can := clearable()
	for _, name := range cleared {
		if !slices.Contains(can, name) {
			return usage("--clear: one of %s", strings.Join(can, ", "))
		}
		if cmd.IsSet(name) || cmd.IsSet(name+"-stdin") || cmd.IsSet(name+"-file") {
			return usage("--%s and --clear %s", name, name)
		}
	}
	if stdins(cmd) > 1 {
		return usage("only one value can be read from stdin")
	}
	return nil
}

func stdins(cmd *cli.Command) int {
	n := 0
	for _, m := range registry.Members {
		if m.Secret && cmd.Bool(flagOf(m)+"-stdin") {
			n++
		}
	}
	return n
}

func (a *app) editTenant(ctx context.Context, cmd *cli.Command, edit registry.TenantEdit) error {
	var t registry.Tenant
	var changed []string
	var alike []registry.TenantID
	err := a.change(ctx, a.tenants(func(ctx context.Context, reg *registry.Registry) (err error) {
		if edit.ID, err = findID(ctx, reg, cmd.Args().First()); err != nil {
			return err
		}
		if cmd.IsSet("name") {
			if alike, err = lookalikes(ctx, reg, cmd.String("name")); err != nil {
				return err
			}
		}
		t, changed, err = reg.UpdateTenant(ctx, edit)
		return err
	}))
	if !made(err) {
		return err
	}
	a.warnOfLookalikes(t, alike)
	if len(changed) == 0 {
		a.note("tenant %s: nothing changed", t)
	} else {
		a.note("tenant %s changed: %s", t, strings.Join(changed, ", "))
	}
	if a.json {
		err = cmp.Or(err, a.document(map[string]any{"id": t.ID, "changed": append([]string{}, changed...)}))
	}
	return err
}
