package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/secret"
)

// finder returns the secret with that digest, which the image has as that member.
type finder func(member, digest string) (secret.Secret, error)

// imageReader makes things of an image again, and stops at the first trouble.
type imageReader struct {
	image
	find finder
	err  error
}

func (r *imageReader) value(name string, to any) {
	if text, ok := r.image[name]; ok && r.err == nil {
		if json.Unmarshal(text, to) != nil {
			r.err = fmt.Errorf("history: member %s: %w", name, db.ErrDamaged)
		}
	}
}

func (r *imageReader) secret(name string) *secret.Secret {
	if _, ok := r.image[name]; !ok || r.err != nil {
		return nil
	}
	var h hidden
	r.value(name, &h)
	if r.err != nil {
		return nil
	}
	s, err := r.find(name, h.Digest)
	if err != nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
	return &s
}

func (r *imageReader) members() Members {
	if s := r.secret(unknownMembers); s != nil && r.err == nil {
		return Members{text: *s}
	}
	return Members{}
}

func (r *imageReader) tenant(id TenantID) Tenant {
	t := Tenant{ID: id}
	for _, m := range RecordMembers[1:] {
		if text, there := r.text(m); there && r.err == nil && m.Set(&t, text) != nil {
			r.err = fmt.Errorf("history: member %s: %w", m.Name, db.ErrDamaged)
		}
	}
	t.Unknown = r.members()
	return t
}

// text returns what a tenant has as the member, and whether it has it.
func (r *imageReader) text(m *Member) (text string, there bool) {
	value, there := r.image[m.Name]
	switch {
	case m.Secret:
		if s := r.secret(m.Name); s != nil {
			text = s.Reveal()
		}
	case m.Truth:
		text = string(value)
	default:
		r.value(m.Name, &text)
	}
	return text, there
}

func (r *imageReader) profile(name string) Profile {
	p := Profile{Name: name}
	r.value("tenant_id", &p.Tenant)
	return p
}

func (r *imageReader) profileSecrets() map[string]secret.Secret {
	secrets := map[string]secret.Secret{}
	for name := range r.image {
		if key, ok := strings.CutPrefix(name, ofSecrets); ok {
			if s := r.secret(name); s != nil && r.err == nil {
				secrets[key] = *s
			}
		}
	}
	return secrets
}

func (r *imageReader) session(tenant TenantID) Session {
	s := Session{Tenant: tenant}
	r.value("profile", &s.Profile)
	s.ChosenAt = r.instant("chosen_at")
	s.Authentication = r.authentication()
	return s
}

// authentication returns what authenticated a session, nil if nothing did. Tokens are
// not kept: one that the session has not now is gone, and all that went with it.
func (r *imageReader) authentication() *Authentication {
	token := r.secret("token")
	if errors.Is(r.err, ErrForgotten) {
		r.err, token = nil, nil
	}
	if token == nil || r.err != nil {
		return nil
	}
	a := Authentication{Token: *token}
	r.value("issuer", &a.Issuer)
	r.value("session_id", &a.SessionID)
	r.value("context_id", &a.ContextID)
	r.value("user_id", &a.UserID)
	r.value("user_email", &a.UserEmail)
	r.value("user_type", &a.UserType)
	a.CreatedAt, a.ExpiresAt, a.LastUsed = r.instant("created_at"), r.instant("expires_at"), r.instant("last_used")
	return &a
}

func (r *imageReader) selection() (s Selection) {
	r.value("tenant_id", &s.Tenant)
	r.value("previous_tenant_id", &s.Previous)
	r.value("deleted_tenant_id", &s.Deleted)
	r.value("default_profile", &s.DefaultProfile)
	return s
}

func (r *imageReader) document() Document {
	return Document{SyncedAt: r.instant("synced_at"), Unknown: r.members()}
}

func (r *imageReader) instant(name string) time.Time {
	var text string
	r.value(name, &text)
	at, err := ParseTime(text)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("history: member %s: %w", name, db.ErrDamaged)
	}
	return at
}
