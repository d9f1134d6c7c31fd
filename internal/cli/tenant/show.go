package tenant

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/cli/task"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
)

// Show is `sp tenant show`, and `sp show`.
func Show() *cli.Command {
	return &cli.Command{
		Name:  "show",
		Usage: "show a tenant (without ID, the one in effect)",
		Args:  []cli.Arg{optionalWord()},
		Description: "ID can also be a tenant's name or the start of its id, if only one tenant fits.\n" +
			"--at 12 shows the tenant as it was after change 12 of sp log, and\n" +
			"--at 2026-02-01T10:00:00Z as it was at that time.",
		Flags: []cli.Flag{
			cli.Bool("reveal", "show the secrets instead of masking them"),
			cli.String("at", "TIME", "show it as it was at that time or after that change"),
			cli.Bool("offline", "don't ask the control plane for a cloud tenant's status"),
		},
		Run: task.Run(show),
	}
}

// detailed is a tenant with how it is now.
type detailed struct {
	record
	// Live is what its control plane says; nil if that was not asked.
	Live *liveStatus
	// Unfinished tells that its creation is under way: the registry does not have it yet.
	Unfinished bool
}

// MarshalJSON writes the record and how the tenant is now.
func (d detailed) MarshalJSON() ([]byte, error) {
	return d.With(struct {
		task.Besides
		behind
		Live       *liveStatus `json:"live"`
		Unfinished bool        `json:"unfinished"`
	}{d.Besides, d.behind, d.Live, d.Unfinished})
}

func show(ctx context.Context, t *task.Task) (cli.Answer, error) {
	var shown detailed
	err := lookAgain(ctx, t, func() error {
		return t.Read(ctx, func(dir project.Dir, view *registry.View) error {
			return shown.look(ctx, t, dir, view)
		})
	})
	if err != nil {
		return cli.Answer{}, err
	}
	if !t.IsSet("at") {
		shown.Live = live(ctx, t, shown.Tenant)
	}
	if shown.Tenant.IsSyncTokenMissing() && !shown.Unfinished {
		t.WarnOfToken(shown.Tenant.ID)
	}
	rows := shown.rows()
	if shown.Live != nil {
		rows = append(rows, []string{"status", shown.Live.String()})
	}
	return cli.Answer{Value: shown, Title: "Tenant: " + shown.Tenant.Name, Rows: cli.Rows(rows...)}, nil
}

// look finds the tenant that the argument means, as it is or was.
func (d *detailed) look(ctx context.Context, t *task.Task, dir project.Dir, view *registry.View) error {
	how, at := task.Showing(t.Bool("reveal")), t.Optional("at")
	if at != nil {
		was, err := past(ctx, t, dir, view, how, *at)
		d.record = was
		return err
	}
	tenant, err := t.Tenant(ctx, dir, view, t.Arg(0))
	if d.Unfinished = errors.Is(err, registry.ErrNotFound); d.Unfinished {
		tenant, err = underWay(ctx, t, view, err)
	}
	if err == nil {
		d.record, err = recordOf(ctx, view, tenant, how)
	}
	return err
}

// underWay is the tenant that is being made and has the id or name that the argument is.
func underWay(ctx context.Context, t *task.Task, view *registry.View, missing error) (tenant registry.Tenant, err error) {
	if t.Arg(0) == nil {
		return tenant, missing
	}
	k, err := task.UnderWay(ctx, view, *t.Arg(0), t.Now())
	if err != nil || k == nil || k.Tenant == nil {
		return tenant, cmp.Or(err, missing)
	}
	tellUnderWay(t, *k)
	return unfinished(*k), nil
}

// unfinished is the tenant that a creation makes whose id is known, as far as it is known here.
func unfinished(k registry.CloudCall) registry.Tenant {
	tenant := registry.NewCloud(registry.CloudParams{ID: *k.Tenant, Name: k.Name, Region: k.Region})
	tenant.AppID, tenant.Hostname, tenant.ExternalDBAccess = nil, nil, k.External // the control plane will say
	return tenant
}

// rows shows what the tenant has, a member a row: first what every tenant has, last what
// is yes or no.
func (r record) rows() (rows [][]string) {
	some := func(which func(m *registry.Member) bool) {
		for _, m := range registry.Members {
			if value := r.How.Member(m, &r.Tenant); value != nil && which(m) {
				rows = append(rows, []string{m.Title, *value})
			}
		}
	}
	some(func(m *registry.Member) bool { return !m.Optional && !m.Truth })
	rows = append(rows, []string{"selected", task.YesNo(r.Selected)})
	some(func(m *registry.Member) bool { return m.Optional })
	for _, m := range registry.Members {
		if m.Truth {
			rows = append(rows, []string{m.Title, task.YesNo(*r.How.Member(m, &r.Tenant) == "true")})
		}
	}
	return append(rows, r.besides()...)
}

// besides shows what stands behind the members.
func (r record) besides() (rows [][]string) {
	if len(r.UnknownMembers) > 0 {
		rows = append(rows, []string{"unknown members", strings.Join(r.UnknownMembers, ", ")})
	}
	if d := r.Database; d != nil {
		state := string(d.State)
		if d.OldEnds != nil {
			state += "; the old login ends at " + task.Clock(time.Time(*d.OldEnds))
		}
		rows = append(rows, []string{"made by sp", fmt.Sprintf("database %s on server %s, %s", d.Name, d.Server, state)})
	}
	if len(r.Forgotten) > 0 {
		rows = append(rows, []string{"no longer kept", strings.Join(r.Forgotten, ", ")})
	}
	if missing := r.missing(); len(missing) > 0 {
		rows = append(rows, []string{"credentials", "missing: " + strings.Join(missing, ", ")})
	}
	return rows
}

// missing says which credentials a cloud tenant lacks.
func (r record) missing() (names []string) {
	if !r.MissingCredentials {
		return nil
	}
	if url := r.Tenant.InternalDatabaseURL; url == nil || r.Tenant.IsDatabaseURLMasked() {
		names = append(names, "internal database URL")
	}
	if r.Tenant.IsSyncTokenMissing() {
		names = append(names, "sync token")
	}
	return names
}
