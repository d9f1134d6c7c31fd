package registry

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/secret"
)

// keptFor is how long the secrets that a change removed can be put back.
const keptFor = 7 * 24 * time.Hour

// ErrForgotten is returned for a secret that is not kept any more: rotated, purged,
// or removed longer ago than secrets are kept.
var ErrForgotten = errors.New("no longer kept")

// Kept is how many removed secrets the registry still holds, and until when the
// last of them.
type Kept struct {
	Secrets int
	Until   time.Time
}

// KeptSecrets returns how many removed secrets are kept.
func (v *View) KeptSecrets(ctx context.Context) (Kept, error) {
	row, err := v.q.CountKeptSecrets(ctx)
	return Kept{Secrets: int(row.Count), Until: time.UnixMicro(row.KeptUntil).UTC()}, err
}

// PurgeSecrets forgets all removed secrets at once, and returns how many there were.
// What removed them can't be undone any more. The history tells of it if there were
// any, or if the caller says that copies of the registry go, too.
func (r *Registry) PurgeSecrets(ctx context.Context, copies bool) (purged int, err error) {
	err = r.write(ctx, func(c *change) error {
		kept, err := c.KeptSecrets(ctx)
		if err != nil {
			return err
		}
		purged = kept.Secrets
		c.record.purged = purged > 0 || copies
		return c.q.ForgetSecretsUntil(ctx, kept.Until.UnixMicro())
	})
	return purged, err
}

// keepRemoved keeps the secrets that a tenant had and has no more, for an undo. It
// keeps none, and ends the time of the earlier ones of the tenant, where the change
// purges, and never one that is revoked.
func (c *change) keepRemoved(ctx context.Context, tenant TenantID, before, after map[string]secret.Secret) error {
	d, err := c.digests(ctx)
	if err != nil {
		return err
	}
	for name, secret := range before {
		if now, still := after[name]; still && now.Equal(secret) || secret.Empty() {
			continue
		}
		digest := d.of(secret)
		if c.record.purge || slices.Contains(c.record.revoked, name) {
			err = c.q.EndSecret(ctx, queries.EndSecretParams{Digest: digest, Now: c.now.UnixMicro()})
		} else {
			err = c.q.KeepSecret(ctx, queries.KeepSecretParams{
				TenantID: string(tenant), Digest: digest, Value: secret.Reveal(), KeptUntil: c.now.Add(keptFor).UnixMicro(),
			})
		}
		if err != nil {
			return err
		}
	}
	if c.record.purge {
		return c.endSecretsOf(ctx, tenant)
	}
	return nil
}

// endSecretsOf says that the time of a tenant's kept secrets is over. They go at the end
// of the change: an undo of many tenants may still want to put back what it has taken
// from one of them.
func (c *change) endSecretsOf(ctx context.Context, tenant TenantID) error {
	return c.q.EndSecretsOf(ctx, queries.EndSecretsOfParams{TenantID: string(tenant), Now: c.now.UnixMicro()})
}

// forgetOver forgets the secrets that were kept long enough.
func (c *change) forgetOver(ctx context.Context) error {
	return c.q.ForgetSecretsUntil(ctx, c.now.UnixMicro())
}

// digests returns what makes digests; its key is empty before the first is made.
func (v *View) digests(ctx context.Context) (digester, error) {
	text, err := v.q.DigestKey(ctx)
	if err != nil {
		return digester{}, vanished(err)
	}
	key, err := hex.DecodeString(text)
	if err != nil {
		return digester{}, fmt.Errorf("history: its key is not hexadecimal: %w", db.ErrDamaged)
	}
	return newDigester(key), nil
}

// findIn returns how secrets of a tenant are found by their digests: among those
// that it has, the empty one, and those that are kept at that instant. One whose time is over may still be
// in the file, as a read removes nothing; nobody gets it all the same.
func (v *View) findIn(ctx context.Context, tenant TenantID, has map[string]secret.Secret, d digester, at time.Time) finder {
	return func(_, digest string) (secret.Secret, error) {
		for _, secret := range has {
			if d.of(secret) == digest {
				return secret, nil
			}
		}
		if empty := secret.New(""); d.of(empty) == digest {
			return empty, nil
		}
		value, err := v.q.KeptSecret(ctx, queries.KeptSecretParams{
			TenantID: string(tenant), Digest: digest, Now: at.UnixMicro(),
		})
		if errors.Is(err, sql.ErrNoRows) {
			err = ErrForgotten
		}
		return secret.New(value), err
	}
}

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
