package registry

import (
	"context"
	"maps"
	"slices"

	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/secret"
)

func (c *change) insertProfile(ctx context.Context, p Profile, secrets map[string]secret.Secret) error {
	if err := c.entry(ctx, ProfileEntity, p.Name, p.Tenant, nil, nil); err != nil {
		return err
	}
	c.due.profiles[p.Name] = true
	err := c.q.InsertProfile(ctx, queries.InsertProfileParams{Name: p.Name, NameKey: nameKey(p.Name), TenantID: string(p.Tenant)})
	if err != nil {
		return err
	}
	return c.putSecretRows(ctx, p.Name, nil, secrets)
}

// updateProfile renames or relinks a profile. To the history a new name is another
// profile, and the session and the default that follow it change, too.
func (c *change) updateProfile(ctx context.Context, before, after Profile) error {
	if before == after {
		return nil
	}
	secrets, err := c.profileSecrets(ctx, before.Name)
	if err != nil {
		return err
	}
	if err := c.profileEntry(ctx, before, secrets, secrets); err != nil {
		return err
	}
	if before.Name != after.Name {
		if err := c.renameEntries(ctx, before, after); err != nil {
			return err
		}
		c.due.profiles[before.Name], c.due.renamed[before.Name] = true, after.Name
	}
	if before.Tenant != after.Tenant {
		c.due.relinked[after.Name] = before.Tenant
	}
	c.due.profiles[after.Name] = true
	return c.q.UpdateProfile(ctx, queries.UpdateProfileParams{
		Name: before.Name, NewName: after.Name, NameKey: nameKey(after.Name), TenantID: string(after.Tenant),
	})
}

// profileEntry records a profile as it was, and keeps the secrets that it had and has
// no more.
func (c *change) profileEntry(ctx context.Context, p Profile, before, after map[string]secret.Secret) error {
	if len(before) == 0 {
		return c.entry(ctx, ProfileEntity, p.Name, p.Tenant, nil, imageOfProfile(p, nil, digester{}))
	}
	d, err := c.digests(ctx)
	if err != nil {
		return err
	}
	if err := c.entry(ctx, ProfileEntity, p.Name, p.Tenant, nil, imageOfProfile(p, before, d)); err != nil {
		return err
	}
	return c.keepRemoved(ctx, p.Tenant, before, after)
}

func (c *change) renameEntries(ctx context.Context, before, after Profile) error {
	if err := c.entry(ctx, ProfileEntity, after.Name, after.Tenant, nil, nil); err != nil {
		return err
	}
	session, err := c.Session(ctx, before.Tenant)
	if err != nil {
		return err
	}
	if session != nil && session.Profile == before.Name {
		if err := c.sessionEntry(ctx, session.Tenant, session); err != nil {
			return err
		}
	}
	s, err := c.Selection(ctx)
	if err == nil && s.DefaultProfile != nil && *s.DefaultProfile == before.Name {
		err = c.selectionEntry(ctx, s, before.Tenant)
	}
	return err
}

// putProfileSecrets gives a profile these secrets and no others.
func (c *change) putProfileSecrets(ctx context.Context, p Profile, after map[string]secret.Secret) error {
	before, err := c.profileSecrets(ctx, p.Name)
	if err != nil || sameSecrets(before, after) {
		return err
	}
	if err := c.profileEntry(ctx, p, before, after); err != nil {
		return err
	}
	c.due.profiles[p.Name] = true
	return c.putSecretRows(ctx, p.Name, before, after)
}

func sameSecrets(a, b map[string]secret.Secret) bool {
	return maps.EqualFunc(a, b, secret.Secret.Equal)
}

func (c *change) putSecretRows(ctx context.Context, profile string, before, after map[string]secret.Secret) error {
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if _, stays := after[key]; !stays {
			if err := c.q.DeleteProfileSecret(ctx, queries.DeleteProfileSecretParams{Profile: profile, Key: key}); err != nil {
				return err
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(after)) {
		value := after[key]
		if known, there := before[key]; there && known.Equal(value) {
			continue
		}
		err := c.q.PutProfileSecret(ctx, queries.PutProfileSecretParams{Profile: profile, Key: key, Value: value.Reveal()})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *change) deleteProfile(ctx context.Context, p Profile) error {
	secrets, err := c.profileSecrets(ctx, p.Name)
	if err != nil {
		return err
	}
	if err := c.profileEntry(ctx, p, secrets, nil); err != nil {
		return err
	}
	if err := c.putSecretRows(ctx, p.Name, secrets, nil); err != nil {
		return err
	}
	c.due.profiles[p.Name] = true
	return c.q.DeleteProfile(ctx, p.Name)
}
