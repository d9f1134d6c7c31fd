package registry

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

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
		if c.record.purge || c.record.revoked == name {
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
	return digester{key: key}, nil
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
