package registry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/secret"
)

// image is what the history remembers of one thing: its members, by name, as JSON
// text. A secret is only its digest:
//
//	{"database_url":{"digest":"5d41…"},"name":"x","tenant_type":"local"}
//
// A nil image says that the thing was not there.
type image map[string]json.RawMessage

// digester writes secrets as keyed digests: who reads the history can tell whether
// a secret changed, and cannot try out guesses.
type digester struct {
	key   []byte
	mac   hash.Hash
	known map[string]string // the last few, by their text: of a thing each is wanted several times
}

func newDigester(key []byte) digester {
	return digester{key: key, mac: hmac.New(sha256.New, key), known: map[string]string{}}
}

// hidden is a secret in an image.
type hidden struct {
	Digest string `json:"digest"`
}

func (d digester) of(s secret.Secret) string {
	text := s.Reveal()
	digest, known := d.known[text]
	if known {
		return digest
	}
	if d.mac == nil {
		d = newDigester(nil)
	}
	if len(d.known) == 16 {
		clear(d.known)
	}
	d.mac.Reset()
	d.mac.Write([]byte(text))
	d.known[text] = hex.EncodeToString(d.mac.Sum(nil)[:16])
	return d.known[text]
}

func (m image) text() string {
	if m == nil {
		return ""
	}
	text, _ := json.Marshal(m) // what is in it was marshalled before
	return string(text)
}

func readImage(text string) (image, error) {
	if text == "" {
		return nil, nil
	}
	var m image
	if err := json.Unmarshal([]byte(text), &m); err != nil || m == nil {
		return nil, fmt.Errorf("history: an entry is not a JSON object: %w", db.ErrDamaged)
	}
	return m, nil
}

func (m image) put(name string, value any) {
	m[name], _ = json.Marshal(value) // texts, numbers and truth values always marshal
}

func putOptional[T any](m image, name string, value *T) {
	if value != nil {
		m.put(name, *value)
	}
}

func (m image) putSecret(name string, s *secret.Secret, d digester) {
	if s != nil {
		m.put(name, hidden{Digest: d.of(*s)})
	}
}

// differing names, in order, the members that differ between two images.
func (m image) differing(o image) []string {
	var names []string
	for name, value := range m {
		if string(o[name]) != string(value) {
			names = append(names, name)
		}
	}
	for name := range o {
		if _, both := m[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// only returns the members with those names.
func (m image) only(names []string) image {
	some := image{}
	for _, name := range names {
		if value, ok := m[name]; ok {
			some[name] = value
		}
	}
	return some
}

// with returns m with those members as o has them, or without them.
func (m image) with(names []string, o image) image {
	merged := maps.Clone(m)
	for _, name := range names {
		if value, ok := o[name]; ok {
			merged[name] = value
		} else {
			delete(merged, name)
		}
	}
	return merged
}

// lasting is what of a thing an undo can have brought back: of a session not what
// authenticates it, for tokens are not kept.
func (m image) lasting(what Entity) image {
	if m == nil || what != SessionEntity {
		return m
	}
	return m.only([]string{"profile", "chosen_at"})
}

func imageOfTenant(t Tenant, d digester) image {
	m := image{}
	for _, member := range Members[1:] { // the id is the entry's
		switch text, there := member.Reveal(&t); {
		case !there:
		case member.Secret:
			m.put(member.Name, hidden{Digest: d.of(secret.New(text))})
		case member.Truth:
			m.put(member.Name, text == "true")
		default:
			m.put(member.Name, text)
		}
	}
	if !t.Unknown.Empty() {
		m.putSecret(unknownMembers, &t.Unknown.text, d)
	}
	return m
}

// secrets returns what of a tenant the history may not hold, by member.
func (t Tenant) secrets() map[string]secret.Secret {
	found := map[string]secret.Secret{}
	for _, m := range Members {
		if s := m.SecretOf(&t); s != nil {
			found[m.Name] = *s
		}
	}
	if !t.Unknown.Empty() {
		found[unknownMembers] = t.Unknown.text
	}
	return found
}

// unknownMembers is how an image calls the members that the record does not define.
const unknownMembers = "unknown_members"

// ofSecrets is before the name of a profile's secret in an image, and in what is kept.
const ofSecrets = "secrets."

func imageOfProfile(p Profile, secrets map[string]secret.Secret, d digester) image {
	m := image{}
	m.put("tenant_id", p.Tenant)
	for key, s := range secrets {
		m.putSecret(ofSecrets+key, &s, d)
	}
	return m
}

func imageOfSession(s *Session, d digester) image {
	if s == nil {
		return nil
	}
	m := image{}
	m.put("profile", s.Profile)
	m.put("chosen_at", FormatTime(s.ChosenAt))
	if a := s.Authentication; a != nil {
		m.putSecret("token", &a.Token, d)
		putOptional(m, "issuer", a.Issuer)
		for name, value := range map[string]string{
			"session_id": a.SessionID, "context_id": a.ContextID,
			"user_id": a.UserID, "user_email": a.UserEmail, "user_type": a.UserType,
			"created_at": FormatTime(a.CreatedAt), "expires_at": FormatTime(a.ExpiresAt), "last_used": FormatTime(a.LastUsed),
		} {
			m.put(name, value)
		}
	}
	return m
}

func imageOfSelection(s Selection) image {
	m := image{}
	putOptional(m, "tenant_id", s.Tenant)
	putOptional(m, "previous_tenant_id", s.Previous)
	putOptional(m, "deleted_tenant_id", s.Deleted)
	putOptional(m, "default_profile", s.DefaultProfile)
	return m
}

func imageOfDocument(doc Document, d digester) image {
	m := image{}
	m.put("synced_at", FormatTime(doc.SyncedAt))
	if !doc.Unknown.Empty() {
		m.putSecret(unknownMembers, &doc.Unknown.text, d)
	}
	return m
}

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

func (r *imageReader) members() Unknown {
	if s := r.secret(unknownMembers); s != nil && r.err == nil {
		return Unknown{text: *s}
	}
	return Unknown{}
}

func (r *imageReader) tenant(id TenantID) Tenant {
	t := Tenant{ID: id}
	for _, m := range Members[1:] {
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
