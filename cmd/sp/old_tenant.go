package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sp-registry/sp/internal/hosting"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/project"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
	"github.com/urfave/cli/v3"
)

// What the commands on tenants had, and commands that have not moved yet still use.

func isSelected(id registry.TenantID, s registry.Selection) bool {
	return s.Tenant != nil && *s.Tenant == id
}

// tenantOfHistory returns the id of the tenant, deleted or not, that an argument means.
func tenantOfHistory(ctx context.Context, view *registry.View, word *string) (*registry.TenantID, error) {
	if word == nil {
		return nil, nil
	}
	id, err := view.FindPastTenant(ctx, *word)
	return &id, err
}

// errUnreached is what tenant check ends with when a database does not answer as it
// should. Its table is the answer and stands on stdout.
var errUnreached = errors.New("not every database answers as it should")

// checked is how a tenant's database answers, in JSON.
type checked struct {
	ID registry.TenantID `json:"id"`
	// Result is ok, or the code of what is wrong.
	Result  string `json:"result"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Latency *int64 `json:"latency_ms"`
	Version string `json:"server_version,omitempty"`
	TLS     bool   `json:"tls"`

	token bool  // it is a cloud tenant that misses its token
	begun bool  // a rotation of its password was stopped
	err   error // what Message says
}

func (c checked) encryption() string {
	if c.TLS {
		return "with TLS"
	}
	return "without TLS"
}

func checkedOf(c hosting.Checked) checked {
	found := checked{ID: c.Tenant.ID, Result: "ok", token: c.Tenant.IsSyncTokenMissing(), begun: c.Next != nil}
	if c.Err == nil {
		ms := c.Took.Milliseconds()
		found.Latency, found.Version, found.TLS, found.Message = &ms, c.Answer.Version, c.Answer.TLS, "connected"
		return found
	}
	found.err = adviseLogin(c.Err)
	f := failureOf(found.err)
	found.Result, found.Message, found.Hint = f.Code, f.Message, f.Hint
	return found
}

// warnOfArgument tells that a secret was given where others can read it.
func (a *app) warnOfArgument(cmd *cli.Command, name string, secret secret.Secret) {
	if cmd.IsSet(name) && pgurl.HasSecret(secret) {
		what := "a password"
		if name == "sync-token" {
			what = "a token"
		}
		a.note("warning: %s in --%s shows in the list of processes and the shell's history; --%s-stdin keeps it out", what, name, name)
	}
}

// removal is what a deletion took, in JSON.
type removal struct {
	ID       registry.TenantID `json:"id"`
	Name     string            `json:"name"`
	Profiles []string          `json:"profiles"`
	Session  *string           `json:"session_profile"`
	Selected bool              `json:"was_selected"`
	Default  bool              `json:"had_default_profile"`
}

func removalOf(r registry.Removed) removal {
	gone := removal{ID: r.Tenant.ID, Name: r.Tenant.Name, Profiles: append([]string{}, r.Profiles...), Selected: r.Selected, Default: r.Default}
	if r.Session != nil {
		gone.Session = &r.Session.Profile
	}
	return gone
}

// tellOrphans names the databases whose tenants are gone: nobody works with them, and they
// are still on their servers.
func (a *app) tellOrphans(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // what they stand behind is done
	return a.read(ctx, func(_ project.Dir, view *registry.View) error { return a.tellOrphansOf(ctx, view) })
}

func (a *app) tellOrphansOf(ctx context.Context, view *registry.View) error {
	databases, err := view.Databases(ctx)
	if err != nil {
		return err
	}
	for _, d := range databases {
		gone, err := view.IsGone(ctx, d.Tenant)
		if err != nil {
			return err
		}
		if gone {
			a.note("database %s of tenant %s, which is gone, stays on server %s: sp tenant delete %s -y drops it", d.Name, d.Tenant, d.Server, project.Quoted(string(d.Tenant)))
		}
	}
	return nil
}

// flagOf is the flag of a member of the record.
func flagOf(m *registry.Member) string { return strings.ReplaceAll(m.Name, "_", "-") }

// afterwards is what it means that something failed behind a change.
func afterwards(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", registry.ErrIncomplete, err)
}

func joined(ids []registry.TenantID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	return strings.Join(texts, ", ")
}

// findID returns the id of the tenant that ref means.
func findID(ctx context.Context, reg *registry.Registry, ref string) (registry.TenantID, error) {
	view, err := reg.View(ctx)
	if err != nil {
		return "", err
	}
	defer view.Close()
	t, err := view.FindTenant(ctx, ref)
	return t.ID, err
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

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
