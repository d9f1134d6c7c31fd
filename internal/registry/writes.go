package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/secret"
)

// Every row that a change writes is written here, so that none can be without its
// entry in the history. Only the time of a sync has none (setSynced).

// appendTenant puts a tenant behind all others that there ever were.
func (c *change) appendTenant(ctx context.Context, t Tenant) error {
	if c.record.last == 0 {
		if err := c.startAppending(ctx); err != nil {
			return err
		}
	}
	c.record.last++
	c.touched = true
	return c.q.InsertTenant(ctx, rowOf(t, c.record.last, c.revision))
}

func (c *change) startAppending(ctx context.Context) error {
	last, err := c.q.LastPosition(ctx)
	if err == nil && last == math.MaxInt64 {
		err = fmt.Errorf("tenant at position %d: %w: none can come behind it", last, db.ErrDamaged)
	}
	c.record.first, c.record.last = last+1, last
	return err
}

// insertTenant puts a tenant back where it was.
func (c *change) insertTenant(ctx context.Context, t Tenant, position int64) error {
	c.touched = true
	if err := c.entry(ctx, TenantEntity, string(t.ID), t.ID, &position, nil); err != nil {
		return err
	}
	return c.q.InsertTenant(ctx, rowOf(t, position, c.revision))
}

func (c *change) updateTenant(ctx context.Context, before placedTenant, after Tenant) error {
	c.touched = true
	if err := c.tenantEntry(ctx, before, &after); err != nil {
		return err
	}
	if err := c.dueOf(ctx, before.Tenant, after); err != nil {
		return err
	}
	if !secret.Equal(before.DatabaseURL, after.DatabaseURL) {
		if err := c.movePlan(ctx, after); err != nil {
			return err
		}
	}
	return c.q.UpdateTenant(ctx, queries.UpdateTenantParams(rowOf(after, before.position, c.revision)))
}

func (c *change) deleteTenant(ctx context.Context, before placedTenant) error {
	c.touched = true
	if err := c.tenantEntry(ctx, before, nil); err != nil {
		return err
	}
	id := string(before.ID)
	return errors.Join(
		c.q.DeleteRotation(ctx, id), c.q.DeleteCloudTenant(ctx, id), c.q.DeleteCloudCallsOf(ctx, id), c.q.DeleteTenant(ctx, id),
	)
}

// tenantEntry records a tenant as it was and keeps the secrets that it had and,
// after, has no more.
func (c *change) tenantEntry(ctx context.Context, before placedTenant, after *Tenant) error {
	d, err := c.digests(ctx)
	if err != nil {
		return err
	}
	if err := c.entry(ctx, TenantEntity, string(before.ID), before.ID, &before.position, imageOfTenant(before.Tenant, d)); err != nil {
		return err
	}
	var left map[string]secret.Secret
	if after != nil {
		left = after.secrets()
	}
	return c.keepRemoved(ctx, before.ID, before.secrets(), left)
}

// setSelection changes what is selected; where that is the same, nothing.
func (c *change) setSelection(ctx context.Context, before, after Selection) error {
	if err := c.dropNowhere(ctx, &after); err != nil {
		return err
	}
	if len(imageOfSelection(before).differing(imageOfSelection(after))) == 0 {
		return nil
	}
	if err := c.selectionEntry(ctx, before, concerned(before.Tenant, after.Tenant)); err != nil {
		return err
	}
	c.due.Sessions = true
	return c.q.SetSelection(ctx, queries.SetSelectionParams{
		TenantID:         (*string)(after.Tenant),
		PreviousTenantID: (*string)(after.Previous),
		DeletedTenantID:  (*string)(after.Deleted),
		DefaultProfile:   after.DefaultProfile,
	})
}

// concerned returns the tenant that is selected from now on or, where none is, that
// was; none where that stays.
func concerned(before, after *TenantID) TenantID {
	switch {
	case before != nil && after != nil && *before == *after:
		return ""
	case after != nil:
		return *after
	case before != nil:
		return *before
	}
	return ""
}

// selectionEntry records what was selected, as a matter of the tenant that it concerns.
func (c *change) selectionEntry(ctx context.Context, before Selection, tenant TenantID) error {
	return c.entry(ctx, SelectionEntity, string(SelectionEntity), tenant, nil, imageOfSelection(before))
}

func (c *change) setDocument(ctx context.Context, before, after Document) error {
	d, err := c.digests(ctx)
	if err != nil {
		return err
	}
	c.touched = true
	if err := c.entry(ctx, documentEntity, string(documentEntity), "", nil, imageOfDocument(before, d)); err != nil {
		return err
	}
	if err := c.keepRemoved(ctx, "", before.secrets(), after.secrets()); err != nil {
		return err
	}
	return c.q.SetDocument(ctx, queries.SetDocumentParams{
		SyncedAt: FormatTime(after.SyncedAt), UnknownMembers: after.Unknown.Reveal(),
	})
}

// setSynced sets the time of the last sync, which never goes back. The history does not tell of
// it: a list syncs every minute, and an undo of anything else is not to stop at that.
func (c *change) setSynced(ctx context.Context, at time.Time) error {
	state, err := c.State(ctx)
	if err != nil || !at.After(state.Document.SyncedAt) {
		return err
	}
	c.touched = true
	return c.q.SetDocument(ctx, queries.SetDocumentParams{
		SyncedAt: FormatTime(at), UnknownMembers: state.Document.Unknown.Reveal(),
	})
}

func (c *change) insertProfile(ctx context.Context, p Profile, secrets map[string]secret.Secret) error {
	if err := c.entry(ctx, ProfileEntity, p.Name, p.Tenant, nil, nil); err != nil {
		return err
	}
	c.due.Profiles[p.Name] = true
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
		c.due.Profiles[before.Name], c.due.Renamed[before.Name] = true, after.Name
	}
	if before.Tenant != after.Tenant {
		c.due.Relinked[after.Name] = before.Tenant
	}
	c.due.Profiles[after.Name] = true
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
	c.due.Profiles[p.Name] = true
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
	c.due.Profiles[p.Name] = true
	return c.q.DeleteProfile(ctx, p.Name)
}

func (c *change) putSession(ctx context.Context, s Session) error {
	s.ChosenAt = s.ChosenAt.Truncate(time.Microsecond) // as it is stored
	before, err := c.Session(ctx, s.Tenant)
	var d digester // its key does not matter to a comparison
	if err != nil || len(imageOfSession(before, d).differing(imageOfSession(&s, d))) == 0 {
		return err
	}
	if err := c.sessionEntry(ctx, s.Tenant, before); err != nil {
		return err
	}
	return c.q.PutSession(ctx, putSessionOf(s))
}

func (c *change) deleteSession(ctx context.Context, s Session) error {
	if err := c.sessionEntry(ctx, s.Tenant, &s); err != nil {
		return err
	}
	return c.q.DeleteSession(ctx, string(s.Tenant))
}

// sessionEntry records a session as it was, nil if there was none. Its token is not
// kept: it has a short life, and who ends a session wants it to be gone.
func (c *change) sessionEntry(ctx context.Context, tenant TenantID, before *Session) error {
	var d digester
	if before != nil && before.Authentication != nil {
		var err error
		if d, err = c.digests(ctx); err != nil {
			return err
		}
	}
	c.due.Sessions = true
	return c.entry(ctx, SessionEntity, string(tenant), tenant, nil, imageOfSession(before, d))
}
