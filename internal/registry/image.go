package registry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

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
type digester struct{ key []byte }

// hidden is a secret in an image.
type hidden struct {
	Digest string `json:"digest"`
}

func (d digester) of(s secret.Secret) string {
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(s.Reveal()))
	return hex.EncodeToString(mac.Sum(nil)[:16])
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

func imageOfTenant(t Tenant, d digester) image {
	m := image{}
	for _, member := range RecordMembers[1:] { // the id is the entry's
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
	for _, m := range RecordMembers {
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
