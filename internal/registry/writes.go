package registry

import (
	"context"
	"fmt"
	"math"

	"github.com/sp-registry/sp/db"
	"github.com/sp-registry/sp/db/queries"
	"github.com/sp-registry/sp/internal/secret"
)

// Every row that a change writes is written here, so that none can be without its
// entry in the history.

// appendTenant puts a tenant behind all others that there ever were.
func (c *change) appendTenant(ctx context.Context, t Tenant) error {
	if c.record.last == 0 {
		if err := c.startAppending(ctx); err != nil {
			return err
		}
	}
	c.record.last++
	c.touched = true
	return c.q.InsertTenant(ctx, insertOf(t, c.record.last, c.revision))
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
	return c.q.InsertTenant(ctx, insertOf(t, position, c.revision))
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
	return c.q.UpdateTenant(ctx, updateOf(after, c.revision))
}

func (c *change) deleteTenant(ctx context.Context, before placedTenant) error {
	c.touched = true
	if err := c.tenantEntry(ctx, before, nil); err != nil {
		return err
	}
	if err := c.q.DeleteRotation(ctx, string(before.ID)); err != nil {
		return err
	}
	return c.q.DeleteTenant(ctx, string(before.ID))
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
	c.due.sessions = true
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
	if err := c.entry(ctx, DocumentEntity, string(DocumentEntity), "", nil, imageOfDocument(before, d)); err != nil {
		return err
	}
	if err := c.keepRemoved(ctx, "", before.secrets(), after.secrets()); err != nil {
		return err
	}
	return c.q.SetDocument(ctx, queries.SetDocumentParams{
		SyncedAt: FormatTime(after.SyncedAt), UnknownMembers: after.Unknown.Reveal(),
	})
}
