package main

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
)

// editable are the members that an edit can clear, and the flags that set them.
var editable = []string{"app-id", "hostname", "region", "database-url", "internal-database-url", "sync-token", "shared-container-db"}

func (a *app) tenantEditCommand() *cli.Command {
	flags := []cli.Flag{
		stringFlag("name", "what people call it"),
		stringFlag("app-id", "its application in the cloud"),
		stringFlag("hostname", "where it is deployed"),
		stringFlag("region", "where in the world"),
		stringFlag("shared-container-db", "the `NAME` of its database in a shared container"),
		boolFlag("external-db-access", "connections from outside are taken (=false: not)"),
		boolFlag("allow-duplicate-name", "though another tenant has that name"),
		&cli.StringSliceFlag{Name: "clear", Usage: "take `MEMBERS` away, with commas between"},
		purgeFlag(),
		a.noExportFlag(),
	}
	flags = append(flags, secretFlags("database-url", "the `URL` of its database")...)
	flags = append(flags, secretFlags("internal-database-url", "the `URL` for a cloud tenant's own side")...)
	flags = append(flags, secretFlags("sync-token", "the `TOKEN` that authorises synchronisation")...)
	return &cli.Command{
		Name:      "edit",
		Usage:     "change a tenant; its id and type stay",
		ArgsUsage: "ID",
		Description: "--clear takes " + strings.Join(editable[:4], ", ") + ",\n" + strings.Join(editable[4:], ", ") + ".\n\n" +
			"  sp tenant edit local_19bff27604c --database-url-file url.txt --clear region,hostname",
		Flags: flags,
		Action: func(ctx context.Context, cmd *cli.Command) error {
			edit, err := a.tenantEdit(ctx, cmd)
			if err != nil {
				return err
			}
			return a.editTenant(ctx, cmd.Args().First(), edit)
		},
	}
}

// tenantEdit reads the flags of an edit, all but the tenant's id.
func (a *app) tenantEdit(ctx context.Context, cmd *cli.Command) (e registry.TenantEdit, err error) {
	cleared := cmd.StringSlice("clear")
	if err := checkCleared(cmd, cleared); err != nil {
		return e, err
	}
	text := func(name string) registry.Optional[string] {
		return registry.Optional[string]{Set: optional(cmd, name), Clear: slices.Contains(cleared, name)}
	}
	secret := func(name string) registry.Optional[secret.Secret] {
		value, problem := a.secret(ctx, cmd, name)
		if value != nil {
			a.warnOfArgument(cmd, name, *value)
		}
		err = cmp.Or(err, problem)
		return registry.Optional[secret.Secret]{Set: value, Clear: slices.Contains(cleared, name)}
	}
	e = registry.TenantEdit{
		Name:                optional(cmd, "name"),
		AppID:               text("app-id"),
		Hostname:            text("hostname"),
		Region:              text("region"),
		DatabaseURL:         secret("database-url"),
		InternalDatabaseURL: secret("internal-database-url"),
		SyncToken:           secret("sync-token"),
		SharedContainerDB:   text("shared-container-db"),
	}
	if cmd.IsSet("external-db-access") {
		access := cmd.Bool("external-db-access")
		e.ExternalDBAccess = &access
	}
	if err == nil && e == (registry.TenantEdit{}) {
		err = withHint(usage("tenant edit: nothing to change"), "sp tenant edit --help lists what can be")
	}
	e.AllowDuplicateName, e.Purge = cmd.Bool("allow-duplicate-name"), cmd.Bool("purge")
	return e, err
}

// checkCleared refuses what can't be taken away, or is set as well.
func checkCleared(cmd *cli.Command, cleared []string) error {
	for _, name := range cleared {
		if !slices.Contains(editable, name) {
			return usage("--clear: one of %s", strings.Join(editable, ", "))
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
	for _, name := range []string{"database-url-stdin", "internal-database-url-stdin", "sync-token-stdin"} {
		if cmd.Bool(name) {
			n++
		}
	}
	return n
}

func (a *app) editTenant(ctx context.Context, word string, edit registry.TenantEdit) error {
	var t registry.Tenant
	var changed []string
	var alike []registry.TenantID
	err := a.change(ctx, a.tenants(func(ctx context.Context, reg *registry.Registry) (err error) {
		if edit.ID, err = findID(ctx, reg, word); err != nil {
			return err
		}
		if edit.Name != nil {
			if alike, err = lookalikes(ctx, reg, *edit.Name); err != nil {
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
