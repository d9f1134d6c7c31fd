package tenant

import (
	"context"
	"slices"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

func editCommand() *cli.Command {
	can := clearable()
	flags, secrets := memberFlags()
	flags = append(flags,
		cli.Bool("allow-duplicate-name", "allow a name that another tenant has"),
		cli.Strings("clear", "MEMBERS", "remove these members; separate them with commas"),
		offlineEdit(),
		task.Purge(), task.NoExport(),
	)
	return &cli.Command{
		Name:  "edit",
		Usage: "change a tenant, except for its id and type",
		Args:  []cli.Arg{word()},
		Description: "--clear accepts " + strings.Join(can[:4], ", ") + ",\n" + strings.Join(can[4:], ", ") + ".\n\n" +
			aboutExternal + "\n\n" +
			"  sp tenant edit local_1 --database-url-file url.txt --clear region,hostname",
		Flags: append(flags, secrets...),
		Run:   task.Run(editInTurn),
	}
}

// edited is the answer to an edit: the record, and the members that changed.
type edited struct {
	record
	Changed []string
}

// MarshalJSON writes the record and what changed of it.
func (e edited) MarshalJSON() ([]byte, error) {
	return e.With(struct {
		task.Besides
		behind
		Changed []string `json:"changed"`
	}{e.Besides, e.behind, append([]string{}, e.Changed...)})
}

func edit(ctx context.Context, t *task.Task) (cli.Answer, error) {
	wanted, err := editOf(ctx, t)
	if err != nil {
		return cli.Answer{}, err
	}
	asked, err := askExternal(ctx, t, wanted)
	if err != nil {
		return cli.Answer{}, err
	}
	var done edited
	var alike []registry.TenantID
	err = t.Change(ctx, t.Tenants(func(ctx context.Context, reg *registry.Registry) (err error) {
		if wanted.ID, err = findID(ctx, t, reg, *t.Arg(0)); err != nil {
			return err
		}
		if t.IsSet("name") {
			if alike, err = lookalikes(ctx, reg, t.String("name")); err != nil {
				return err
			}
		}
		tenant, changed, err := updateIn(ctx, reg, wanted, asked)
		if err != nil {
			return err
		}
		done.Changed = changed
		done.record, err = recordIn(ctx, reg, tenant)
		return err
	}))
	if !task.Made(err) {
		if asked != nil {
			t.Note("external_db_access of tenant %s changed at its control plane and not here; %s takes it over", asked.now.ID, cli.To("sp tenant list"))
		}
		return cli.Answer{}, err
	}
	warnOfLookalikes(t, done.Tenant, alike)
	if len(done.Changed) == 0 {
		t.Note("tenant %s: nothing changed", done.Tenant)
	} else {
		t.Note("tenant %s changed: %s", done.Tenant, strings.Join(done.Changed, ", "))
	}
	for _, m := range registry.Members {
		if url := wanted.Set[m.Name]; m.URL && url != nil && slices.Contains(done.Changed, m.Name) {
			t.TellDrivers(*url)
		}
	}
	return cli.Answer{Value: done}, err
}

// updateIn edits a tenant, and stores what its control plane said, if that was asked.
func updateIn(ctx context.Context, reg *registry.Registry, wanted registry.TenantEdit, asked *external) (registry.Tenant, []string, error) {
	tenant, changed, err := reg.UpdateTenant(ctx, wanted)
	if err != nil || asked == nil {
		return tenant, changed, err
	}
	stored, err := reg.StoreCloudURLs(ctx, asked.origin, asked.now)
	return stored, append(changed, tenant.Differing(stored)...), err
}

// editOf reads the flags of an edit, all but the tenant's id.
func editOf(ctx context.Context, t *task.Task) (e registry.TenantEdit, err error) {
	cleared := t.Strings("clear")
	if err := checkCleared(t, cleared); err != nil {
		return e, err
	}
	e.Set = map[string]*secret.Secret{}
	for _, m := range registry.Members {
		value, err := memberGiven(ctx, t, m)
		if err != nil {
			return e, err
		}
		if value != nil || slices.Contains(cleared, flagOf(m)) {
			e.Set[m.Name] = value
		}
	}
	if len(e.Set) == 0 {
		return e, cli.Hint(cli.Usage("tenant edit: nothing to change"), "%s lists what can be", cli.To("sp tenant edit", "--help"))
	}
	e.AllowDuplicateName, e.Purge = t.Bool("allow-duplicate-name"), t.Bool("purge")
	return e, nil
}
