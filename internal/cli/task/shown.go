package task

import (
	"context"
	"errors"
	"strings"

	"github.com/sp-registry/sp/internal/cli"
	"github.com/sp-registry/sp/internal/pgurl"
	"github.com/sp-registry/sp/internal/registry"
	"github.com/sp-registry/sp/internal/secret"
)

// The kinds of arguments that commands take.
var (
	TenantWord  = cli.Kind{Name: "tenant"}
	ProfileWord = cli.Kind{Name: "profile"}
	NewProfile  = cli.Kind{Name: "new profile", Check: registry.CheckProfileName}
	EitherWord  = cli.Kind{Name: "tenant or profile"}
	Sequence    = cli.Kind{Name: "sequence"}
	Server      = cli.Kind{Name: "server"}
	File        = cli.Kind{Name: "file"}
	Directory   = cli.Kind{Name: "directory"}
	Secret      = cli.Kind{Name: "secret"}
	Plane       = cli.Kind{Name: "control plane"}
)

// TenantRef is a tenant in JSON, where another thing names it. Of one that is gone, what is not known
// any more is null.
type TenantRef struct {
	ID   registry.TenantID `json:"id"`
	Name *string           `json:"name"`
	Kind *registry.Kind    `json:"type"`
}

// RefOf names a tenant.
func RefOf(t registry.Tenant) TenantRef { return TenantRef{t.ID, &t.Name, &t.Kind} }

// Called is its name, empty where that is not known any more.
func (r TenantRef) Called() string {
	if r.Name == nil {
		return ""
	}
	return *r.Name
}

// RefIn returns the reference to the tenant with that id. If there is none, which happens only in a
// damaged registry, it has the id alone.
func RefIn(ctx context.Context, view *registry.View, id registry.TenantID) (TenantRef, error) {
	t, err := view.Tenant(ctx, id)
	if errors.Is(err, registry.ErrNotFound) {
		return TenantRef{ID: id}, nil
	}
	return RefOf(t), err
}

// ProfileRef is a reference to a profile in JSON.
type ProfileRef struct {
	Name string `json:"name"`
}

// Showing says how secrets are shown.
type Showing bool

// The ways to show a secret.
const (
	Masked   Showing = false
	Revealed Showing = true
)

// URL returns a URL as it is shown, nil if there is none.
func (s Showing) URL(url *secret.Secret) *string { return s.text(url, pgurl.Describe) }

// Token returns a token as it is shown, nil if there is none.
func (s Showing) Token(token *secret.Secret) *string {
	return s.text(token, func(secret.Secret) string { return "***" })
}

// Member returns a member of a tenant as it is shown, nil if the tenant lacks it.
func (s Showing) Member(m *registry.Member, t *registry.Tenant) *string {
	switch {
	case m.URL:
		return s.URL(m.SecretOf(t))
	case m.Secret:
		return s.Token(m.SecretOf(t))
	}
	if text, there := m.Reveal(t); there {
		return &text
	}
	return nil
}

func (s Showing) text(secret *secret.Secret, mask func(secret.Secret) string) *string {
	if secret == nil {
		return nil
	}
	text := ""
	switch {
	case s == Revealed:
		text = secret.Reveal()
	case !secret.Empty():
		text = mask(*secret)
	}
	return &text
}

// YesNo returns yes or no.
func YesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// IsSelected reports whether a tenant is the selected one.
func IsSelected(id registry.TenantID, s registry.Selection) bool {
	return s.Tenant != nil && *s.Tenant == id
}

// Listed lists ids for people.
func Listed(ids []registry.TenantID) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = string(id)
	}
	return strings.Join(words, ", ")
}
