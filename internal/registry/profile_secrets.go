package registry

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/internal/secret"
)

// ProfileSecret is a secret of a profile, by its name in secrets.json.
type ProfileSecret struct {
	Key   string
	Value secret.Secret
}

// TenantSecrets are the members of secrets.json that are the tenant's: they follow it,
// and a profile has none of its own under these names.
var TenantSecrets = []string{"database_url", "internal_database_url", "external_database_url", "sync_token"}

// maxSecret is how long a profile's secret may be, in bytes.
const maxSecret = 64 << 10

// ProfileSecrets returns the secrets of a profile, in the order of their keys.
func (v *View) ProfileSecrets(ctx context.Context, profile string) ([]ProfileSecret, error) {
	all, err := v.profileSecrets(ctx, profile)
	var secrets []ProfileSecret
	for _, key := range slices.Sorted(maps.Keys(all)) {
		secrets = append(secrets, ProfileSecret{Key: key, Value: all[key]})
	}
	return secrets, err
}

func (v *View) profileSecrets(ctx context.Context, profile string) (map[string]secret.Secret, error) {
	rows, err := v.q.ProfileSecrets(ctx, profile)
	secrets := map[string]secret.Secret{}
	for _, row := range rows {
		if !utf8.ValidString(row.Key) || !utf8.ValidString(row.Value) {
			return nil, fmt.Errorf("secrets of profile %s: %w: one is not UTF-8", shown(profile), db.ErrDamaged)
		}
		secrets[row.Key] = secret.New(row.Value)
	}
	return secrets, err
}

// SecretEdit asks for other secrets of a profile: those of Put are set, those of
// Unset removed.
type SecretEdit struct {
	Profile string
	Put     []ProfileSecret
	Unset   []string
	// Purge forgets the values that it replaces or removes at once.
	Purge bool
}

// EditSecrets edits the secrets of a profile, and returns the profile. One that is to be
// removed and is not there is ErrNotFound, and nothing changes.
func (r *Registry) EditSecrets(ctx context.Context, e SecretEdit) (profile Profile, err error) {
	for _, s := range e.Put {
		if err := CheckProfileSecret(s); err != nil {
			return Profile{}, err
		}
	}
	err = r.write(ctx, func(c *change) error {
		c.record.purge = e.Purge
		if profile, err = c.Profile(ctx, e.Profile); err != nil {
			return err
		}
		secrets, err := c.profileSecrets(ctx, e.Profile)
		if err != nil {
			return err
		}
		for _, key := range e.Unset {
			if _, there := secrets[key]; !there {
				return fmt.Errorf("secret %s of profile %s: %w", shown(key), e.Profile, ErrNotFound)
			}
			delete(secrets, key)
		}
		for _, s := range e.Put {
			secrets[s.Key] = s.Value
		}
		return c.putProfileSecrets(ctx, profile, secrets)
	})
	return profile, err
}

// CheckProfileSecret refuses a name that secrets.json can't have or that is the
// tenant's, and a value that is empty, not text, or longer than 64 KiB.
func CheckProfileSecret(s ProfileSecret) error {
	if err := checkSecretKey(s.Key); err != nil {
		return err
	}
	value := s.Value.Reveal()
	switch {
	case value == "":
		return fmt.Errorf("secret %s: its value is empty: %w", s.Key, ErrInvalid)
	case len(value) > maxSecret:
		return fmt.Errorf("secret %s: its value is longer than 64 KiB: %w", s.Key, ErrInvalid)
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		return fmt.Errorf("secret %s: its value is not text: %w", s.Key, ErrInvalid)
	}
	return nil
}

func checkSecretKey(key string) error {
	if slices.Contains(TenantSecrets, key) {
		return fmt.Errorf("secret %s: it is its tenant's, and follows that: %w", key, ErrInvalid)
	}
	if strings.HasPrefix(key, "-") {
		return fmt.Errorf("name of a secret: starts with a dash: %w", ErrInvalid)
	}
	return checkLabel("name of a secret", key)
}
