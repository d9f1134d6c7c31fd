package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
)

func (a *app) tenantShowCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show a tenant, the selected one without ID",
		ArgsUsage: "[ID]",
		Description: "ID may also be a tenant's name or the start of its id, where only one has it.\n" +
			"--at 12 is as it was after change 12 of sp log, --at 2026-02-01T10:00:00Z as it was then.",
		Flags: []cli.Flag{
			boolFlag("reveal", "show the secrets, which are masked otherwise"),
			stringFlag("at", "as it was at that `TIME` or sequence"),
		},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			shown, err := a.findShown(ctx, cmd)
			if err != nil {
				return err
			}
			if shown.tokenMissing {
				a.warnOfToken(shown.ID)
			}
			if a.json {
				return a.document(shown)
			}
			return a.table("Tenant: "+shown.Name, rowsOf(shown.rows()...))
		},
	}
}

func (a *app) findShown(ctx context.Context, cmd *cli.Command) (shown tenant, err error) {
	err = a.read(ctx, func(_ project.Dir, view *registry.View) error {
		t, forgotten, err := shownTenant(ctx, view, argument(cmd, 0), optional(cmd, "at"))
		if err != nil {
			return err
		}
		selection, err := view.Selection(ctx)
		shown = tenantOf(t, selection, showing(cmd.Bool("reveal")))
		shown.Forgotten, shown.tokenMissing = forgotten, t.IsSyncTokenMissing()
		if err == nil && !cmd.IsSet("at") { // that is of the present
			shown.Made, err = madeFor(ctx, view, t.ID)
		}
		return err
	})
	return shown, err
}

// madeFor is the database that sp made for a tenant, nil if there is none.
func madeFor(ctx context.Context, view *registry.View, id registry.TenantID) (*databaseStatus, error) {
	d, err := view.Database(ctx, id)
	if err != nil || d == nil {
		return nil, err
	}
	s := databaseStatusOf(*d, false)
	return &s, nil
}

// namedTenant returns the tenant that an argument means, the selected one without it.
func namedTenant(ctx context.Context, view *registry.View, ref *string) (registry.Tenant, error) {
	if ref != nil {
		return view.FindTenant(ctx, *ref)
	}
	return view.TenantOrSelected(ctx, nil)
}

// tenant is a tenant in JSON: the record as in tenants.json, and what else is known of it;
// secrets are masked unless revealed.
type tenant struct {
	registry.Tenant
	shown showing
	besides
	tokenMissing bool
}

// besides is what is shown of a tenant behind its record.
type besides struct {
	UnknownMembers     []string `json:"unknown_members,omitempty"`
	Selected           bool     `json:"selected"`
	MissingCredentials bool     `json:"missing_credentials"`
	// Forgotten are the members whose secret was there and is not kept any more.
	Forgotten []string `json:"no_longer_kept,omitempty"`
	// Made is the database that sp made for it.
	Made *databaseStatus `json:"database,omitempty"`
}

func tenantOf(t registry.Tenant, s registry.Selection, shown showing) tenant {
	return tenant{Tenant: t, shown: shown, besides: besides{
		UnknownMembers:     t.Unknown.Names(),
		Selected:           isSelected(t.ID, s),
		MissingCredentials: t.HasMissingCredentials(),
	}}
}

// MarshalJSON writes the members of the record that there are, and what is besides.
func (t tenant) MarshalJSON() ([]byte, error) {
	text := []byte("{")
	for _, m := range registry.Members {
		value := t.shown.member(m, t.Tenant)
		if value == nil {
			continue
		}
		if !m.Truth {
			quoted, err := marshal(value, "")
			if err != nil {
				return nil, err
			}
			value = &quoted
		}
		text = fmt.Appendf(text, "%q:%s,", m.Name, *value)
	}
	rest, err := marshal(t.besides, "")
	return append(text, strings.TrimPrefix(rest, "{")...), err
}

// showing says how a secret is shown that is there.
type showing bool

const (
	masked   showing = false
	revealed showing = true
)

func (s showing) url(url *secret.Secret) *string { return s.text(url, pgurl.Describe) }

func (s showing) token(token *secret.Secret) *string {
	return s.text(token, func(secret.Secret) string { return "***" })
}

// member is what a tenant has as a member, as it is shown; nil if it has none.
func (s showing) member(m *registry.Member, t registry.Tenant) *string {
	text, there := m.Reveal(&t)
	value := secret.New(text)
	switch {
	case !there:
		return nil
	case m.URL:
		return s.url(&value)
	case m.Secret:
		return s.token(&value)
	}
	return &text
}

func (s showing) text(secret *secret.Secret, mask func(secret.Secret) string) *string {
	if secret == nil {
		return nil
	}
	text := ""
	switch {
	case s == revealed:
		text = secret.Reveal()
	case !secret.Empty():
		text = mask(*secret)
	}
	return &text
}

// rows shows what the tenant has, a member a row: first what every tenant has, last what
// is yes or no.
func (t tenant) rows() (rows [][]string) {
	some := func(which func(m *registry.Member) bool) {
		for _, m := range registry.Members {
			if value := t.shown.member(m, t.Tenant); value != nil && which(m) {
				rows = append(rows, []string{m.Title, *value})
			}
		}
	}
	some(func(m *registry.Member) bool { return !m.Optional && !m.Truth })
	rows = append(rows, []string{"selected", yesNo(t.Selected)})
	some(func(m *registry.Member) bool { return m.Optional })
	for _, m := range registry.Members {
		if m.Truth {
			rows = append(rows, []string{m.Title, yesNo(*t.shown.member(m, t.Tenant) == "true")})
		}
	}
	if len(t.UnknownMembers) > 0 {
		rows = append(rows, []string{"unknown members", strings.Join(t.UnknownMembers, ", ")})
	}
	if t.Made != nil {
		rows = append(rows, []string{"made by sp", fmt.Sprintf("database %s on server %s, %s", t.Made.Name, t.Made.Server, strings.Join(t.Made.notes(), "; "))})
	}
	if len(t.Forgotten) > 0 {
		rows = append(rows, []string{"no longer kept", strings.Join(t.Forgotten, ", ")})
	}
	if t.MissingCredentials {
		rows = append(rows, []string{"credentials", "missing"})
	}
	return rows
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
